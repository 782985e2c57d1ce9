"""The steady load of a chaos run: terminals and tills with real spools, and organisers, going on whatever happens.

Terminals and tills only record and sync, as in a facility or at a booth: what fails is tried again, and what Kafka
acknowledged is in the spool for the reckoning. Two festivals are on at once. Each lasts about a minute, then it is
closed, its stock brought home and the next one opened, so that every part of a festival's life meets faults.

At each festival one till is replaced and sends what it has only in the end, one is lost with what it had not sent,
and one goes on twice, from a copy of its spool. One more client reports in transactions and takes some of them back.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

import httpx

from edge.spool import Spool
from edge.terminal.terminal import Terminal
from edge.till.till import Till
from lab.chaos.pace import Tally
from lab.chaos.terminals import TerminalAgent
from lab.chaos.tills import PRICE, Stand, TillAgent
from lab.chaos.told import Acknowledged, OrderedVoid
from lab.chaos.transactions import TransactionAgent
from shared.envelope import digest
from shared.errors import NotReached, SpoolFailed
from shared.events.festival import AnnounceFestival, Demand, OpenBooth, Price, RequestAllocation
from shared.events.language import Body
from shared.retry import attempts
from shared.settings import Settings

# Facility, product, most pieces in one report: what is made in quantity, so that little work keeps many tills busy.
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
BOOTHS = 3
TILLS = ("T1", "T2")
FESTIVAL_SECONDS = 60.0
CYCLE_SECONDS = 4.0
# The share of terminals in all records. Far more is made than sold; much more still, and after half an hour each plan
# looks at a hundred thousand lots.
REPORTS = 0.06
ASKED = 6_000  # pieces of a product for a booth in one request
SYNC_SECONDS = 1.0
AT_ONCE = 16
NO_BOAT = 0.15  # how often one of those who should send something can't
DAMAGED = 0.15  # how often some of a parcel is lost
PRICE_CHANGED = 0.3  # how often in a cycle
UNSENT_SECONDS = 2.0  # how long a till that breaks sells without a network before
VANISHING = 12  # records that are lost with a till
BELIEVED = 0.3  # how often pieces in dispute are
ANSWER_SECONDS = 6.0

T = TypeVar("T")
Urls = Callable[[], list[str]]


class Load:
    """All agents and festivals. `urls` says where festival's instances answer at this moment."""

    def __init__(self, folder: Path, settings: Settings, urls: Urls, seed: int, rate: float) -> None:
        """`rate`: records per second of all terminals and tills together."""
        self._folder = folder
        self._settings = settings
        self._urls = urls
        self._rng = random.Random(f"load {seed}")
        self._seed = seed
        self.tally = Tally()
        self.stopping = asyncio.Event()
        self.terminals = [
            TerminalAgent(Terminal(folder, facility, f"T{n}"), product, most, self._rng_of(f"t{n}"), self.tally)
            for n, (facility, product, most) in enumerate(MADE)
        ]
        facility, product, _ = MADE[0]
        self._transacting = TransactionAgent(facility, product, settings, self._rng_of("transactions"), self.tally)
        self.tills: list[TillAgent] = []
        self.ordered: list[OrderedVoid] = []
        self._till_rate = rate * (1 - REPORTS) / (GROUNDS * BOOTHS * len(TILLS))
        self._terminal_rate = rate * REPORTS / len(MADE)
        self._group = asyncio.TaskGroup()
        self._given: set[str] = set()
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS)
        self._hands = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Go on until `stopping` is set and every festival is brought to its end. What fails in any part of it is
        raised at once."""
        async with self._group:
            await self._run()
        await self._http.aclose()

    async def _run(self) -> None:
        recording = [
            self._group.create_task(agent.work(self._terminal_rate, self.stopping)) for agent in self.terminals
        ]
        recorded = asyncio.Event()
        syncing = [self._group.create_task(self._sync(agent.terminal, recorded)) for agent in self.terminals]
        # One opens in the middle of the other, so that tills sell at every moment.
        grounds = self._ground("A", FESTIVAL_SECONDS), self._ground("B", FESTIVAL_SECONDS / 2)
        transacting = self._group.create_task(self._transacting.work(self.stopping))
        await asyncio.gather(*recording, *grounds, transacting)
        recorded.set()
        await asyncio.gather(*syncing)

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Every record of every terminal and till that Kafka has acknowledged; one spool in memory at a time."""
        yield from self._transacting.committed
        for spool in self._spools():
            for said in spool.records():
                if said.acknowledged:
                    yield Acknowledged(spool.source, said.id, spool.topic, digest(said.value), said.body)

    @property
    def selling(self) -> list[TillAgent]:
        """The tills that sell now; none before the first festival has opened."""
        return [agent for agent in self.tills if agent.selling]

    def _spools(self) -> Iterator[Spool]:
        yield from (agent.terminal.spool for agent in self.terminals)
        yield from (agent.till.spool for agent in self.tills)

    def close(self) -> None:
        for spool in self._spools():
            spool.close()

    # --- a festival

    async def _ground(self, name: str, seconds: float) -> None:
        """Festival after festival on one ground, the first for `seconds`."""
        endings: list[asyncio.Task[None]] = []
        while not self.stopping.is_set():
            endings.append(await self._festival(f"F{self._seed}-{name}{len(endings) + 1}", seconds))
            seconds = FESTIVAL_SECONDS
        await asyncio.gather(*endings)

    async def _festival(self, id: str, seconds: float) -> asyncio.Task[None]:
        """Open it and keep it going for its time; returns the task that brings it to its end."""
        today = datetime.now(ZoneInfo("Asia/Makassar")).date()
        announced = AnnounceFestival(
            festival=id, name=f"Festival {id}", place="made up", zone="Asia/Makassar", first_day=today, last_day=today
        )
        await self._command("/festivals", announced)
        booths = [f"{id}.B{n}" for n in range(1, BOOTHS + 1)]
        prices = tuple(Price(product=product, price_rupiah=PRICE) for product in PRODUCTS)
        for booth in booths:
            body = OpenBooth(festival=id, booth=booth, name=booth, prices=prices, tills=TILLS)
            await self._command(f"/festivals/{id}/booths", body)
        self.tally.festivals_opened += 1
        stands = {booth: Stand(id, PRODUCTS, len(TILLS)) for booth in booths}
        agents = {(booth, name): self._agent(booth, name, stands[booth]) for booth in booths for name in TILLS}
        crowd = [self._at_work(agent) for agent in agents.values()]
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # All at once: a till that waits for its first stock is no load.
        await asyncio.gather(*(self._supply(id, booth, f"r0-{n}") for n, booth in enumerate(booths)))
        happenings = (self._replace, self._lose, self._restore)
        troubles = [
            self._group.create_task(self._trouble(seconds, happening, agents[booth, TILLS[-1]], crowd))
            for happening, booth in zip(happenings, booths, strict=True)
        ]
        cycle = 0
        while loop.time() < end and not self.stopping.is_set():
            cycle += 1
            began = loop.time()
            await self._supply(id, booths[cycle % BOOTHS], f"r{cycle}")
            await self._organise(id, stands)
            await asyncio.sleep(max(0.0, CYCLE_SECONDS - (loop.time() - began)))
        await asyncio.gather(*troubles)
        for one in crowd:
            one.agent.over.set()
        await asyncio.gather(*(one.selling for one in crowd))
        await asyncio.gather(*(one.end(count=one.agent.till.name == TILLS[0]) for one in crowd))
        return self._group.create_task(self._end(id, stands, crowd))

    # --- tills at work, and what happens to them

    def _agent(self, booth: str, name: str, stand: Stand, place: str = "") -> TillAgent:
        """A device under this name; `place`: where its spool lies if another one was there before."""
        rng = self._rng_of(f"{booth}.{name}{place}")
        agent = TillAgent(Till(self._folder / place, booth, name), stand, rng, self.tally)
        # The first sync would introduce the device too, but the tally would miss that record.
        agent.introduce()
        return agent

    def _at_work(self, agent: TillAgent) -> "AtWork":
        self.tills.append(agent)
        selling = self._group.create_task(agent.work(self._till_rate))
        syncing = self._group.create_task(self._sync(agent.till, agent.closed, lambda: agent.offline, agent.listen))
        return AtWork(agent, selling, syncing)

    async def _trouble(self, seconds: float, happening: "Happening", agent: TillAgent, crowd: list["AtWork"]) -> None:
        await asyncio.sleep(seconds * self._rng.uniform(0.3, 0.6))
        if agent.selling:
            await happening(agent, crowd)

    async def _replace(self, agent: TillAgent, crowd: list["AtWork"]) -> None:
        """It loses its network, then breaks: another device goes on under its name. It sends what it has when the
        festival is over."""
        agent.offline = True
        await asyncio.sleep(UNSENT_SECONDS)
        agent.over.set()
        other = self._agent(agent.till.booth, agent.till.name, agent.stand, "replaced")
        crowd.append(self._at_work(other))

    async def _lose(self, agent: TillAgent, crowd: list["AtWork"]) -> None:
        """It vanishes with its last records. The organiser strikes it, and another till sells in its place."""
        [mine] = [one for one in crowd if one.agent is agent]
        # Who strikes a device has its id from sales.
        async for _ in attempts(most=SYNC_SECONDS):
            if agent.known:
                break
        agent.over.set()
        agent.closed.set()
        await asyncio.gather(mine.selling, mine.syncing)
        agent.alone = True
        for _ in range(VANISHING):
            agent.act()
        self.tally.vanished += agent.till.spool.counts().pending
        crowd.remove(mine)
        booth, name = agent.till.booth, f"T{len(TILLS) + 1}"
        path = f"/festivals/{agent.stand.festival}/booths/{booth}/tills"
        await self._command(f"{path}/{agent.till.name}/strike", {"device": agent.till.spool.device})
        await self._command(path, {"till": name})
        crowd.append(self._at_work(self._agent(booth, name, agent.stand)))

    async def _restore(self, agent: TillAgent, crowd: list["AtWork"]) -> None:
        """Somebody goes on from a copy of its spool, and it goes on as well: two lines of records of one device."""
        rng = self._rng_of(f"{agent.till.booth} restored")
        other = await self._kept(lambda: agent.restored(self._folder / "restored", rng))
        crowd.append(self._at_work(other))

    async def _kept(self, act: Callable[[], T]) -> T:
        """Do it, as soon as the spool's disk has room."""
        async for _ in attempts():
            try:
                return act()
            except SpoolFailed:
                self.tally.refused_by_spool += 1
        raise AssertionError("attempts without a bound do not end")

    async def _organise(self, festival: str, stands: dict[str, Stand]) -> None:
        """Now and then the organisers change a price. They void the pieces that a stand says nobody bought."""
        for booth, stand in stands.items():
            if self._rng.random() < PRICE_CHANGED:
                product, price = self._rng.choice(PRODUCTS), self._rng.choice((4_000, PRICE, 6_000))
                changed = {"product": product, "price_rupiah": price}
                await self._command(f"/festivals/{festival}/booths/{booth}/prices", changed)
            while stand.to_void:
                line = stand.to_void.pop()
                path = f"/festivals/{festival}/receipts/{line.receipt}/void"
                if await self._command(path, {"booth": booth, "line": line.line, "qty": line.qty}):
                    self.ordered.append(OrderedVoid(booth, line.receipt, line.line, line.qty))

    async def _supply(self, festival: str, booth: str, name: str) -> None:
        """Ask for stock, send what is held, and receive it, in the time of one cycle or whenever it can be done. Now
        and then a boat does not sail, or a parcel comes damaged: then the plan is revised."""
        demands = tuple(Demand(booth=booth, product=product, qty=ASKED) for product in self._rng.sample(PRODUCTS, 2))
        request = RequestAllocation(
            festival=festival, request=name, demands=demands, consent=True, hold_hours=1, revise_at_percent=2
        )
        if not await self._command(f"/festivals/{festival}/requests", request):
            return
        facilities = await self._reserved(festival, name)
        if facilities and self._rng.random() < NO_BOAT:
            gone = {"without": [self._rng.choice(facilities)], "consent": True}
            await self._command(f"/festivals/{festival}/requests/{name}/revise", gone)
            facilities = await self._reserved(festival, name)
        for n, facility in enumerate(facilities):
            shipment = f"{name}-{n}"
            order = {"request": name, "shipment": shipment, "facility": facility, "booth": booth}
            if not await self._command(f"/festivals/{festival}/shipments", order):
                continue
            path = f"/festivals/{festival}/shipments/{shipment}"
            sent = await self._when(path, lambda page: page["status"] in ("sent", "dropped"))
            if sent["status"] == "sent":
                good = self._rng.choice((0.7, 0.99)) if self._rng.random() < DAMAGED else 1
                counted = [{"lot": lot["lot"], "qty": int(lot["sent"] * good)} for lot in sent["lots"]]
                await self._command(f"{path}/receive", {"booth": booth, "counted": counted})

    async def _reserved(self, festival: str, request: str) -> list[str]:
        """The facilities that hold something for the request, once inventory has answered."""
        path = f"/festivals/{festival}/requests/{request}"
        page = await self._when(path, lambda page: page["status"] in ("settled", "withdrawn"))
        return sorted({line["facility"] for line in page["lines"] if line["status"] == "reserved"})

    async def _end(self, festival: str, stands: dict[str, Stand], crowd: list["AtWork"]) -> None:
        """Close it, wait for its tills, resolve what is in dispute, bring home what is left."""
        await self._organise(festival, stands)
        await self._command(f"/festivals/{festival}/close", {"till_hours": 1})
        await asyncio.gather(*(one.syncing for one in crowd))
        while True:
            missing = await self._when(f"/festivals/{festival}/missing", lambda _: True)
            if missing["status"] == "closed" and not any(one["sale"] for one in missing["missing"]):
                break
            # What is believed to be sold does not come home: that is said first.
            disputes = [one for one in missing["missing"] if one["sale"]]
            putting = (self._put_right(festival, stands, one) for one in disputes or missing["missing"])
            await asyncio.gather(*putting)
            await asyncio.sleep(0.5)
        self.tally.festivals_closed += 1

    async def _put_right(self, festival: str, stands: dict[str, Stand], missing: dict[str, Any]) -> None:
        """What one line of the list of what is missing asks for. A line is one command; once that is taken it will
        have its effect, and the list shows when."""
        if missing["sale"] is not None:
            path = f"/festivals/{festival}/disputes/{missing['sale']}/resolve"
            await self._once(path, self._word(stands[missing["booth"]], path, missing))
        elif missing["what"] == "not_home":
            gone = stands[missing["booth"]].misread_of(missing["lot"])
            home = {"lot": missing["lot"], "qty": max(0, missing["qty"] - gone), "final": True}
            await self._once(f"/festivals/{festival}/returns", {"booth": missing["booth"], **home})

    def _word(self, stand: Stand, path: str, missing: dict[str, Any]) -> dict[str, Any]:
        """What the organiser says of a sale in dispute: the right lot, if its label was misread. Others are believed
        as far as that can be, or rejected, and so is what is left in dispute of those that were believed."""
        sale, booth = missing["sale"], missing["booth"]
        lot = stand.misread.get(sale)
        if lot is not None:
            return {"booth": booth, "outcome": "accepted", "lot": lot}
        believed = {"booth": booth, "outcome": "accepted"}
        if random.Random(sale).random() < BELIEVED and _id_of(path, believed) not in self._given:
            return believed
        return {"booth": booth, "outcome": "rejected"}

    async def _once(self, path: str, body: dict[str, Any]) -> None:
        id = _id_of(path, body)
        if id in self._given:
            return
        async with self._hands:
            await self._command(path, body, id=id)
        self._given.add(id)

    # --- talking

    async def _sync(
        self,
        agent: Terminal | Till,
        until: asyncio.Event,
        offline: Callable[[], bool] = lambda: False,
        synced: Callable[[], None] = lambda: None,
    ) -> None:
        """Send again and again, but not while it is offline; after `until` go on until nothing waits."""
        while True:
            last = until.is_set()
            try:
                if not offline():
                    await agent.sync(self._settings, wait=0)
                    synced()
                    if last and agent.spool.counts().pending == 0:
                        return
            except NotReached:
                self.tally.syncs_failed += 1
            except SpoolFailed:
                # A full disk takes no answers either; it is made room on later.
                self.tally.syncs_failed += 1
            await asyncio.sleep(SYNC_SECONDS * self._rng.uniform(0.5, 1.5))

    async def _command(self, path: str, body: Body | dict[str, Any], id: str | None = None) -> bool:
        """Give a command until somebody answers what became of it, always with one id; with an `id` that it was taken
        is enough. False if it was refused."""
        content = body.model_dump(mode="json") if isinstance(body, Body) else body
        headers = {"Idempotency-Key": str(uuid4()), "Prefer": "wait=5"} if id is None else {"Idempotency-Key": id}
        enough = {200: True, 409: False} if id is None else {200: True, 202: True, 409: False}

        async def post(url: str) -> bool | None:
            answer = await self._http.post(f"{url}{path}", json=content, headers=headers)
            return enough.get(answer.status_code)

        self.tally.commands += 1
        return bool(await self._until(post))

    async def _when(self, path: str, enough: Callable[[Any], bool]) -> Any:
        """The page once it says enough."""

        async def get(url: str) -> Any:
            answer = await self._http.get(f"{url}{path}")
            page = answer.json() if answer.status_code == 200 else None
            return page if page is not None and enough(page) else None

        return await self._until(get)

    async def _until(self, ask: Callable[[str], Awaitable[Any]]) -> Any:
        async for _ in attempts(first=0.05, most=0.5):
            urls = self._urls()
            if not urls:
                continue
            try:
                answer = await ask(self._rng.choice(urls))
            except httpx.TransportError:
                continue
            if answer is not None:
                return answer
        raise AssertionError("attempts without a bound do not end")

    def _rng_of(self, purpose: str) -> random.Random:
        return random.Random(f"{self._seed} {purpose}")


class AtWork(NamedTuple):
    """A device, its selling and its sending."""

    agent: TillAgent
    selling: asyncio.Task[None]
    syncing: asyncio.Task[None]

    async def end(self, *, count: bool) -> None:
        """It says its last words, and sends all that it has."""
        await self.agent.close(count=count)
        self.agent.offline = False
        self.agent.closed.set()


# What happens to a till, among those that are at work at its festival.
Happening: TypeAlias = Callable[[TillAgent, list[AtWork]], Awaitable[None]]


def _id_of(path: str, body: dict[str, Any]) -> str:
    return str(uuid5(NAMESPACE_URL, f"{path} {body}"))
