"""A request's way on real servers: many ask for the same lots at once, and services are killed while somebody waits.

All quantities are made up.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from deploy.rebuild import compare
from deploy.verify import verify
from services.festival.domain.request import HELD, LineStatus
from shared.events.festival import (
    FESTIVAL,
    FESTIVAL_DEADLINES,
    ORGANISER,
    AllocationConfirmed,
    AllocationFellShort,
    AllocationWithdrawn,
    AnnounceFestival,
    CloseFestival,
    CommandRefused,
    CountedLot,
    Demand,
    OpenBooth,
    Price,
    ReceiveShipment,
    RequestAllocation,
    SendShipment,
    ShipmentOverdue,
)
from shared.events.inventory import STOCK_ORDERS, ReservationRequested
from shared.events.language import Body, Topic
from shared.events.production import PRODUCTION, TERMINAL, LotRecorded, ProductionReported
from shared.events.sales import BOOTH_REPORTS, SALES_DEADLINES, SellThroughCounted
from shared.mongo import Mongo
from shared.settings import Settings
from tests.integration import killed_at
from tests.integration.conftest import RunProcess, RunService
from tests.integration.probe import Probe
from tests.integration.running import ServiceProcess, let_go_of_the_dead
from tests.integration.season import SERVICES, Season, now
from tests.integration.undisturbed import all_worked
from tests.integration.waiting import eventually

pytestmark = pytest.mark.integration

PRICE = 10_000
MAKERS = [
    ("PR-KPG", "KTI"),
    ("PR-KPG", "SVR"),
    ("RT-KPG", "SVR"),
    ("LP-KPG", "KRJ"),
    ("LA-KPG", "KRJ"),
    ("LP-ATB", "KRJ"),
]
PRODUCTS = ("KTI", "SVR", "KRJ")
LOTS, REQUESTS, FESTIVALS, ORGANISERS = 50, 200, 8, 40
Pair = tuple[str, str]


@pytest.fixture
async def place(settings: Settings, probe: Probe, mongo: Mongo) -> Season:
    """Hands to play with, where nothing was played yet."""
    return Season(settings, probe, mongo, (now() - timedelta(days=1)).date())


async def announce(place: Season, festival: str, booths: int = 1, **booth: Any) -> None:
    """A festival of next month with so many booths, at which all products have a price."""
    opening = place.today + timedelta(days=30)
    body = AnnounceFestival(
        festival=festival, name="Festival", place="Kupang", zone="Asia/Makassar", first_day=opening, last_day=opening
    )
    await place.say(ORGANISER, body, f"announce-{festival}")
    prices = tuple(Price(product=product, price_rupiah=PRICE) for product in PRODUCTS)
    for n in range(1, booths + 1):
        name = f"{festival}.B{n}"
        opened = OpenBooth(festival=festival, booth=name, name=name, prices=prices, tills=(f"{name}.T1",), **booth)
        await place.say(ORGANISER, opened, f"open-{name}")
    await place.until("festival", "booths", {"festival": festival}, booths)


async def make(place: Season, lot: str, qty: int, facility: str) -> None:
    """A lot of cloth that production is not asked about."""
    body = LotRecorded(lot=lot, facility=facility, product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 1))
    await place.say(PRODUCTION, body, f"lot-{lot}")
    await place.until("festival", "stock", {"_id": lot, "on_hand": qty})


def ask(festival: str, name: str, qty: int, **changed: Any) -> RequestAllocation:
    """So many pieces of cloth for the first booth."""
    given: dict[str, Any] = {
        "festival": festival,
        "request": name,
        "demands": (Demand(booth=f"{festival}.B1", product="KTI", qty=qty),),
        "consent": True,
    }
    return RequestAllocation(**given | changed)


async def requests_of(place: Season) -> dict[Pair, dict[str, Any]]:
    kept = await place.mongo.database("festival")["requests"].find({}).to_list(None)
    return {(one["festival"], one["name"]): one for one in kept}


async def answers(place: Season) -> dict[Pair, list[AllocationConfirmed | AllocationFellShort]]:
    """What was said to each request, in its order."""
    said: dict[Pair, list[AllocationConfirmed | AllocationFellShort]] = defaultdict(list)
    for heard in await place.probe.read_all(FESTIVAL):
        if isinstance(heard.body, AllocationConfirmed | AllocationFellShort):
            said[heard.body.festival, heard.body.request].append(heard.body)
    return said


def held(request: dict[str, Any], of: str = "product") -> Counter[str]:
    """Pieces by product, or by facility or lot."""
    pieces: Counter[str] = Counter()
    for line in request["lines"]:
        if LineStatus(line["status"]) in HELD:
            pieces[line[of]] += line["qty"]
    return pieces


async def lots(place: Season) -> dict[str, dict[str, Any]]:
    return {lot["_id"]: lot for lot in await place.mongo.database("inventory")["lots"].find({}).to_list(None)}


def _none(count: int) -> bool:
    return count == 0


# --- many at once


def two_hundred() -> dict[str, RequestAllocation]:
    """By the command's id: more than there is, of two organisers for each booth, and now and then for a product
    that the booth has no price for."""
    random = Random(6)
    asked: dict[str, RequestAllocation] = {}
    for n in range(REQUESTS):
        festival = f"F{n % FESTIVALS}"
        pairs = sorted({(f"{festival}.B{random.randint(1, 2)}", random.choice(PRODUCTS)) for _ in range(3)})
        demands = [Demand(booth=booth, product=product, qty=random.randint(1, 9)) for booth, product in pairs]
        if n % 20 == 7:
            demands.append(Demand(booth=f"{festival}.B1", product="GOLD", qty=1))
        asked[f"ask-{n}"] = RequestAllocation(
            festival=festival, request=f"R{n}", demands=tuple(demands), consent=True
        )
    return asked


async def fifty_lots(place: Season) -> None:
    for n in range(LOTS):
        facility, product = MAKERS[n % len(MAKERS)]
        report = ProductionReported(
            facility=facility,
            terminal=f"{facility}.T1",
            product=product,
            qty=10 + n % 11,
            made_on=place.today,
            maker="p.MADEUP",
        )
        await place.say(TERMINAL, report, f"made-{n}")
    await place.until("festival", "stock", {"on_hand": {"$gt": 0}}, LOTS)


@pytest.mark.timeout(170)
async def test_two_hundred_requests_at_once_for_fifty_lots_are_each_answered_once_and_nothing_is_sold_twice(
    place: Season, run_service: RunService, service_process: RunProcess
) -> None:
    asked = two_hundred()
    async with AsyncExitStack() as running:
        for name in SERVICES:
            await running.enter_async_context(run_service(name))
        # Two instances of each that decides, so that they do so truly at the same time.
        for name in ("festival", "inventory"):
            await running.enter_async_context(service_process(name))
        for n in range(FESTIVALS):
            await announce(place, f"F{n}", booths=2)
        await fifty_lots(place)
        async with asyncio.TaskGroup() as everybody:
            for n, (id, request) in enumerate(asked.items()):
                everybody.create_task(place.say(ORGANISER, request, id, source=f"organiser-{n % ORGANISERS}"))
        festival = place.mongo.database("festival")
        answered = {"_id": {"$in": list(asked)}}
        await eventually(lambda: festival["commands"].count_documents(answered), equals=REQUESTS, within=60)
        unsettled = {"status": {"$ne": "settled"}}
        await eventually(lambda: festival["requests"].count_documents(unsettled), until=_none, within=60)
        report = await verify(place.settings, within=30)

    assert report.ok, (report.waits, report.broken)
    for name in ("festival", "inventory"):
        rebuilt = await compare(place.settings, name)
        assert rebuilt.ok, rebuilt.as_dict()
    requests, said, stock = await requests_of(place), await answers(place), await lots(place)
    refused = Counter(one.command for one in await place.probe.bodies(FESTIVAL, CommandRefused))
    whole = 0
    for id, request in asked.items():
        pair = (request.festival, request.request)
        if any(demand.product == "GOLD" for demand in request.demands):
            assert (refused.pop(id), said.get(pair), requests.get(pair)) == (1, None, None)
            continue
        [answer] = said[pair]
        short = sum(one.short for one in answer.short) if isinstance(answer, AllocationFellShort) else 0
        assert answer.reserved == held(requests[pair]).total()
        assert answer.reserved + short == sum(demand.qty for demand in request.demands)
        assert not any(line["status"] in ("planned", "asked", "releasing") for line in requests[pair]["lines"])
        whole += isinstance(answer, AllocationConfirmed)
    assert not refused
    assert 0 < whole < len(requests), "there was enough for some, and not for all: else nothing is proved"

    promised: Counter[str] = Counter()
    for kept in requests.values():
        promised += held(kept, "lot")
    assert len(stock) == LOTS
    for id, lot in stock.items():
        assert lot["on_hand"] >= 0, f"{id} was promised twice"
        assert lot["on_hand"] + promised[id] == lot["recorded"]
    # Nobody goes without what lies there still.
    left = Counter[str]()
    for lot in stock.values():
        left[lot["product"]] += lot["on_hand"]
    fell = [one for given in said.values() for one in given if isinstance(one, AllocationFellShort)]
    missed = {short.product for one in fell for short in one.short}
    assert missed
    assert {product: left[product] for product in missed} == dict.fromkeys(missed, 0)


async def test_of_two_festivals_that_ask_for_the_same_lots_at_once_one_gets_what_the_other_leaves_and_is_told(
    place: Season, run_service: RunService, service_process: RunProcess
) -> None:
    """Each lot is for whose order inventory has first. What one misses there it gets where there is still some."""
    async with run_service("inventory"), run_service("festival"), service_process("festival"):
        for festival in ("FA", "FB"):
            await announce(place, festival)
        await make(place, "LA", 10, "LP-A")
        await make(place, "LB", 10, "LP-B")
        async with asyncio.TaskGroup() as both:
            for festival in ("FA", "FB"):
                both.create_task(place.say(ORGANISER, ask(festival, "R1", 14), f"ask-{festival}", source=festival))
        await place.until("festival", "requests", {"status": "settled"}, 2)
    requests, said = await requests_of(place), await answers(place)
    got = {festival: held(request).total() for (festival, _), request in requests.items()}
    assert sum(got.values()) == 20, "all there is, and no more"
    for (festival, _), [answer] in said.items():
        short = sum(one.short for one in answer.short) if isinstance(answer, AllocationFellShort) else 0
        assert (answer.reserved, short) == (got[festival], 14 - got[festival])
    orders = await place.probe.bodies(STOCK_ORDERS, ReservationRequested)
    for id, lot in (await lots(place)).items():
        left, standing = 10, {one["id"] for one in lot["reservations"]}
        for order in (order for order in orders if order.lot == id):
            assert (order.reservation in standing) == (order.qty <= left), "whoever asks first"
            left -= order.qty if order.reservation in standing else 0


async def test_two_organisers_of_one_festival_share_lots_and_the_room_at_its_booth(
    place: Season, run_service: RunService
) -> None:
    """Within a request the facilities' shares are even; what is left is the other's, within the booth's room."""
    async with run_service("inventory"), run_service("festival"):
        await announce(place, "FA", capacity=22)
        await make(place, "LA", 10, "LP-A")
        await make(place, "LB", 30, "LP-B")
        async with asyncio.TaskGroup() as both:
            for name in ("R1", "R2"):
                both.create_task(place.say(ORGANISER, ask("FA", name, 16), f"ask-{name}", source=name))
        await place.until("festival", "requests", {"status": "settled"}, 2)
    requests, said = await requests_of(place), await answers(place)
    first, second = (body.request for body in await place.probe.bodies(ORGANISER, RequestAllocation))
    # Ten and sixteen could be had of the two: the same part of each is asked for.
    assert held(requests["FA", first], "facility") == {"LP-A": 6, "LP-B": 10}
    assert isinstance(said["FA", first][0], AllocationConfirmed)
    assert held(requests["FA", second]).total() == 6, "the booth has room for no more"
    [fell] = said["FA", second]
    assert isinstance(fell, AllocationFellShort)
    assert [(one.asked, one.short) for one in fell.short] == [(16, 10)]


