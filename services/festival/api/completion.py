"""Completes commands by the catalogue before they are appended."""

from fastapi.exceptions import RequestValidationError

from services.festival.domain.catalogue import Fact, Wrong, with_lead_times, with_product, with_products
from services.festival.store import ENTRIES
from shared.events.catalogue import EntryKind
from shared.events.festival import AddProduct, AnnounceFestival, ChangeFestival, OpenBooth
from shared.events.language import Body
from shared.nearest import nearest
from shared.runtime.service import Service

_FOR_LEAD_TIMES = (EntryKind.ISLAND, EntryKind.FACILITY, EntryKind.LEAD_TIME)


class Completion:
    """Adds lead times, categories and names to commands, from festival's copy of the catalogue."""

    def __init__(self, service: Service) -> None:
        self._entries = service.database[ENTRIES.name]

    async def __call__(self, body: Body) -> Body:
        """The completed command. Raises RequestValidationError for what is not in the catalogue, PyMongoError."""
        completed: Body | Wrong = body
        match body:
            case AnnounceFestival(island=str()):
                completed = with_lead_times(body, await self._facts(*_FOR_LEAD_TIMES))
            case ChangeFestival(island=str()):
                completed = with_lead_times(body, await self._facts(*_FOR_LEAD_TIMES))
            case OpenBooth():
                completed = with_products(body, await self._facts(EntryKind.PRODUCT))
            case AddProduct():
                completed = with_product(body, await self._facts(EntryKind.PRODUCT))
        if isinstance(completed, Wrong):
            message = f"{completed.message.english}{_hint(completed)}"
            raise RequestValidationError([{"type": "value_error", "loc": ("body", completed.field), "msg": message}])
        return completed

    async def _facts(self, *kinds: EntryKind) -> dict[str, Fact]:
        query = {"kind": {"$in": [kind.value for kind in kinds]}}
        documents = await self._entries.find(query).sort("_id", 1).to_list(None)
        return {document["_id"]: ENTRIES.from_document(document).fact for document in documents}


def _hint(wrong: Wrong) -> str:
    if wrong.known is None:
        return ""
    alike = nearest(wrong.text, wrong.known)
    return f" Did you mean {' or '.join(alike)}?" if alike else " `karya catalogue list` shows all."
