"""Ids that were used before, perhaps in another lane.

A report's id, a command's and an event's are one service's, not one lane's; of two events with one id the first
counts, and no journal tells in which order two lanes worked. What was said then does: the second was refused.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from services.festival.store import COMMANDS
from services.production.store import REPORTS
from shared.derivation import derived_ids
from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused
from shared.events.language import Event, Publication, Topic, event_type
from shared.events.production import ANSWERS, Refusal, ReportRejected
from shared.mongo import Database
from shared.runtime.batch import Item
from shared.runtime.processor import Processor

REUSED = "ID_REUSED"
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class _Kind:
    """The refusal of one service, and the collection that holds who had the id before."""

    topic: Topic
    body: type[ReportRejected] | type[CommandRefused]
    reason: str
    holders: str


_KINDS = (
    _Kind(ANSWERS, ReportRejected, Refusal.ID_REUSED.value, REPORTS.name),
    _Kind(FESTIVAL, CommandRefused, CommandRefusal.ID_TAKEN.value, COMMANDS.name),
)


def refused_on(processors: Iterable[Processor]) -> set[str]:
    """Topics (without prefix) that hold these processors' refusals for an id."""
    kept = {collection.name for processor in processors for collection in processor.collections}
    return {kind.topic.name for kind in _KINDS if kind.holders in kept}


class Taken:
    """The refusals for an id that were said, and which of them a replay has followed."""

    def __init__(self) -> None:
        self._refusals: dict[str, tuple[_Kind, Publication]] = {}
        self._letters: set[str] = set()
        # To be there at the end: by collection and id, the word that rests on it, and (of a ledger) the other body.
        self._rests_on: dict[str, dict[str, str]] = defaultdict(dict)
        self._digests: dict[str, bytes] = {}

    def hear(self, name: str, id: str, type: str, value: bytes) -> None:
        """A word of the service on topic `name` (without prefix)."""
        for kind in _KINDS:
            # The words first: few refusals are of this kind, and reading a model takes far longer.
            if (
                kind.topic.name == name
                and kind.reason.encode() in value
                and type == event_type(kind.topic, kind.body)
            ):
                try:
                    body = kind.body.model_validate_json(value)
                except ValidationError:
                    return
                if body.reason.value == kind.reason:
                    self._refusals[id] = kind, Publication(kind.topic, body)

    def hear_letter(self, place: str, reason: str) -> None:
        """A dead letter of the service: `<full topic>/<partition>/<offset>` of the record, and why it is dead."""
        if reason == REUSED:
            self._letters.add(place)

    def refusal(self, event: Event) -> Publication | None:
        """What was said of this event because its id was taken, if it was."""
        if not self._refusals:
            return None
        cause = f"{event.source} {event.id}"
        for kind in _KINDS:
            for id in derived_ids(cause, kind.topic.name, 0):
                if id in self._refusals:
                    self._rests_on[kind.holders][event.id] = f"{kind.topic.name} {id}"
                    return self._refusals[id][1]
        return None

    def as_then(self, item: Item) -> Item:
        """The item, or the dead letter that it was because of its id."""
        record = item.record
        place = f"{record.topic}/{record.partition}/{record.offset}"
        if item.event is None or place not in self._letters:
            return item
        self._rests_on["ledger"][item.ledger_id] = f"that the id of {place} was used before"
        self._digests[item.ledger_id] = item.digest
        return Item(record, None, reason=REUSED, message="An event with this id but another body came before.")

    async def unexplained(self, database: Database) -> list[str]:
        """What was followed though nothing in the rebuilt database has the id."""
        words: list[str] = []
        for collection, rests_on in self._rests_on.items():
            holders: set[str] = set()
            ids = list(rests_on)
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                async for one in database[collection].find({"_id": {"$in": some}}):
                    if collection != "ledger" or bytes(one["digest"]) != self._digests[one["_id"]]:
                        holders.add(one["_id"])
                if collection == "ledger":
                    async for parked in database["parked"].find({"events": {"$in": some}}):
                        holders.update(parked["events"])
            words += [rests_on[id] for id in ids if id not in holders]
        return words
