"""Catch-up: events wait in Kafka, and inventory works them off, beside the floor and the ways of others.

All work the same records on the same servers one after the other, each with a database and a group of its own that
begin alike. The slow ones get fewer records of the same kind, since their pace does not depend on how many there are.

Karya comes first and last, and the floor after it and before it: the servers fill meanwhile, and whoever has them
empty must not gain by it. Their figures are the means of both times. Karya with other sizes of batch is told only in
terms of Karya.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from aiokafka import TopicPartition

from lab.bench import backlog
from lab.bench.children import ROOT, run
from lab.bench.meter import Ran
from lab.bench.peers import usual
from lab.bench.place import Place
from lab.bench.report import Figure, Said, Tell, servers
from lab.bench.runners import floor
from lab.bench.runners.job import Job
from shared.mongo import Mongo
from shared.settings import Settings

EVENTS = 200_000
# The most that one message at a time gets: enough for a steady pace.
FEW = 2_000
# Beside the usual `max_batch`.
BATCHES = (500, 8000)


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    module: str
    group: str
    variant: str = ""
    slow: bool = False
    python: str = sys.executable
    # None: as set.
    max_batch: int | None = None

    @property
    def installed(self) -> bool:
        return Path(self.python).exists()


OURS = Contestant("Karya", "lab.bench.runners.karya", "inventory")
FLOOR = Contestant("floor", "lab.bench.runners.floor", "floor")
READING = Contestant("floor with reads", "lab.bench.runners.floor", "reading", floor.READS)
BARE = Contestant("floor, bare ledger", "lab.bench.runners.floor", "bare", floor.BARE)
PAGED = Contestant("floor, paged ledger", "lab.bench.runners.floor", "paged", floor.PAGED)
USUAL = Contestant("usual", "lab.bench.peers.usual", "usual", slow=True)
WORKERS = Contestant("usual, 12 workers", "lab.bench.peers.usual", "workers", usual.WORKERS, slow=True)
# Their libraries lie in an environment of their own, which `make bench` makes.
PEERS_PYTHON = ROOT / ".karya" / "peers" / "bin" / "python"
QUIX = Contestant("Quix Streams", "lab.bench.peers.quix", "quix", python=str(PEERS_PYTHON))
FAUST = Contestant("faust-streaming", "lab.bench.peers.faust_streaming", "faust", python=str(PEERS_PYTHON))
SIZED = tuple(Contestant(f"Karya, batches of {n}", OURS.module, OURS.group, max_batch=n) for n in BATCHES)
FLOOR_AGAIN = replace(FLOOR, group="floor-again")
VARIANTS = (READING, BARE, PAGED)
CONTESTANTS = (OURS, FLOOR, *VARIANTS, QUIX, FAUST, USUAL, WORKERS, *SIZED, FLOOR_AGAIN, OURS)


@dataclass(frozen=True, slots=True)
class Run:
    """What one contestant did in one run, and the servers' CPU seconds for it, if known."""

    ran: Ran
    servers: float | None


# By name, in the order of their first runs.
Runs = Mapping[str, Sequence[Run]]


async def measure(place: Place, events: int, tell: Tell, contestants: Sequence[Contestant] = CONTESTANTS) -> Said:
    """Everybody's pace over `events` events, and Karya's relative to it."""
    runs: dict[str, list[Run]] = {}
    missing = [one.name for one in contestants if not one.installed]
    few = min(events, FEW)
    known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
    async with place.round() as settings, place.round() as slowly:
        tell(f"catch-up: {events} events are put into Kafka")
        ends = await backlog.fill(settings, backlog.events(events, known))
        ends_slow = await backlog.fill(slowly, backlog.events(few, known))
        for one in contestants:
            if not one.installed:
                continue
            tell(f"catch-up: {one.name}")
            if one.module == OURS.module and OURS.name in runs:
                # A service has its group and database by its name: once more means topics of its own too.
                async with place.round() as own:
                    own_ends = await backlog.fill(own, backlog.events(events, known))
                    found = await _one(place, own, one, own_ends, known)
            elif one.slow:
                found = await _one(place, slowly, one, ends_slow, known)
            else:
                found = await _one(place, settings, one, ends, known)
            runs.setdefault(one.name, []).append(found)
    figures = [figure for name, theirs in runs.items() for figure in means(name, theirs)]
    return Said("catch-up", (*figures, *relative(runs)), note(missing))


async def _one(
    place: Place, settings: Settings, one: Contestant, ends: Mapping[TopicPartition, int], known: int
) -> Run:
    await _keep_lots(settings, one.group, known)
    before = place.server_seconds()
    ran = await work(place, settings, one, ends)
    after = place.server_seconds()
    return Run(ran, None if before is None or after is None else after - before)


async def work(place: Place, settings: Settings, one: Contestant, ends: Mapping[TopicPartition, int]) -> Ran:
    """`one` works off what waits. Raises BenchFailed, also when it has not done it all."""
    if one.max_batch is not None:
        settings = settings.model_copy(update={"max_batch": one.max_batch})
    [ran] = await run(place.folder, one.module, [Job.of(one.group, ends, one.variant)], settings, one.python)
    return ran


async def _keep_lots(settings: Settings, group: str, known: int) -> None:
    mongo = Mongo(settings)
    try:
        await backlog.keep(mongo.database(group), backlog.known_lots(known))
    finally:
        await mongo.close()


def note(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    return f"Not installed here (`make bench` does it), so not measured: {', '.join(missing)}."


def pace(runs: Sequence[Run]) -> float:
    """The mean of its events per second."""
    return mean(run.ran.per_second for run in runs)


def means(name: str, runs: Sequence[Run]) -> list[Figure]:
    """What one contestant did, over its runs; nothing of those that are told in terms of Karya."""
    if name in (one.name for one in SIZED):
        return []
    events = sum(run.ran.events for run in runs)
    known = [run.servers for run in runs if run.servers is not None]
    return [
        Figure(f"{name}: events/s", pace(runs)),
        Figure(f"{name}: CPU ms per event", sum(run.ran.cpu_seconds for run in runs) / events * 1000),
        *servers(name, 0.0, sum(known) if len(known) == len(runs) else None, events),
        Figure(f"{name}: MB resident, peak", max(run.ran.megabytes for run in runs)),
    ]


def relative(runs: Runs) -> list[Figure]:
    """Karya's pace in those of the others, and that of its and the floor's variants in theirs."""
    ours = runs[OURS.name]
    goals = {FLOOR.name: 0.85, USUAL.name: 40.0, QUIX.name: 1.0, FAUST.name: 1.0}
    sized = [one.name for one in SIZED if one.name in runs]
    others = [name for name in runs if name != OURS.name and name not in sized]
    figures = [Figure(f"Karya / {name}", pace(ours) / pace(runs[name]), goals.get(name)) for name in others]
    figures += [Figure(f"{name} / Karya", pace(runs[name]) / pace(ours)) for name in sized]
    if FLOOR.name not in runs:
        return figures
    bare = runs[FLOOR.name]
    figures += [
        Figure(f"{one.name} / floor", pace(runs[one.name]) / pace(bare)) for one in VARIANTS if one.name in runs
    ]
    # The first of Karya with the first of the floor: they ran side by side.
    pairs = sorted(mine.ran.per_second / its.ran.per_second for mine, its in zip(ours, bare, strict=False))
    return [
        *figures,
        Figure("Karya / floor, the lower of two", pairs[0]),
        Figure("Karya / floor, the higher of two", pairs[-1]),
    ]
