"""Strays: records of tills at a booth that does not exist, usually because of a typing error.

The organiser's command MoveStray lets them count at the right booth.
"""

from dataclasses import dataclass

from pymongo.errors import PyMongoError

from services.sales.domain.booth import BoothStatus
from services.sales.store import BOOTHS
from shared.causes import cause_of
from shared.errors import NotReached
from shared.mongo import Mongo
from shared.settings import Settings
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class StrayBooth:
    """A booth with records of tills that no festival has opened. `unmoved`: records that count nowhere."""

    booth: str
    tills: tuple[str, ...]
    records: int
    moved_to: str | None
    unmoved: int


async def list_strays(settings: Settings) -> list[StrayBooth]:
    """All stray booths, in the order of their ids. Raises NotReached."""
    mongo = Mongo(settings)
    try:
        query = {"status": BoothStatus.UNKNOWN.value, "devices": {"$ne": []}}
        documents = await mongo.database("sales")[BOOTHS.name].find(query).sort("_id", 1).to_list(None)
    except PyMongoError as fault:
        raise NotReached(Message("The sales database does not answer: {reason}.", reason=cause_of(fault))) from fault
    finally:
        await mongo.close()
    booths = [BOOTHS.from_document(document) for document in documents]
    return [
        StrayBooth(
            booth.id,
            tuple(sorted({device.till for device in booth.devices})),
            booth.records,
            booth.forwarding.to if booth.forwarding is not None else None,
            booth.unmoved,
        )
        for booth in booths
    ]
