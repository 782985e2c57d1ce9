"""What may happen to any service at any time: the part of every state machine that Kafka and crashes play."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.runtime.dlq import original_headers
from tests.support.shell import PARTITIONS, Kafka, Line, ServiceShell

T = TypeVar("T")

# Which of those that are there: taken modulo how many they are, so that it never fits badly.
which = st.integers(0, 11)
few = st.integers(1, 6)
# Whose turn it is, in which lanes; a relay or a batch; of how many topics from which, how many records; and whether a
# relay dies before it has deleted what it said.
Turn: TypeAlias = tuple[int, tuple[int, ...], bool, int, int, int, bool]
turns: st.SearchStrategy[Turn] = st.tuples(
    which, st.sampled_from([(0,), (1,), (0, 1), (1, 0)]), st.booleans(), few, which, few, st.booleans()
)
BAD: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
    (b"{", []),
    (None, []),
    (b"{}", [("ce_id", None)]),
    (b"\xff", [("x", b"\xff")]),
]


class Machine(RuleBasedStateMachine):
    """Services on one Kafka. A subclass says in `setup` which, adds rules for those who write from outside, and
    checks in `check` what holds after every commit and in `check_at_rest` what holds when all is worked."""

    def __init__(self) -> None:
        super().__init__()
        self.kafka = Kafka()
        self.services: list[ServiceShell] = []
        self.had_bugs = False
        self._checked = 0
        self.setup()

    def setup(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """What people still do at the end, so that everything comes to its end."""

    def check(self) -> None:
        """After every commit."""

    def check_at_rest(self) -> None:
        """When everything is worked and said."""

    @rule(turns=st.lists(turns, min_size=1, max_size=8))
    def work_goes_on(self, turns: list[Turn]) -> None:
        """Batches and relays, of whoever has something to do, in any order."""
        for n, lanes, relays, topics, first, most, dies in turns:
            if relays:
                self._a_relay(n, most, dies=dies)
            else:
                self._a_batch(n, lanes, topics, first, most)

    def _a_batch(self, n: int, lanes: tuple[int, ...], topics: int, first: int, most: int) -> None:
        behind = [
            (service, line)
            for service, line in self._lines()
            if any(service.behind(line, partition) for partition in lanes)
        ]
        if behind:
            service, line = behind[n % len(behind)]
            service.poll(line, lanes, topics, first, most)

    def _a_relay(self, n: int, most: int, *, dies: bool) -> None:
        lanes = [(service, lane) for service in self.services for lane in service.speaking]
        if lanes:
            service, lane = lanes[n % len(lanes)]
            service.relay(lane, most, dies=dies)

    @rule(n=which)
    def a_while(self, n: int) -> None:
        """Long enough for everything but a clock and a mended bug."""
        for service in self.services[n % len(self.services) :]:
            for line in service.lines:
                service.drain(line)

    @rule(n=which)
    def a_deadline(self, n: int) -> None:
        due = [(service, due) for service in self.services for due in service.deadlines.values()]
        if due:
            service, deadline = min(due, key=lambda pair: (pair[1].due, pair[1].id)) if n % 2 else due[n % len(due)]
            self.kafka.now = max(self.kafka.now, deadline.due)
            service.ring(deadline)

    @rule(fault=st.sampled_from(["again", "again", "reused", "bad", "hole", "bug"]), n=which, back=st.integers(0, 60))
    def a_fault(self, fault: str, n: int, back: int) -> None:
        """A record comes again; an id comes with another body; nobody can read a record; an offset has no record; the
        rules have a bug."""
        if fault == "bug":
            self._a_bug(n)
        elif fault == "hole":
            topics = self._topics()
            self.kafka.leave_a_hole(topics[n % len(topics)], back % PARTITIONS)
        elif fault == "bad":
            topics = self._topics()
            value, headers = BAD[back % len(BAD)]
            self.kafka.append(topics[n % len(topics)], b"a key", value, headers, n % PARTITIONS)
        elif topics := [name for name, logs in sorted(self.kafka.logs.items()) if any(logs) and self._is_read(name)]:
            records = self.kafka.records(topics[n % len(topics)])
            record = records[-1 - back % len(records)]
            value = record.value if fault == "again" or not record.value else record.value + b" "
            self.kafka.append(record.topic, record.key, value, record.headers, record.partition)

    def _a_bug(self, n: int) -> None:
        """The rules will fail on the next record of a lane."""
        coming = [
            (line, record)
            for service, line in self._lines()
            for partition in range(PARTITIONS)
            for topic in line.processor.topics
            for record in service.unread(line, partition)[topic.name][:1]
        ]
        if coming:
            line, record = coming[n % len(coming)]
            headers = dict(original_headers(record.headers))
            self.had_bugs = True
            line.broken.add((headers.get("ce_id") or b"").decode())

    @invariant()
    def holds(self) -> None:
        commits = sum(service.commits for service in self.services)
        if commits != self._checked:
            self._checked = commits
            self.check()

    def teardown(self) -> None:
        self.settle()
        self.finish()
        self.settle()
        self.check()
        for service in self.services:
            service.check_count()
            service.check_nothing_waits()
        self.check_at_rest()

    def settle(self) -> None:
        """Mend and work and say everything, until nothing moves any more."""
        while True:
            for service in self.services:
                service.mend()
            if all(service.quiet and not service.parked for service in self.services):
                return

    def ring_all(self) -> None:
        """Let all deadlines pass, the earliest first."""
        while due := [(deadline, service) for service in self.services for deadline in service.deadlines.values()]:
            deadline, service = min(due, key=lambda pair: (pair[0].due, pair[0].id))
            self.kafka.now = max(self.kafka.now, deadline.due)
            service.ring(deadline)
            self.settle()

    def _topics(self) -> list[str]:
        return sorted({topic.name for _, line in self._lines() for topic in line.processor.topics})

    def _is_read(self, topic: str) -> bool:
        return any(topic == subscribed.name for _, line in self._lines() for subscribed in line.processor.topics)

    def _lines(self) -> list[tuple[ServiceShell, Line]]:
        return [(service, line) for service in self.services for line in service.lines]


def one_of(choices: Sequence[T], n: int) -> T | None:
    """The n-th, counted round and round; None of none."""
    return choices[n % len(choices)] if choices else None


def until(done: Callable[[], bool], act: Callable[[], None], most: int = 50) -> None:
    """Act until done. Raises AssertionError when it does not end."""
    for _ in range(most):
        if done():
            return
        act()
    raise AssertionError("it does not come to an end")
