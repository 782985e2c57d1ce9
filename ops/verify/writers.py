"""Audit of writers: each record on a topic that one service owns was written by that service.

Kafka accepts a record from any client. A record of a service names its cause, an event in the service's ledger, and
its id is derived from that cause. A record without these is foreign. A client that knows the ledger can forge an id,
so the audit finds mistakes, not malice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from deploy.topics import SERVICES, writers
from ops.verify.report import Check
from shared import envelope
from shared.derivation import derived_ids, named_id
from shared.events.journal import BatchWorked
from shared.events.language import DeadlineReached
from shared.runtime.dlq import ID_REUSED
from shared.runtime.timer_service import reached_id
from shared.wording import Message

Headers = Mapping[str, bytes | None]

# One event seldom causes more records than this. Ids further down its list are searched at the end, once for all
# records of the event: a search per record would be quadratic.
NEAR = 16
FAR = 100_000
_BY_THE_CLOCK = f"{DeadlineReached.__name__}."


@dataclass(frozen=True, slots=True)
class _Later:
    """A record whose id is not among the first ids that derive from its cause."""

    id: str
    place: str


class WriterAudit:
    """Collects records and their causes. `learn` comes first, for all services; then records in any order; then
    `close`."""

    def __init__(self) -> None:
        self.check = Check(
            "writers", "each record on a service's topic was written by it, because of an event in its ledger"
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
        self._set_aside: list[tuple[str, str, Message]] = []
        self._foreigners: set[str] = set()

    def learn(self, service: str, ledger: Iterable[str]) -> None:
        """Add every event that the service has worked, as `<source> <id>`."""
        sources = self._sources[service]
        alone: dict[str, tuple[str, ...]] = {}
        for entry in ledger:
            source, id = entry.split(" ", 1)
            # One tuple for all events of a source: there are as many of these as of events in the ledger.
            sources[id] = (*sources[id], source) if id in sources else alone.setdefault(source, (source,))

    def enter(self, topic: str, record: ConsumerRecord, headers: Headers) -> bool:
        """Enter a record of `topic` (without prefix); True if it is known to be its owner's. A record of a topic
        without an owner counts as known. A record that only `close` can decide does not."""
        service = self._writers.get(topic)
        if service is None:
            return True
        self.check.looked_at += 1
        place = _place(topic, record)
        id, cause, type = (_text(headers, name) for name in ("ce_id", "causationid", "ce_type"))
        if headers.get("ce_source") != f"karya/{service}".encode():
            return self._foreign(place, service, Message("its ce_source is another"))
        if topic in self._journals or type.startswith(_BY_THE_CLOCK):
            ids_of = self._journal_ids if topic in self._journals else self._clock_ids
            expected = ids_of(topic, record)
            return id in expected or self._foreign(place, service, Message("its id does not follow from its body"))
        sources = self._sources[service].get(cause)
        if sources is None:
            return self._foreign(place, service, Message("no event in the ledger caused it"))
        if any(id in derived_ids(f"{source} {cause}", topic, n) for source in sources for n in range(NEAR)):
            return True
        self._later[service, topic, cause].append(_Later(id, place))
        return False

    def set_aside(self, topic: str, letter: ConsumerRecord, reason: str, *, readable: bool) -> None:
        """Enter a dead letter of `topic`. A record of a service is readable and has a unique id, so others are
        foreign."""
        service = self._writers.get(topic)
        if service is not None and (not readable or reason == ID_REUSED):
            partition, offset = (envelope.header(letter.headers, f"dlq_{part}") for part in ("partition", "offset"))
            place, why = (
                f"{topic} {partition}/{offset}",
                Message("its reader set it aside as {reason}", reason=reason),
            )
            # The record itself gives a better reason, and may come after its letter.
            self._set_aside.append((place, service, why))

    def twice(self, topic: str, record: ConsumerRecord) -> None:
        """Enter a record of `topic` that reuses the id of an earlier record with another body."""
        if topic in self._writers:
            self._foreign(
                _place(topic, record), self._writers[topic], Message("it has the id of another, not its body")
            )

    def close(self) -> None:
        """Search the remaining ids among those that derive from their causes; records of other ids are foreign."""
        for (service, topic, cause), records in self._later.items():
            unexplained = {record.id for record in records}
            for source in self._sources[service][cause]:
                for n in range(NEAR, FAR):
                    if not unexplained:
                        break
                    unexplained.difference_update(derived_ids(f"{source} {cause}", topic, n))
            for record in records:
                if record.id in unexplained:
                    self._foreign(record.place, service, Message("its id does not follow from its cause"))
        for place, service, why in self._set_aside:
            self._foreign(place, service, why)

    def _journal_ids(self, topic: str, record: ConsumerRecord) -> Sequence[str]:
        try:
            body = BatchWorked.model_validate_json(record.value or b"")
        except ValidationError:
            return []
        return [named_id(body.lane, topic, body.batch)]

    def _clock_ids(self, topic: str, record: ConsumerRecord) -> Sequence[str]:
        try:
            body = DeadlineReached.model_validate_json(record.value or b"")
        except ValidationError:
            return []
        return [reached_id(f"{group} {body.deadline}", body.due) for group in self._clocks[topic]]

    def _foreign(self, place: str, service: str, why: Message) -> bool:
        if place not in self._foreigners:
            self._foreigners.add(place)
            # The sentence repeats nothing of the record, which may hold a pseudonym.
            self.check.fail("{place} was not written by {service}: {why}", place=place, service=service, why=why)
        return False


def _place(topic: str, record: ConsumerRecord) -> str:
    return f"{topic} {record.partition}/{record.offset}"


def _text(headers: Headers, name: str) -> str:
    return (headers.get(name) or b"").decode(errors="replace")
