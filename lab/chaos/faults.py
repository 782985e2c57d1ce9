"""The plan of faults: drawn from a seed, so that the same seed gives the same plan."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# Seconds. Longer than a group waits for a silent instance, so that a frozen one wakes up replaced.
LONGEST = 9.0


class FaultKind(StrEnum):
    """Kinds of faults; the value is shown to people."""

    KILL = "service killed"
    KILL_GROUP = "whole service group killed"
    FREEZE = "service frozen, then thawed"
    FREEZE_GROUP = "whole service group frozen, then thawed"
    JOIN = "instance joined"
    LEAVE = "instance left"
    KILL_KAFKA = "Kafka killed"
    FREEZE_KAFKA = "Kafka frozen, then thawed"
    KILL_MONGO = "MongoDB killed"
    FREEZE_MONGO = "MongoDB frozen, then thawed"
    CUT = "connections reset"
    STALL = "connections stalled"
    SLOW = "connections slowed"
    HALF_OPEN = "connections half open"
    SKEW = "a terminal's clock wrong"
    DISK_FULL = "a terminal's disk full"
    SPOOL_FULL = "a till's spool full"


# Relative frequencies.
WEIGHTS = {
    FaultKind.KILL: 5,
    FaultKind.KILL_GROUP: 2,
    FaultKind.FREEZE: 4,
    FaultKind.FREEZE_GROUP: 2,
    FaultKind.JOIN: 3,
    FaultKind.LEAVE: 3,
    FaultKind.KILL_KAFKA: 2,
    FaultKind.FREEZE_KAFKA: 1,
    FaultKind.KILL_MONGO: 2,
    FaultKind.FREEZE_MONGO: 1,
    FaultKind.CUT: 4,
    FaultKind.STALL: 3,
    FaultKind.SLOW: 3,
    FaultKind.HALF_OPEN: 3,
    FaultKind.SKEW: 2,
    FaultKind.DISK_FULL: 2,
    FaultKind.SPOOL_FULL: 2,
}


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault that begins `after` seconds of the run and lasts `lasts` seconds. `pick`, from 0 to 1, chooses its
    target among those that exist then."""

    kind: FaultKind
    after: float
    lasts: float
    pick: float


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that happened: seconds of the run when it began and ended, and the `services` that it affected.

    `synced` belongs to a fault of a terminal or till: seconds from its end until Kafka had every record that the
    spool held then, None if that took too long.
    """

    kind: FaultKind
    target: str
    began: float
    ended: float
    services: tuple[str, ...]
    synced: float | None = None


def plan(seed: int, seconds: float, every: float) -> list[PlannedFault]:
    """Faults about `every` seconds: each kind once, then by the weights."""
    rng = random.Random(f"faults {seed}")
    unused = list(FaultKind)
    rng.shuffle(unused)
    faults: list[PlannedFault] = []
    after = every
    while after < seconds - every:
        kind = unused.pop() if unused else rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        faults.append(PlannedFault(kind, after, rng.uniform(1.0, LONGEST), rng.random()))
        after += rng.uniform(0.5, 1.5) * every
    return faults


def by_kind(faults: Sequence[InjectedFault]) -> Iterator[tuple[FaultKind, list[InjectedFault]]]:
    """The faults of each kind that happened."""
    for kind in FaultKind:
        faults_of_kind = [fault for fault in faults if fault.kind is kind]
        if faults_of_kind:
            yield kind, faults_of_kind