# --- every wait


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody waits: `begin` leads there, with the services that play, and then `document` is so. `owner` keeps the
    deadline, which comes `hours` later; it is killed at `dies` when it says so. Then `becomes` is so, and `said`
    tells of it once."""

    name: str
    owner: str
    deadline: str
    hours: int
    dies: str
    begin: Callable[[Season, dict[str, ServiceProcess]], Awaitable[None]]
    document: tuple[str, str, dict[str, Any]]
    becomes: tuple[str, str, dict[str, Any]]
    said: tuple[Topic, type[Body]]
    services: tuple[str, ...] = ("inventory", "festival")

    def __str__(self) -> str:
        return self.name


async def propose(place: Season, _: dict[str, ServiceProcess]) -> None:
    await place.say(ORGANISER, ask("FA", "R1", 7, consent=False), "ask")


async def ask_nobody(place: Season, alive: dict[str, ServiceProcess]) -> None:
    """Inventory dies before it is asked."""
    await alive.pop("inventory").kill()
    await let_go_of_the_dead(place.settings)
    await place.say(ORGANISER, ask("FA", "R1", 7), "ask")


async def reserve(place: Season, _: dict[str, ServiceProcess]) -> None:
    await place.say(ORGANISER, ask("FA", "R1", 7), "ask")
    await place.until("festival", "requests", {"status": "settled"})


async def send(place: Season, alive: dict[str, ServiceProcess]) -> None:
    await reserve(place, alive)
    order = SendShipment(festival="FA", request="R1", shipment="S1", facility="LP-A", booth="FA.B1")
    await place.say(ORGANISER, order, "send")
    await place.until("festival", "shipments", {"status": "sent"})


async def close(place: Season, alive: dict[str, ServiceProcess]) -> None:
    await send(place, alive)
    await place.say(ORGANISER, all_came(), "receive")
    await place.until("festival", "shipments", {"status": "received"})
    await place.say(ORGANISER, CloseFestival(festival="FA", till_hours=48), "close")


def all_came() -> ReceiveShipment:
    return ReceiveShipment(festival="FA", shipment="S1", booth="FA.B1", counted=(CountedLot(lot="LA", qty=7),))


WAITS = [
    Wait(
        "a plan to be accepted",
        *("festival", "hold/FA/R1", 73, "4a written, not committed", propose),
        document=("festival", "requests", {"status": "proposed", "lines.status": "planned"}),
        becomes=("festival", "requests", {"status": "withdrawn", "lines.status": "released"}),
        said=(FESTIVAL, AllocationWithdrawn),
    ),
    Wait(
        "an order to be answered by inventory",
        *("festival", "hold/FA/R1", 73, "4-6 committed, not handed to the relay", ask_nobody),
        document=("festival", "requests", {"status": "reserving", "lines.status": "asked"}),
        becomes=("festival", "requests", {"status": "settled", "lapsed": True, "lines.status": "released"}),
        said=(FESTIVAL, AllocationFellShort),
    ),
    Wait(
        "what is reserved to be sent",
        *("festival", "hold/FA/R1", 73, "R2-R3 published, outbox not deleted", reserve),
        document=("festival", "requests", {"status": "settled", "lines.status": "reserved"}),
        becomes=("festival", "requests", {"lapsed": True, "lines.status": "released"}),
        said=(FESTIVAL, AllocationFellShort),
    ),
    Wait(
        "a shipment to be received",
        *("festival", "arrive/FA/S1", 25, "3-4 decided, nothing written", send),
        document=("festival", "shipments", {"status": "sent", "overdue": False}),
        becomes=("festival", "shipments", {"status": "sent", "overdue": True}),
        said=(FESTIVAL, ShipmentOverdue),
    ),
    Wait(
        "tills to send what is left",
        *("sales", "FA.B1", 49, "4-6 committed, not handed to the relay", close),
        document=("sales", "booths", {"status": "closing"}),
        becomes=("festival", "booths", {"status": "settled"}),
        said=(BOOTH_REPORTS, SellThroughCounted),
        services=("inventory", "festival", "sales"),
    ),
]
DEADLINES = {"festival": FESTIVAL_DEADLINES, "sales": SALES_DEADLINES}


async def deadlines(place: Season, service: str) -> list[str]:
    kept = await place.mongo.database(service)["deadlines"].find({}).to_list(None)
    return sorted(one["deadline"] for one in kept)


async def keep_still(place: Season, services: Iterable[str]) -> None:
    for name in services:
        worked = partial(all_worked, name, place.settings, place.probe, place.mongo.database(name))
        await eventually(worked, within=30)


@pytest.mark.timeout(170)
@pytest.mark.parametrize("wait", WAITS, ids=str)
async def test_a_wait_ends_once_at_its_deadline_though_all_services_are_killed_in_its_midst(
    wait: Wait, place: Season, service_process: RunProcess
) -> None:
    assert wait.dies in killed_at.POINTS
    async with AsyncExitStack() as running:
        alive = {name: await running.enter_async_context(service_process(name)) for name in wait.services}
        await announce(place, "FA")
        await make(place, "LA", 10, "LP-A")
        await wait.begin(place, alive)
        await place.until(*wait.document)
        await keep_still(place, list(alive))
        for process in alive.values():
            await process.kill()
    await let_go_of_the_dead(place.settings)
    assert wait.deadline in await deadlines(place, wait.owner)

    later = ("-m", "tests.integration.ahead", wait.owner, str(wait.hours))
    async with service_process(wait.owner, command=(*later, wait.dies, "1"), ready=False) as process:
        assert await process.ended() == -9, process.output
    await let_go_of_the_dead(place.settings)

    async with AsyncExitStack() as running:
        await running.enter_async_context(service_process(wait.owner, command=later))
        for name in wait.services:
            if name != wait.owner:
                await running.enter_async_context(service_process(name))
        await place.until(*wait.becomes)
        await keep_still(place, list(wait.services))
    reached = {heard.event.id for heard in await place.probe.read_all(DEADLINES[wait.owner])}
    assert len(reached) == 1
    assert wait.deadline not in await deadlines(place, wait.owner)
    topic, kind = wait.said
    told = {heard.event.id for heard in await place.probe.read_all(topic) if isinstance(heard.body, kind)}
    assert len(told) == 1
    for name in wait.services:
        rebuilt = await compare(place.settings, name)
        assert rebuilt.ok, rebuilt.as_dict()
    [lot] = (await lots(place)).values()
    sent = sum(one["qty"] for one in lot["reservations"] if one["standing"] == "dispatched")
    assert lot["on_hand"] + sent == 10, "nothing is held for nobody"
