"""Completes commands by the catalogue before they are appended."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from fastapi.exceptions import RequestValidationError

from services.festival.domain import Festival
from services.festival.domain.catalogue import Wrong, added_facilities, with_lead_times, with_product, with_products
from services.festival.store import ENTRIES, FESTIVALS
from shared.events.catalogue import EntryFact, EntryKind
from shared.events.festival import (
    AddedFacilities,
    AddProduct,
    AnnounceFestival,
    ChangeFestival,
    OpenBooth,
    Replenish,
    RequestAllocation,
    ReviseAllocation,
)
from shared.events.language import Body
from shared.faults import value_error
from shared.http.problems import PageRefused
from shared.nearest import nearest
from shared.runtime.service import Service
from shared.wording import Message, any_of

# Seconds: how long a command waits for entries, and after how long without a new one no more are expected.
PATIENCE = 4.0
QUIET = 0.5
_FOR_LEAD_TIMES = (EntryKind.ISLAND, EntryKind.FACILITY, EntryKind.LEAD_TIME)
NOT_HERE = Message(
    "The catalogue has not arrived at festival yet; try again in a moment. If nobody has sown it yet: `karya "
    "catalogue seed`."
)


class Completion:
    """Adds lead times, categories and names to commands, from festival's copy of the catalogue."""

    def __init__(self, service: Service) -> None:
        self._entries = service.database[ENTRIES.name]
        self._festivals = service.database[FESTIVALS.name]

    async def __call__(self, body: Body) -> Body:
        """The completed command. Raises RequestValidationError for what is not in the catalogue, PageRefused while no
        entry has come, PyMongoError."""
        match body:
            case AnnounceFestival(island=str()) | ChangeFestival(island=str()):
                return await self._found(partial(with_lead_times, body), *_FOR_LEAD_TIMES)
            case OpenBooth():
                return await self._found(partial(with_products, body), EntryKind.PRODUCT)
            case AddProduct():
                return await self._found(partial(with_product, body), EntryKind.PRODUCT)
            case RequestAllocation() | ReviseAllocation() | Replenish():
                document = await self._festivals.find_one({"_id": body.festival})
                added = await self.added(FESTIVALS.from_document(document)) if document is not None else None
                return body.model_copy(update={"added": added})
            case _:
                return body

    async def added(self, festival: Festival) -> AddedFacilities | None:
        """The lead times of facilities that were added after the festival was announced. Raises PyMongoError."""
        if festival.island is None:
            return None
        return added_facilities(festival, await self._facts(*_FOR_LEAD_TIMES))

    async def _found(self, complete: Callable[[Mapping[str, EntryFact]], Body | Wrong], *kinds: EntryKind) -> Body:
        """The command completed by entries of these kinds. While entries still come, one that is missing is waited
        for."""
        clock = asyncio.get_running_loop().time
        end = clock() + PATIENCE
        facts = await self._facts(*kinds)
        while isinstance(completed := complete(facts), Wrong) and clock() < end:
            former = facts
            await asyncio.sleep(QUIET)
            facts = await self._facts(*kinds)
            if facts == former and facts:
                break
        if not facts:
            raise PageRefused(503, NOT_HERE)
        if isinstance(completed, Wrong):
            raise RequestValidationError([value_error(("body", completed.field), _with_hint(completed))])
        return completed

    async def _facts(self, *kinds: EntryKind) -> dict[str, EntryFact]:
        query = {"kind": {"$in": [kind.value for kind in kinds]}}
        documents = await self._entries.find(query).sort("_id", 1).to_list(None)
        return {document["_id"]: ENTRIES.from_document(document).fact for document in documents}


def _with_hint(wrong: Wrong) -> Message:
    """The message with the names that could have been meant."""
    if wrong.known is None:
        return wrong.message
    if names := nearest(wrong.text, wrong.known):
        return Message("{message} Did you mean {names}?", message=wrong.message, names=any_of(names))
    return Message("{message} `karya catalogue list` shows all.", message=wrong.message)
