"""Audits of ledgers, dead letters and journals: every input record was worked once, or is a dead letter."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce

from aiokafka import ConsumerRecord

from ops.verify.report import Check
from shared import envelope
from shared.errors import Unusable
from shared.events.journal import BatchWorked
from shared.events.language import Topic
from shared.runtime.dlq import BUG, ID_REUSED, KEY_PARKED
from shared.runtime.storage import Lane, lane_id
from shared.wording import Message

_Position = tuple[str, int, int]

# A dead letter with one of these reasons may be readable: the fault was in the rules, in its position or timestamp,
# or in the reader's version.
_MAY_BE_READABLE = frozenset({BUG, KEY_PARKED, ID_REUSED, "WRONG_KEY", "BAD_TIME", "UNKNOWN_TYPE", "UNKNOWN_VERSION"})


class LedgerAudit:
    """Compares one service's ledger, parked keys and dead letters with the records of its input topics.

    Records and letters are entered in any order, then `close` makes the comparison.
    """

    def __init__(
        self, check: Check, service: str, ledger: Mapping[str, tuple[bytes, str]], parked: Mapping[str, Sequence[str]]
    ) -> None:
        """`ledger`: digest and lane by `<source> <event id>`; `parked`: the ids of parked events by `<group>
        <key>`."""
        self._check = check
        self._service = service
        self._ledger = ledger
        self._unseen = set(ledger)
        self._waiting = {(key.split(" ", 1)[0], event) for key, events in parked.items() for event in events}
        self._set_aside: set[_Position] = set()
        self._open: dict[_Position, str] = {}

    def digest(self, id: str) -> bytes | None:
        """The digest of the body that was worked as the event `id`."""
        entry = self._ledger.get(id)
        return entry[0] if entry is not None else None

    def enter(self, group: str, id: str, record: ConsumerRecord) -> bool:
        """Enter one record of the event `id`; True for the first record of a worked event."""
        self._check.looked_at += 1
        entry = self._ledger.get(id)
        lane = lane_id(group, record.partition)
        if entry is None or record.value is None or entry != (envelope.digest(record.value), lane):
            if (group, id) not in self._waiting:
                self._open[record.topic, record.partition, record.offset] = id
            return False
        if id in self._unseen:
            self._unseen.remove(id)
            return True
        return False

    def set_aside(self, topic: Topic, letter: ConsumerRecord) -> str:
        """Enter a dead letter of `topic`, and return its reason."""
        place, reason = _origin(letter)
        self._set_aside.add(place)
        if reason not in _MAY_BE_READABLE and readable(topic, letter):
            self._check.fail(
                "{place} was set aside as {reason}, though it can be read", place=_at(place), reason=reason
            )
        return reason

    def close(self) -> None:
        """Check that each record was worked or set aside, and that each entry of the ledger has a record."""
        for place in sorted(self._open.keys() - self._set_aside):
            id = self._open[place]
            self._check.fail(
                "{place} ({id}) is neither in the ledger of {service} nor in the dead letters",
                place=_at(place),
                id=id,
                service=self._service,
            )
        for id in sorted(self._unseen):
            self._check.fail(
                "the ledger of {service} has {id}, but no record of its topics does", service=self._service, id=id
            )


def first_headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    """Headers by name. The first of several headers with one name counts, as in decoding."""
    return dict(reversed(headers))


def event_id(headers: Mapping[str, bytes | None]) -> str:
    """The event's id in ledgers, `<source> <id>`; a missing header gives an empty part."""
    source, id = headers.get("ce_source") or b"", headers.get("ce_id") or b""
    return f"{source.decode(errors='replace')} {id.decode(errors='replace')}"


