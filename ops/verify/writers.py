"""Whether each record on a topic that one service owns was said by that service.

Kafka takes a record from anyone who reaches it. What a service says names the event that made it say so, which its
ledger holds, and has an id that follows from that event. A record without these is foreign. Somebody who knows the
ledger can make an id that fits: this finds mistakes and carelessness, not malice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from deploy.topics import SERVICES, writers
from ops.verify.report import Check
from shared import envelope
from shared.derivation import derived_ids
from shared.events.journal import BatchWorked
from shared.events.language import DeadlineReached
from shared.runtime.timer_service import reached_ids

Headers = Mapping[str, bytes | None]

# One event seldom makes a service say more than this. What is further down its list is looked for at the end, once
# for all of the event's records: one by one, each would search the whole list.
NEAR = 16
FAR = 100_000
_BY_THE_CLOCK = f"{DeadlineReached.__name__}."


@dataclass(frozen=True, slots=True)
class _Later:
    """A record whose id is none of the first that its cause brings about."""

    id: str
    place: str


class Writers:
    """Who wrote what. `learn` comes first, for all services; then records in any order; `close` draws the line."""

    def __init__(self) -> None:
        self.check = Check(
            "writers", "each record on a service's topic was said by it, because of an event in its ledger"
        )
        self._writers = writers()
        self._journals = {f"karya.{service}.journal.v1" for service in SERVICES}
        self._sources: dict[str, dict[str, tuple[str, ...]]] = {service: {} for service in SERVICES}
        self._clocks: dict[str, list[str]] = defaultdict(list)
        for processors in SERVICES.values():
            for processor in processors:
                if processor.deadlines is not None:
                    self._clocks[processor.deadlines.name].append(processor.group)
        self._later: dict[tuple[str, str, str], list[_Later]] = defaultdict(list)
        self._set_aside: list[tuple[str, str, str]] = []
        self._foreigners: set[str] = set()

    def learn(self, service: str, ledger: Iterable[str]) -> None:
        """Every event that the service has worked, as `<source> <id>`."""
        sources = self._sources[service]
        alone: dict[str, tuple[str, ...]] = {}
        for entry in ledger:
            source, id = entry.split(" ", 1)
            # One tuple for all events of a source: there are as many of these as of events in the ledger.
            sources[id] = (*sources[id], source) if id in sources else alone.setdefault(source, (source,))

    def enter(self, topic: str, record: ConsumerRecord, headers: Headers) -> bool:
        """A record of `topic` (without prefix): whether it is known to be its owner's. That of a topic without an
        owner is; one that is told only by `close` is not yet."""
        service = self._writers.get(topic)
        if service is None:
            return True
        self.check.looked_at += 1
        place = _place(topic, record)
        id, cause, type = (_text(headers, name) for name in ("ce_id", "causationid", "ce_type"))
        if headers.get("ce_source") != f"karya/{service}".encode():
            return self._foreign(place, service, "its ce_source is another")
        if topic in self._journals or type.startswith(_BY_THE_CLOCK):
            ids_of = self._journal_ids if topic in self._journals else self._clock_ids
            by_itself = ids_of(topic, record)
            return id in by_itself or self._foreign(place, service, "its id does not follow from its body")
        sources = self._sources[service].get(cause)
        if sources is None:
            return self._foreign(place, service, "no event in the ledger caused it")
        if any(id in derived_ids(f"{source} {cause}", topic, n) for source in sources for n in range(NEAR)):
            return True
        self._later[service, topic, cause].append(_Later(id, place))
        return False

    def set_aside(self, topic: str, letter: ConsumerRecord, reason: str, *, readable: bool) -> None:
        """A dead letter of `topic`. What a service says can be read, and has an id of its own."""
        service = self._writers.get(topic)
        if service is not None and (not readable or reason == "ID_REUSED"):
            partition, offset = (envelope.header(letter.headers, f"dlq_{part}") for part in ("partition", "offset"))
            place, why = f"{topic} {partition}/{offset}", f"its reader set it aside as {reason}"
            # The record itself says more, and may come after its letter.
            self._set_aside.append((place, service, why))

    def twice(self, topic: str, record: ConsumerRecord) -> None:
        """A record of `topic` has the id of an earlier one there, but another body."""
        if topic in self._writers:
            self._foreign(_place(topic, record), self._writers[topic], "it has the id of another, not its body")

    def close(self) -> None:
        """All was entered: the ids that are left follow from their causes, or their records are foreign."""
        for (service, topic, cause), records in self._later.items():
            wanted = {record.id for record in records}
            for source in self._sources[service][cause]:
                for n in range(NEAR, FAR):
                    if not wanted:
                        break
                    wanted.difference_update(derived_ids(f"{source} {cause}", topic, n))
            for record in records:
                if record.id in wanted:
                    self._foreign(record.place, service, "its id does not follow from its cause")
        for place, service, why in self._set_aside:
            self._foreign(place, service, why)

    def _journal_ids(self, topic: str, record: ConsumerRecord) -> Sequence[str]:
        try:
            body = BatchWorked.model_validate_json(record.value or b"")
        except ValidationError:
            return []
        return derived_ids(body.lane, topic, body.batch)

    def _clock_ids(self, topic: str, record: ConsumerRecord) -> Sequence[str]:
        try:
            body = DeadlineReached.model_validate_json(record.value or b"")
        except ValidationError:
            return []
        return [id for group in self._clocks[topic] for id in reached_ids(f"{group} {body.deadline}", body.due)]

    def _foreign(self, place: str, service: str, why: str) -> bool:
        if place not in self._foreigners:
            self._foreigners.add(place)
            # Nothing of what it says itself: it may hold anything, also a person's pseudonym.
            self.check.wrong(f"{place} was not said by {service}: {why}")
        return False


def _place(topic: str, record: ConsumerRecord) -> str:
    return f"{topic} {record.partition}/{record.offset}"


def _text(headers: Headers, name: str) -> str:
    return (headers.get(name) or b"").decode(errors="replace")
