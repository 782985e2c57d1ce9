"""Catch-up: events wait in Kafka, and inventory works them off, beside the floor and the ways of others.

All work the same records on the same servers one after the other, each with a database and a group of its own that
begin alike. The slow ones get fewer records of the same kind, since their pace does not depend on how many there are.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import TopicPartition

from bench import backlog
from bench.children import ROOT, run
from bench.meter import Ran
from bench.peers import usual
from bench.place import Place
from bench.report import Figure, Said, Tell, servers
from bench.runners import floor
from bench.runners.job import Job
from shared.mongo import Mongo
from shared.settings import Settings

EVENTS = 200_000
# The most that one message at a time gets: enough for a steady pace.
FEW = 2_000


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    module: str
    group: str
    variant: str = ""
    slow: bool = False
    python: str = sys.executable

    @property
    def installed(self) -> bool:
        return Path(self.python).exists()


OURS = Contestant("Karya", "bench.runners.karya", "inventory")
FLOOR = Contestant("floor", "bench.runners.floor", "floor")
READING = Contestant("floor with reads", "bench.runners.floor", "reading", floor.READS)
BARE = Contestant("floor, bare ledger", "bench.runners.floor", "bare", floor.BARE)
PAGED = Contestant("floor, paged ledger", "bench.runners.floor", "paged", floor.PAGED)
USUAL = Contestant("usual", "bench.peers.usual", "usual", slow=True)
WORKERS = Contestant("usual, 12 workers", "bench.peers.usual", "workers", usual.WORKERS, slow=True)
# Their libraries lie in an environment of their own, which `make bench` makes.
PEERS_PYTHON = ROOT / ".karya" / "peers" / "bin" / "python"
QUIX = Contestant("Quix Streams", "bench.peers.quix", "quix", python=str(PEERS_PYTHON))
FAUST = Contestant("faust-streaming", "bench.peers.faust_streaming", "faust", python=str(PEERS_PYTHON))
CONTESTANTS = (OURS, FLOOR, READING, BARE, PAGED, QUIX, FAUST, USUAL, WORKERS)


async def measure(place: Place, events: int, tell: Tell, contestants: Sequence[Contestant] = CONTESTANTS) -> Said:
    """Everybody's pace over `events` events, and Karya's relative to it."""
    ran: dict[str, Ran] = {}
    figures: list[Figure] = []
    missing = [one.name for one in contestants if not one.installed]
    few = min(events, FEW)
    async with place.round() as settings, place.round() as slowly:
        tell(f"catch-up: {events} events are put into Kafka")
        known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
        ends = await backlog.fill(settings, backlog.events(events, known))
        ends_slow = await backlog.fill(slowly, backlog.events(few, known))
        for one in contestants:
            if not one.installed:
                continue
            tell(f"catch-up: {one.name}")
            where, upto = (slowly, ends_slow) if one.slow else (settings, ends)
            await _keep_lots(where, one.group, known)
            before = place.server_seconds()
            ran[one.name] = mine = await work(place, where, one, upto)
            figures += [
                Figure(f"{one.name}: events/s", mine.per_second),
                Figure(f"{one.name}: CPU ms per event", mine.cpu_seconds / mine.events * 1000),
                *servers(one.name, before, place.server_seconds(), mine.events),
                Figure(f"{one.name}: MB resident, peak", mine.megabytes),
            ]
    return Said("catch-up", (*figures, *relative(ran)), note(missing))


async def work(place: Place, settings: Settings, one: Contestant, ends: Mapping[TopicPartition, int]) -> Ran:
    """`one` works off what waits. Raises BenchFailed, also when it has not done it all."""
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


def relative(ran: Mapping[str, Ran]) -> list[Figure]:
    """Karya's pace in those of the others."""
    ours = ran[OURS.name].per_second
    goals = {FLOOR.name: 0.85, USUAL.name: 40.0, QUIX.name: 1.0, FAUST.name: 1.0}
    others = (name for name in ran if name != OURS.name)
    return [Figure(f"Karya / {name}", ours / ran[name].per_second, goals.get(name)) for name in others]