class OffsetRuns:
    """The offsets of one partition's records, as runs without gaps. Added in ascending order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._nexts: list[int] = []

    def add(self, offsets: Sequence[int]) -> None:
        """Add the next offsets, at least one."""
        if offsets[-1] - offsets[0] + 1 == len(offsets):
            self._append(offsets[0], offsets[-1] + 1)
            return
        for offset in offsets:
            self._append(offset, offset + 1)

    def any(self, first: int, next: int) -> bool:
        """Whether an offset lies in the range from `first` up to (not including) `next`."""
        run = bisect_right(self._nexts, first)
        return run < len(self._firsts) and max(first, self._firsts[run]) < next

    def _append(self, first: int, next: int) -> None:
        if self._nexts and self._nexts[-1] == first:
            self._nexts[-1] = next
        else:
            self._firsts.append(first)
            self._nexts.append(next)


class JournalAudit:
    """Checks that each lane's journal holds all batches of the lane, without gaps, up to the lane's offsets."""

    def __init__(self) -> None:
        self.check = Check("journals", "a lane's journal holds every batch and every offset with a record once")
        self._readable: dict[tuple[str, int], OffsetRuns] = defaultdict(OffsetRuns)
        self._batches: dict[str, dict[int, list[tuple[str, int, int]]]] = defaultdict(dict)

    def add_batch(self, body: BatchWorked) -> None:
        self._batches[body.lane][body.batch] = [
            (offset_range.topic, offset_range.first, offset_range.next) for offset_range in body.ranges
        ]

    def add_records(self, records: Sequence[ConsumerRecord]) -> None:
        """Add records of one partition of any topic, in ascending order."""
        if records:
            place = (records[0].topic, records[0].partition)
            self._readable[place].add([record.offset for record in records])

    def compare(self, lane: Lane) -> None:
        """Compare the lane with its journal, after all records were added."""
        batches = self._batches.get(lane.id, {})
        mismatched = sorted(batches.keys() ^ set(range(1, lane.batches + 1)))
        self.check.expect(
            not mismatched,
            "lane {lane} has worked {batches} batches; missing in its journal, or extra: {mismatched}",
            lane=lane.id,
            batches=lane.batches,
            mismatched=mismatched[:5],
        )
        nexts: dict[str, int] = {}
        for batch in sorted(batches):
            for topic, first, next in batches[batch]:
                before = nexts.get(topic, 0)
                if first < before or self._readable[topic, lane.partition].any(before, first):
                    self.check.fail(
                        "batch {batch} of lane {lane} begins at {topic} {offset}, not at {before}",
                        batch=batch,
                        lane=lane.id,
                        topic=topic,
                        offset=first,
                        before=before,
                    )
                nexts[topic] = next
        self.check.expect_equal(
            nexts,
            dict(lane.offsets),
            "offsets of lane {lane}: {first} by the journal, by the lane's document {second}",
            lane=lane.id,
        )


def dead_letters(
    counts: Mapping[tuple[str, str, str], int], repaired: Mapping[tuple[str, str, str, str], int]
) -> Check:
    """Notes on the records that each service could not use. `counts` by service, topic and reason; `repaired` also by
    what an operator did."""
    check = Check(
        "dead letters", "for information: records that a service could not use", looked_at=sum(counts.values())
    )
    reasons: Counter[tuple[str, str]] = Counter()
    details: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for (service, topic, reason, repair), count in sorted(repaired.items()):
        details[f"{service} {topic}", reason].append(Message("{count} {repair:word}", count=count, repair=repair))
    for (service, topic, reason), count in counts.items():
        reasons[f"{service} {topic}", reason] += count
    for (place, reason), count in sorted(reasons.items()):
        if repairs := details.get((place, reason)):
            listed = reduce(lambda former, next: Message("{former}, {next}", former=former, next=next), repairs)
            check.note(
                "{place}: {count} × {reason} ({repairs})", place=place, count=count, reason=reason, repairs=listed
            )
        else:
            check.note("{place}: {count} × {reason}", place=place, count=count, reason=reason)
    return check


def parked_keys(parked: Mapping[str, Mapping[str, Sequence[str]]], *, allowed: bool) -> Check:
    """The parked keys by service, which wait for `karya dlq replay`: violations unless `allowed`."""
    check = Check("parked keys", "no key waits for a fixed rule and a replay")
    for service, keys in parked.items():
        for parked_key, events in sorted(keys.items()):
            waits = Message(
                "{service}: {key} is parked with {count:event|events}; replay it with `karya dlq replay`",
                service=service,
                key=parked_key,
                count=len(events),
            )
            if allowed:
                check.remarks.append(waits)
            else:
                check.fail_with(waits)
            check.looked_at += 1
    return check


def _origin(letter: ConsumerRecord) -> tuple[_Position, str]:
    marks = {
        name: envelope.header(letter.headers, f"dlq_{name}") or ""
        for name in ("topic", "partition", "offset", "reason")
    }
    partition, offset = (int(marks[name]) if marks[name].isdecimal() else -1 for name in ("partition", "offset"))
    return (marks["topic"], partition, offset), marks["reason"]


def _at(place: _Position) -> str:
    topic, partition, offset = place
    return f"{topic} {partition}/{offset}"


def readable(topic: Topic, record: ConsumerRecord) -> bool:
    """Whether a reader of `topic` can decode the record."""
    try:
        envelope.decode(topic, record)
    except Unusable:
        return False
    return True
