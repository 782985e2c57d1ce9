"""Many organisers ask for the same lots at once: every one is answered, and nothing is promised twice.

All quantities are made up.
"""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from random import Random

import pytest

from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import (
    FESTIVAL,
    ORGANISER,
    AllocationConfirmed,
    AllocationFellShort,
    CommandRefusal,
    CommandRefused,
    Demand,
    RequestAllocation,
)
from shared.events.inventory import STOCK_ORDERS, ReservationRequested
from shared.events.production import TERMINAL, ProductionReported
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe
from tests.support.saga import PRODUCTS, a_place, announce, answers, ask, held_pieces, lots, make, requests_of
from tests.support.season import SERVICES, RunningSeason
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

MAKERS = [
    ("PR-KPG", "KTI"),
    ("PR-KPG", "SVR"),
    ("RT-KPG", "SVR"),
    ("LP-KPG", "KRJ"),
    ("LA-KPG", "KRJ"),
    ("LP-ATB", "KRJ"),
]
LOTS, REQUESTS, FESTIVALS, ORGANISERS = 50, 200, 8, 40


@pytest.fixture
def place(settings: Settings, probe: Probe, mongo: Mongo) -> RunningSeason:
    return a_place(settings, probe, mongo)


def two_hundred() -> dict[str, RequestAllocation]:
    """By the command's id: together more than there is, and now and then for a product that the booth has no price
    for."""
    random = Random(6)
    requests_by_id: dict[str, RequestAllocation] = {}
    for n in range(REQUESTS):
        festival = f"F{n % FESTIVALS}"
        pairs = sorted({(f"{festival}.B{random.randint(1, 2)}", random.choice(PRODUCTS)) for _ in range(3)})
        demands = [Demand(booth=booth, product=product, qty=random.randint(1, 9)) for booth, product in pairs]
        if n % 20 == 7:
            demands.append(Demand(booth=f"{festival}.B1", product="GLD", qty=1))
        requests_by_id[f"ask-{n}"] = RequestAllocation(
            festival=festival, request=f"R{n}", demands=tuple(demands), consent=True
        )
    return requests_by_id


async def fifty_lots(place: RunningSeason) -> None:
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


@pytest.mark.slow
@pytest.mark.timeout(170)
async def test_two_hundred_requests_at_once_for_fifty_lots_are_each_answered_once_and_nothing_is_sold_twice(
    place: RunningSeason, run_service: RunService, service_process: RunProcess
) -> None:
    requests_by_id = two_hundred()
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
            for n, (id, request) in enumerate(requests_by_id.items()):
                everybody.create_task(place.say(ORGANISER, request, id, source=f"organiser-{n % ORGANISERS}"))
        festival = place.mongo.database("festival")
        answered = {"_id": {"$in": list(requests_by_id)}}
        await eventually(lambda: festival["commands"].count_documents(answered), equals=REQUESTS, within=60)
        unsettled = {"status": {"$ne": "settled"}}
        await eventually(
            lambda: festival["requests"].count_documents(unsettled), until=lambda count: count == 0, within=60
        )
        report = await verify(place.settings, within=30)

    assert report.ok, (report.waits, report.broken)
    for name in ("festival", "inventory"):
        rebuilt = await compare(place.settings, name)
        assert rebuilt.ok, rebuilt.as_dict()
    requests, outcomes, stock = await requests_of(place), await answers(place), await lots(place)
    refusals = await place.probe.bodies(FESTIVAL, CommandRefused)
    refused = Counter(refusal.command for refusal in refusals)
    too_late = {refusal.command for refusal in refusals if refusal.reason is CommandRefusal.NOTHING_TO_PLAN}
    whole = 0
    for id, request in requests_by_id.items():
        pair = (request.festival, request.request)
        if id in too_late or any(demand.product == "GLD" for demand in request.demands):
            assert (refused.pop(id), outcomes.get(pair), requests.get(pair)) == (1, None, None)
            continue
        [answer] = outcomes[pair]
        short = answer.short if isinstance(answer, AllocationFellShort) else 0
        assert answer.reserved == held_pieces(requests[pair]).total()
        assert answer.reserved + short == sum(demand.qty for demand in request.demands)
        assert not any(line["status"] in ("planned", "asked", "releasing") for line in requests[pair]["lines"])
        whole += isinstance(answer, AllocationConfirmed)
    assert not refused
    assert 0 < whole < len(requests), "there was enough for some, and not for all: else nothing is proved"

    promised: Counter[str] = Counter()
    for document in requests.values():
        promised += held_pieces(document, "lot")
    assert len(stock) == LOTS
    for id, lot in stock.items():
        assert lot["on_hand"] >= 0, f"{id} was promised twice"
        assert lot["on_hand"] + promised[id] == lot["recorded"]
    # Nobody goes without what lies there still.
    on_hand = Counter[str]()
    for lot in stock.values():
        on_hand[lot["product"]] += lot["on_hand"]
    missed = {
        product
        for request in requests_by_id.values()
        if (pair := (request.festival, request.request)) in requests
        for product in {demand.product for demand in request.demands}
        if held_pieces(requests[pair], "product")[product]
        < sum(demand.qty for demand in request.demands if demand.product == product)
    }
    assert missed
    assert {product: on_hand[product] for product in missed} == dict.fromkeys(missed, 0)


async def test_of_two_festivals_that_ask_for_the_same_lots_at_once_one_gets_what_the_other_leaves_and_is_told(
    place: RunningSeason, run_service: RunService, service_process: RunProcess
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
    requests, outcomes = await requests_of(place), await answers(place)
    reserved_pieces = {festival: held_pieces(request).total() for (festival, _), request in requests.items()}
    assert sum(reserved_pieces.values()) == 20, "all there is, and no more"
    for (festival, _), [answer] in outcomes.items():
        short = answer.short if isinstance(answer, AllocationFellShort) else 0
        assert (answer.reserved, short) == (reserved_pieces[festival], 14 - reserved_pieces[festival])
    orders = await place.probe.bodies(STOCK_ORDERS, ReservationRequested)
    for id, lot in (await lots(place)).items():
        remaining, standing = 10, {reservation["id"] for reservation in lot["reservations"]}
        for order in (order for order in orders if order.lot == id):
            assert (order.reservation in standing) == (order.qty <= remaining), "whoever asks first"
            remaining -= order.qty if order.reservation in standing else 0


async def test_two_organisers_of_one_festival_share_lots_and_the_room_at_its_booth(
    place: RunningSeason, run_service: RunService
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
    requests, outcomes = await requests_of(place), await answers(place)
    first, second = (body.request for body in await place.probe.bodies(ORGANISER, RequestAllocation))
    # Ten and sixteen could be had of the two: the same part of each is asked for.
    assert held_pieces(requests["FA", first], "facility") == {"LP-A": 6, "LP-B": 10}
    assert isinstance(outcomes["FA", first][0], AllocationConfirmed)
    assert held_pieces(requests["FA", second]).total() == 6, "the booth has room for no more"
    [shortfall] = outcomes["FA", second]
    assert isinstance(shortfall, AllocationFellShort)
    assert shortfall.short == 10
