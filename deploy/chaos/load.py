"""The steady load of a chaos run: terminals and tills with real spools, and organisers, going on whatever happens.

Terminals and tills only record and sync, as in a facility or at a booth: what fails is tried again, and what Kafka
acknowledged is in the spool for the reckoning. Two festivals are on at once. Each lasts about a minute, then it is
closed, its stock brought home and the next one opened, so that every part of a festival's life meets faults.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

import httpx

from deploy.chaos.told import Acknowledged
from services.terminal.terminal import Terminal
from services.till.till import Till
from shared.envelope import digest
from shared.errors import NotReached, SpoolFailed
from shared.events.festival import (
    BOOTH_STOCK,
    AnnounceFestival,
    BoothStocked,
    Demand,
    LotWithdrawn,
    OpenBooth,
    Price,
    RequestAllocation,
)
from shared.events.language import Body
from shared.events.production import ANSWERS, ReportAccepted
from shared.events.sales import BoothCounted, SaleReported, SaleVoided, TillClosed
from shared.retry import attempts
from shared.settings import Settings
from shared.spool import Said, Spool

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
PRICE = 5_000  # rupiah, made up
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
CAUGHT_UP_SECONDS = 5.0
AT_ONCE = 16
NO_BOAT = 0.15  # how often one of those who should send something can't
DAMAGED = 0.15  # how often some of a parcel is lost
SOLD_UNSEEN = 0.02  # how often a till with nothing on its shelves sells all the same
ANSWER_SECONDS = 6.0

Urls = Callable[[], list[str]]


@dataclass(slots=True)
class Tally:
    """What was done. `refused_by_spool`: records that a full disk did not take, and said so at once."""

    recorded: int = 0
    refused_by_spool: int = 0
    syncs_failed: int = 0
    commands: int = 0
    festivals_opened: int = 0
    festivals_closed: int = 0


class Pace:
    """Ticks at a rate per second on the average; of what it missed it catches up a few seconds."""

    def __init__(self, rate: float) -> None:
        self._pause = 1 / rate
        self._due = asyncio.get_running_loop().time()

    async def tick(self, rng: random.Random) -> None:
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._pause * rng.uniform(0.5, 1.5), now - CAUGHT_UP_SECONDS)
        await asyncio.sleep(max(0.0, self._due - now))


@dataclass(eq=False)
class TerminalAgent:
    """One facility's terminal. `skew` is how wrong its clock is."""

    terminal: Terminal
    product: str
    most: int
    rng: random.Random
    tally: Tally
    skew: timedelta = timedelta()

    async def work(self, rate: float, until: asyncio.Event) -> None:
        """Record until told to stop."""
        pace = Pace(rate)
        while not until.is_set():
            await pace.tick(self.rng)
            now = datetime.now(UTC) + self.skew
            try:
                self._record(now)
                self.tally.recorded += 1
            except SpoolFailed:
                self.tally.refused_by_spool += 1

    def _record(self, now: datetime) -> None:
        chance = self.rng.random()
        lots = self._lots() if chance < 0.05 else []
        if lots and chance < 0.002:
            self.terminal.recall(self.rng.choice(lots), at=now, reason="made up")
        elif lots:
            self.terminal.correct(self.rng.choice(lots), self.rng.choice((-9999, -2, 1, 3)), at=now)
        else:
            made_on = now.astimezone(ZoneInfo("Asia/Makassar")).date() - timedelta(days=self.rng.randrange(3))
            product = "XYZ" if chance > 0.98 else self.product
            qty = self.rng.randint(self.most // 4, self.most)
            self.terminal.record(product, qty, made_on=made_on, at=now, maker=str(self.rng.randint(1, 30)))

    def _lots(self) -> list[str]:
        heard = self.terminal.spool.heard(ANSWERS)
        return [one.body.lot for one in heard[-40:] if isinstance(one.body, ReportAccepted)]


@dataclass(eq=False)
class TillAgent:
    """One till of a booth: it sells what it has heard of, now and then more, now and then without a label."""

    till: Till
    rng: random.Random
    tally: Tally
    _left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _products: dict[str, str] = field(default_factory=dict)
    _heard: int = 0
    _last: Said | None = None

    async def work(self, rate: float, until: asyncio.Event) -> None:
        """Sell until told to stop."""
        pace = Pace(rate)
        while not until.is_set():
            await pace.tick(self.rng)
            try:
                self._sell()
            except SpoolFailed:
                self.tally.refused_by_spool += 1

    async def close(self) -> None:
        """The last words of the till, as soon as its spool takes them."""
        booth, name = self.till.booth, self.till.name
        words: tuple[Callable[[int], Body], ...] = (
            lambda n: BoothCounted(booth=booth, till=name, seq=n, lots=()),
            lambda n: TillClosed(booth=booth, till=name, seq=n, last_seq=n),
        )
        for word in words:
            async for _ in attempts():
                try:
                    self.till.spool.say(word, datetime.now(UTC))
                    self.tally.recorded += 1
                    break
                except SpoolFailed:
                    self.tally.refused_by_spool += 1

    def _sell(self) -> None:
        self._listen()
        now = datetime.now(UTC)
        booth, name = self.till.booth, self.till.name
        if self._last is not None and self.rng.random() < 0.02:
            sale = self._last.id
            self._last = None
            self.till.spool.say(lambda n: SaleVoided(booth=booth, till=name, seq=n, sale=sale, voided_at=now), now)
            self.tally.recorded += 1
            return
        lots = [lot for lot, left in self._left.items() if left > 0]
        if not lots and self.rng.random() > SOLD_UNSEEN:
            return
        lot = self.rng.choice(lots) if lots else None
        product = self._products[lot] if lot is not None else self.rng.choice(PRODUCTS)
        qty = self.rng.choice((1, 1, 1, 2, 3)) if self.rng.random() > 0.002 else 9_999
        if lot is not None:
            self._left[lot] -= qty
        named = lot if self.rng.random() > 0.1 else None
        self._last = self.till.spool.say(
            lambda n: SaleReported(
                booth=booth,
                till=name,
                seq=n,
                lot=named,
                product=product,
                qty=qty,
                unit_price_rupiah=PRICE,
                sold_at=now,
            ),
            now,
        )
        self.tally.recorded += 1

    def _listen(self) -> None:
        heard = self.till.spool.heard(BOOTH_STOCK)
        for one in heard[self._heard :]:
            match one.body:
                case BoothStocked() as body:
                    # Half of it: the other till of the booth has the other half.
                    self._left[body.lot] += body.qty // len(TILLS)
                    self._products[body.lot] = body.product
                case LotWithdrawn() as body:
                    self._left.pop(body.lot, None)
        self._heard = len(heard)


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
        self.tills: list[TillAgent] = []
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
        await asyncio.gather(*recording, *grounds)
        recorded.set()
        await asyncio.gather(*syncing)

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Every record of every terminal and till that Kafka has acknowledged; one spool in memory at a time."""
        for spool in self._spools():
            for said in spool.all_said():
                if said.acknowledged:
                    yield Acknowledged(spool.source, said.id, spool.topic, digest(said.value), said.body)

    @property
    def selling(self) -> list[TillAgent]:
        """The tills of the festivals that are on; none before the first has opened."""
        return self.tills[-GROUNDS * BOOTHS * len(TILLS) :]

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
        over, closed = asyncio.Event(), asyncio.Event()
        agents = [
            TillAgent(Till(self._folder, booth, name), self._rng_of(f"{booth}.{name}"), self.tally)
            for booth in booths
            for name in TILLS
        ]
        self.tills += agents
        selling = [self._group.create_task(agent.work(self._till_rate, over)) for agent in agents]
        syncing = [self._group.create_task(self._sync(agent.till, closed)) for agent in agents]
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # All at once: a till that waits for its first stock is no load.
        await asyncio.gather(*(self._supply(id, booth, f"r0-{n}") for n, booth in enumerate(booths)))
        cycle = 0
        while loop.time() < end and not self.stopping.is_set():
            cycle += 1
            began = loop.time()
            await self._supply(id, booths[cycle % BOOTHS], f"r{cycle}")
            await asyncio.sleep(max(0.0, CYCLE_SECONDS - (loop.time() - began)))
        over.set()
        await asyncio.gather(*selling)
        await asyncio.gather(*(agent.close() for agent in agents))
        closed.set()
        return self._group.create_task(self._end(id, syncing))

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

    async def _end(self, festival: str, syncing: list[asyncio.Task[None]]) -> None:
        """Close it, wait for its tills, resolve what is in dispute, bring home what is left."""
        await self._command(f"/festivals/{festival}/close", {"till_hours": 1})
        await asyncio.gather(*syncing)
        while True:
            missing = await self._when(f"/festivals/{festival}/missing", lambda _: True)
            if missing["status"] == "closed" and not any(one["sale"] for one in missing["missing"]):
                break
            await asyncio.gather(*(self._put_right(festival, one) for one in missing["missing"]))
            await asyncio.sleep(0.5)
        self.tally.festivals_closed += 1

    async def _put_right(self, festival: str, missing: dict[str, Any]) -> None:
        """What one line of the list of what is missing asks for. A line is one command; once that is taken it will
        have its effect, and the list shows when."""
        if missing["sale"] is not None:
            path = f"/festivals/{festival}/disputes/{missing['sale']}/resolve"
            body = {"booth": missing["booth"], "outcome": "rejected"}
        elif missing["what"] == "not_home":
            path = f"/festivals/{festival}/returns"
            body = {"booth": missing["booth"], "lot": missing["lot"], "qty": missing["qty"], "final": True}
        else:
            return
        id = str(uuid5(NAMESPACE_URL, f"{path} {body}"))
        if id in self._given:
            return
        async with self._hands:
            await self._command(path, body, id=id)
        self._given.add(id)

    # --- talking

    async def _sync(self, agent: Terminal | Till, until: asyncio.Event) -> None:
        """Send again and again; after `until` go on until nothing waits."""
        while True:
            last = until.is_set()
            try:
                await agent.sync(self._settings, wait=0)
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
