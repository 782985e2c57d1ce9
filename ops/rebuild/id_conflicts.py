"""Conflicts of ids that were used before, perhaps in another lane.

The ids of reports, commands and events are unique per service, and not per lane. The first of two events with one id
counts. No journal gives the order between two lanes, but the published refusal shows which event was second.
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
from shared.runtime.dlq import ID_REUSED
from shared.runtime.processor import Processor

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class _Kind:
    """The refusal of one service, and the collection with the first holders of ids."""

    topic: Topic
    body: type[ReportRejected] | type[CommandRefused]
    reason: str
    holders: str


_KINDS = (
    _Kind(ANSWERS, ReportRejected, Refusal.ID_REUSED.value, REPORTS.name),
    _Kind(FESTIVAL, CommandRefused, CommandRefusal.ID_TAKEN.value, COMMANDS.name),
)


def refused_on(processors: Iterable[Processor]) -> set[str]:
    """The topics (without prefix) with these processors' refusals of used ids."""
    names = {collection.name for processor in processors for collection in processor.collections}
    return {kind.topic.name for kind in _KINDS if kind.holders in names}


class IdConflicts:
    """The published refusals of used ids, and those that a replay has repeated."""

    def __init__(self) -> None:
        # By topic and id: events of one cause may have the same id on every topic.
        self._refusals: dict[tuple[str, str], Publication] = {}
        self._letters: set[str] = set()
        # By collection and id, the event that depends on a holder of the id; of ledgers also the other digest.
        self._dependents: dict[str, dict[str, str]] = defaultdict(dict)
        self._digests: dict[str, bytes] = {}

    def add_event(self, name: str, id: str, type: str, value: bytes) -> None:
        """Add an event of the service on topic `name` (without prefix)."""
        for kind in _KINDS:
            # A cheap search first: few refusals are of this kind, and parsing a model takes far longer.
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
                    self._refusals[name, id] = Publication(kind.topic, body)

    def add_letter(self, place: str, reason: str) -> None:
        """Add a dead letter of the service: `<full topic>/<partition>/<offset>` of the record, and its reason."""
        if reason == ID_REUSED:
            self._letters.add(place)

    def refusal(self, event: Event) -> Publication | None:
        """The published refusal of this event because of its used id, if any."""
        if not self._refusals:
            return None
        cause = f"{event.source} {event.id}"
        for kind in _KINDS:
            for id in derived_ids(cause, kind.topic.name, 0):
                if (refusal := self._refusals.get((kind.topic.name, id))) is not None:
                    self._dependents[kind.holders][event.known_as] = f"{kind.topic.name} {id}"
                    return refusal
        return None

    def as_recorded(self, item: Item) -> Item:
        """The item, or a dead letter in its place if it was one because of its used id."""
        record = item.record
        place = f"{record.topic}/{record.partition}/{record.offset}"
        if item.event is None or place not in self._letters:
            return item
        self._dependents["ledger"][item.ledger_id] = f"that the id of {place} was used before"
        self._digests[item.ledger_id] = item.digest
        return Item(record, None, reason=ID_REUSED, message="An event with this id but another body came before.")

    async def unexplained(self, database: Database) -> list[str]:
        """The repeated refusals whose id has no holder in the rebuilt database."""
        publications: list[str] = []
        for collection, dependents in self._dependents.items():
            holders: set[str] = set()
            ids = list(dependents)
            for start in range(0, len(ids), AT_ONCE):
                chunk = ids[start : start + AT_ONCE]
                async for document in database[collection].find({"_id": {"$in": chunk}}):
                    if collection != "ledger" or bytes(document["digest"]) != self._digests[document["_id"]]:
                        holders.add(document["_id"])
                if collection == "ledger":
                    async for parked in database["parked"].find({"events": {"$in": chunk}}):
                        holders.update(parked["events"])
            publications += [dependents[id] for id in ids if id not in holders]
        return publications
