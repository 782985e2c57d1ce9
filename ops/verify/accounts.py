"""Whether every record that came in was worked once, or lies in the dead letters: by ledger, DLQ and journal."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from aiokafka import ConsumerRecord

from ops.verify.report import Check
from shared import envelope
from shared.errors import Unusable
from shared.events.journal import BatchWorked
from shared.events.language import Topic
from shared.runtime.dlq import BUG, KEY_PARKED
from shared.runtime.storage import Lane, lane_id

Place = tuple[str, int, int]

# What was set aside for one of these may well be read by itself: the fault was in the rules, in the place or time
# that Kafka gave it, or in what its reader knew then.
_MAY_BE_READABLE = frozenset(
    {BUG, KEY_PARKED, "ID_REUSED", "WRONG_KEY", "BAD_TIME", "UNKNOWN_TYPE", "UNKNOWN_VERSION"}
)


class Books:
    """One service's ledger, parked keys and dead letters against the records of the topics that it reads.

    Records and letters come in any order; `close` draws the line.
    """

    def __init__(
        self, check: Check, service: str, ledger: Mapping[str, tuple[bytes, str]], parked: Mapping[str, Sequence[str]]
    ) -> None:
        """`ledger`: digest and lane by `<source> <event id>`; `parked`: the events that wait, by `<group> <key>`."""
        self._check = check
        self._service = service
        self._ledger = ledger
        self._unseen = set(ledger)
        self._waiting = {(key.split(" ", 1)[0], event) for key, events in parked.items() for event in events}
        self._set_aside: set[Place] = set()
        self._open: dict[Place, str] = {}

    def enter(self, group: str, id: str, record: ConsumerRecord) -> bool:
        """Account for one record of the event `id`; whether it is the first of one that was worked."""
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
        """Account for a dead letter of `topic`; its reason."""
        place, reason = _origin(letter)
        self._set_aside.add(place)
        if reason not in _MAY_BE_READABLE and readable(topic, letter):
            self._check.wrong(f"{_at(place)} was set aside as {reason}, though it can be read")
        return reason

    def close(self) -> None:
        """All was entered: each record was worked or set aside, and each entry of the ledger has a record."""
        for place in sorted(self._open.keys() - self._set_aside):
            id = self._open[place]
            self._check.wrong(
                f"{_at(place)} ({id}) is neither in the ledger of {self._service} nor in the dead letters"
            )
        for id in sorted(self._unseen):
            self._check.wrong(f"the ledger of {self._service} has {id}, but no record of its topics does")


def first_of_each(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    """Headers by name; of several with one name the first counts, as in decoding."""
    return dict(reversed(headers))


def event_id(headers: Mapping[str, bytes | None]) -> str:
    """`<source> <id>`, as ledgers have it; with empty parts for a record without."""
    source, id = headers.get("ce_source") or b"", headers.get("ce_id") or b""
    return f"{source.decode(errors='replace')} {id.decode(errors='replace')}"


class Readable:
    """The offsets of one partition that a record is given for, as runs without a hole. Heard in their order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._nexts: list[int] = []

    def hear(self, offsets: Sequence[int]) -> None:
        """The next ones, at least one."""
        if offsets[-1] - offsets[0] + 1 == len(offsets):
            self._run(offsets[0], offsets[-1] + 1)
            return
        for offset in offsets:
            self._run(offset, offset + 1)

    def any(self, first: int, next: int) -> bool:
        """Whether one lies at `first` or behind it, before `next`."""
        run = bisect_right(self._nexts, first)
        return run < len(self._firsts) and max(first, self._firsts[run]) < next

    def _run(self, first: int, next: int) -> None:
        if self._nexts and self._nexts[-1] == first:
            self._nexts[-1] = next
        else:
            self._firsts.append(first)
            self._nexts.append(next)


class Journals:
    """Whether each lane's journal tells all its batches, one after the other, up to where the lane stands."""

    def __init__(self) -> None:
        self.check = Check("journals", "a lane's journal tells every batch and every offset with a record once")
        self._readable: dict[tuple[str, int], Readable] = defaultdict(Readable)
        self._batches: dict[str, dict[int, list[tuple[str, int, int]]]] = defaultdict(dict)

    def hear(self, body: BatchWorked) -> None:
        self._batches[body.lane][body.batch] = [(one.topic, one.first, one.next) for one in body.ranges]

    def see(self, records: Sequence[ConsumerRecord]) -> None:
        """Records of one partition of any topic, in their order."""
        if records:
            place = (records[0].topic, records[0].partition)
            self._readable[place].hear([record.offset for record in records])

    def compare(self, lane: Lane) -> None:
        """The lane against its journal, once all records were seen."""
        told = self._batches.get(lane.id, {})
        astray = sorted(told.keys() ^ set(range(1, lane.batches + 1)))
        self.check.expect(
            not astray,
            f"lane {lane.id} has worked {lane.batches} batches; missing in its journal or beyond it: {astray[:5]}",
        )
        nexts: dict[str, int] = {}
        for batch in sorted(told):
            for topic, first, next in told[batch]:
                before = nexts.get(topic, 0)
                if first < before or self._readable[topic, lane.partition].any(before, first):
                    self.check.wrong(f"batch {batch} of lane {lane.id} begins at {topic} {first}, not at {before}")
                nexts[topic] = next
        self.check.same(
            f"offsets of lane {lane.id}", nexts, dict(lane.offsets), "by the journal, by the lane's document"
        )


def dead_letters(counts: Mapping[tuple[str, str, str], int]) -> Check:
    """For people to know: how many records each service could not use. `counts` by service, topic and reason."""
    check = Check("dead letters", "for information: what could not be used", looked_at=sum(counts.values()))
    reasons: Counter[tuple[str, str]] = Counter()
    for (service, topic, reason), count in counts.items():
        reasons[f"{service} {topic}", reason] += count
    check.notes = [f"{where}: {count} × {reason}" for (where, reason), count in sorted(reasons.items())]
    return check


def parked_keys(parked: Mapping[str, Mapping[str, Sequence[str]]], allowed: bool) -> Check:
    """Keys that wait for `karya dlq replay`, by service: broken unless they are allowed."""
    check = Check("parked keys", "no key waits for a mended rule and a replay")
    for service, keys in parked.items():
        for key, events in sorted(keys.items()):
            sentence = f"{service}: {key} is parked with {len(events)} events; `karya dlq replay` it"
            if allowed:
                check.notes.append(sentence)
            else:
                check.wrong(sentence)
            check.looked_at += 1
    return check


def _origin(letter: ConsumerRecord) -> tuple[Place, str]:
    said = {
        name: envelope.header(letter.headers, f"dlq_{name}") or ""
        for name in ("topic", "partition", "offset", "reason")
    }
    partition, offset = (int(said[name]) if said[name].isdecimal() else -1 for name in ("partition", "offset"))
    return (said["topic"], partition, offset), said["reason"]


def _at(place: Place) -> str:
    topic, partition, offset = place
    return f"{topic} {partition}/{offset}"


def readable(topic: Topic, record: ConsumerRecord) -> bool:
    """Whether a reader of `topic` could make an event of the record."""
    try:
        envelope.decode(topic, record)
    except Unusable:
        return False
    return True
