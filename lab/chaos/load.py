"""The steady load of a chaos run: terminals and tills with real spools, and organisers, whatever happens.

Terminals and tills only record and sync, as at a facility or a booth. A failed sync is tried again, and the spool
knows for the reckoning what Kafka acknowledged. Two festivals are open at once. Each lasts about a minute, then it is
closed and the next one opens, so that every part of a festival's life meets faults.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.spool import Spool
from edge.terminal.terminal import Terminal
from lab.chaos.expected import AcknowledgedRecord, OrderedVoid
from lab.chaos.festival import BOOTHS, TILLS, LoadContext, LoadFestival
from lab.chaos.organiser import OrganiserClient, Urls
from lab.chaos.routes import DeviceRoutes
from lab.chaos.running import Syncing, TillRunner
from lab.chaos.tally import Tally
from lab.chaos.terminals import TerminalAgent
from lab.chaos.tills import TillAgent
from lab.chaos.transactions import TransactionAgent
from shared.access.session import TokenSource
from shared.envelope import digest
from shared.settings import Settings

# Facility, product, most pieces in one report. Products made in quantity: few reports keep many tills busy.
MADE = (
    ("RT-KPG", "SVR", 400),
    ("PR-KPG", "SVR", 400),
    ("LP-ATB", "SBN", 600),
    ("LP-KPG", "KKG", 500),
    ("LT-WKB", "HTN", 400),
    ("LP-BAA", "HTN", 400),
)
PRODUCTS = tuple(sorted({product for _, product, _ in MADE}))
GROUNDS = 2
FESTIVAL_SECONDS = 60.0
# An account has 200 roles at most, and each festival gives its organiser one.
FESTIVALS_OF_ACCOUNT = 150
# The terminals' share of all records. Far more is made than sold. With a larger share each plan would look at a
# hundred thousand lots after half an hour.
REPORTS = 0.06


@dataclass(frozen=True, slots=True)
class LoadAccess:
    """How the load reaches Karya: the routes of its devices, and the accounts of organisers. Each runs its share of
    the festivals."""

    routes: DeviceRoutes
    organisers: Sequence[TokenSource]


class Load:
    """All agents and festivals. `stopping` ends the load."""

    def __init__(
        self, folder: Path, settings: Settings, access: LoadAccess, urls: Urls, seed: int, rate: float
    ) -> None:
        """`urls` returns the addresses of festival's instances at this moment. `rate`: records per second of all
        terminals and tills together."""
        self._seed = seed
        rng = random.Random(f"load {seed}")
        self.tally = Tally()
        self.stopping = asyncio.Event()
        self.terminals = [
            TerminalAgent(Terminal(folder, facility, f"T{n}"), product, max_qty, self._rng_of(f"t{n}"), self.tally)
            for n, (facility, product, max_qty) in enumerate(MADE)
        ]
        facility, product, _ = MADE[0]
        self._transactions = TransactionAgent(facility, product, settings, self._rng_of("transactions"), self.tally)
        self.ordered: list[OrderedVoid] = []
        self._terminal_rate = rate * REPORTS / len(MADE)
        till_rate = rate * (1 - REPORTS) / (GROUNDS * BOOTHS * len(TILLS))
        self._group = asyncio.TaskGroup()
        self._clients = [OrganiserClient(urls, account, rng, self.tally) for account in access.organisers]
        self._syncing = Syncing(access.routes, rng, self.tally)
        self._runner = TillRunner(folder, self._syncing, self._group, self._rng_of, self.tally, till_rate)
        self._context = LoadContext(
            products=PRODUCTS,
            client=self._clients[0],
            runner=self._runner,
            group=self._group,
            rng=rng,
            tally=self.tally,
            stopping=self.stopping,
            ordered=self.ordered,
        )

    async def run(self) -> None:
        """Work until `stopping` is set and every festival is closed. A failure of any part is raised at once."""
        async with self._group:
            await self._run()
        for client in self._clients:
            await client.close()

    async def _run(self) -> None:
        recording = [
            self._group.create_task(agent.work(self._terminal_rate, self.stopping)) for agent in self.terminals
        ]
        stop_syncing = asyncio.Event()
        syncing = [
            self._group.create_task(self._syncing.run(agent.terminal, stop_syncing)) for agent in self.terminals
        ]
        # One ground is half a festival ahead, so that tills sell at every moment.
        grounds = self._run_ground(0, FESTIVAL_SECONDS), self._run_ground(1, FESTIVAL_SECONDS / 2)
        transactions = self._group.create_task(self._transactions.work(self.stopping))
        await asyncio.gather(*recording, *grounds, transactions)
        stop_syncing.set()
        await asyncio.gather(*syncing)

    async def _run_ground(self, ground: int, seconds: float) -> None:
        """One festival after the other on one ground, the first for `seconds`."""
        closing: list[asyncio.Task[None]] = []
        while not self.stopping.is_set():
            turn = ground + GROUNDS * (len(closing) // FESTIVALS_OF_ACCOUNT)
            context = replace(self._context, client=self._clients[turn % len(self._clients)])
            festival = LoadFestival(f"F{self._seed}-{'AB'[ground]}{len(closing) + 1}", context)
            closing.append(await festival.run(seconds))
            seconds = FESTIVAL_SECONDS
        await asyncio.gather(*closing)

    def acknowledged(self) -> Iterator[AcknowledgedRecord]:
        """Every record that Kafka has acknowledged; one spool in memory at a time."""
        yield from self._transactions.committed
        for spool in self._spools():
            for record in spool.records():
                if record.acknowledged:
                    yield AcknowledgedRecord(spool.source, record.id, spool.topic, digest(record.value), record.body)

    @property
    def selling(self) -> list[TillAgent]:
        """The tills that sell now; none before the first festival has opened."""
        return [agent for agent in self._runner.agents if agent.selling]

    def close(self) -> None:
        for spool in self._spools():
            spool.close()

    def _spools(self) -> Iterator[Spool]:
        yield from (agent.terminal.spool for agent in self.terminals)
        yield from (agent.till.spool for agent in self._runner.agents)

    def _rng_of(self, purpose: str) -> random.Random:
        return random.Random(f"{self._seed} {purpose}")


def organisers_of(minutes: float) -> int:
    """How many accounts of organisers a load of so many minutes needs."""
    return GROUNDS * (1 + int(minutes * 60 / FESTIVAL_SECONDS) // FESTIVALS_OF_ACCOUNT)
