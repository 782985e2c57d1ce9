"""A national festival: one request for 300 booths, from plan to close, with the four real services. All made up."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from deploy.stack import Stack
from deploy.topics import SERVICES
from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import (
    FESTIVAL,
    ORGANISER,
    AllocationConfirmed,
    AllocationPlanned,
    AnnounceFestival,
    CloseFestival,
    CountedLot,
    Demand,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    RequestAllocation,
    SendShipment,
)
from shared.events.language import Body
from shared.events.parts import joined
from shared.events.production import TERMINAL, ProductionReported
from shared.events.sales import TILL, TillClosed
from shared.mongo import Mongo
from tests.support.place import a_place
from tests.support.probe import a_probe
from tests.support.running import run_service
from tests.support.season import MAKERS, PRICE, RunningSeason, now
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NAME = "NASIONAL"
BOOTHS = [f"{NAME}.B{number:03d}" for number in range(300)]
PIECES = 2
MADE = {"LP-WKB": ("TBL", "KPL", "SHP"), "PR-KPG": ("KTI", "SVR")}
PRODUCTS = [product for products in MADE.values() for product in products]
LOT = 120
LOTS = PIECES * len(BOOTHS) // LOT
WITHIN = 60.0


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with a_place(stack) as settings, a_probe(settings) as probe, AsyncExitStack() as running:
        season = RunningSeason(settings, probe, Mongo(settings), (now() - timedelta(days=1)).date())
        running.push_async_callback(season.mongo.close)
        for service in SERVICES:
            await running.enter_async_context(run_service(service, settings))
        yield season


async def organise(season: RunningSeason, step: str, bodies: Iterable[Body]) -> None:
    """Commands, until all of them are carried out."""
    commands = list(bodies)
    await asyncio.gather(*(season.say(ORGANISER, body, f"{step}-{n}") for n, body in enumerate(commands)))
    completed_command = {"_id": {"$regex": f"^{step}-"}, "outcome": "done"}
    await until(season, "commands", completed_command, len(commands))


async def until(season: RunningSeason, collection: str, wanted: dict[str, Any], count: int) -> None:
    documents = season.mongo.database("festival")[collection]
    await eventually(lambda: documents.count_documents(wanted), equals=count, within=WITHIN)


async def made(season: RunningSeason) -> None:
    """The stock, of small lots, so that some of them serve many booths and some booths are served from two."""
    reports = [
        (facility, product, n) for facility, products in MADE.items() for product in products for n in range(LOTS)
    ]
    for facility, product, n in reports:
        report = ProductionReported(
            facility=facility,
            terminal=f"{facility}.T1",
            product=product,
            qty=LOT,
            made_on=season.today,
            maker=MAKERS[0],
        )
        await season.say(TERMINAL, report, f"made-{product}-{n}")
    await until(season, "stock", {"on_hand": LOT}, len(reports))


async def test_a_request_for_300_booths_runs_from_plan_to_close(season: RunningSeason) -> None:
    day = (now() + timedelta(days=9)).date()
    announced = AnnounceFestival(
        festival=NAME, name="Nasional", place="Jakarta", zone="Asia/Jakarta", first_day=day, last_day=day
    )
    await organise(season, "announce", [announced])
    await made(season)
    prices = tuple(Price(product=product, price_rupiah=PRICE) for product in PRODUCTS)
    opened = (
        OpenBooth(festival=NAME, booth=booth, name=booth, prices=prices, tills=(f"{booth}.T1",)) for booth in BOOTHS
    )
    await organise(season, "open", opened)

    demands = tuple(Demand(booth=booth, product=product, qty=PIECES) for booth in BOOTHS for product in PRODUCTS)
    await organise(season, "request", [RequestAllocation(festival=NAME, request="R1", demands=demands, consent=True)])
    pieces = PIECES * len(demands)
    await until(season, "requests", {"status": "settled", "tallies.reserved.1": pieces}, 1)
    lines = await season.lines(f"{NAME}/R1")
    assert len(lines) >= len(demands)
    parts = await season.probe.bodies(FESTIVAL, AllocationPlanned)
    assert len(parts) > 1
    whole = joined(parts)
    assert whole is not None
    assert [line.reservation for line in whole.lines] == [line["reservation"] for line in lines]
    [confirmed] = await season.probe.bodies(FESTIVAL, AllocationConfirmed)
    assert confirmed.reserved == pieces

    by_route: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        by_route[line["booth"], line["facility"]][line["lot"]] += line["qty"]
    routes = {f"S{number}": route for number, route in enumerate(sorted(by_route), 1)}
    sent = (
        SendShipment(festival=NAME, request="R1", shipment=name, facility=facility, booth=booth)
        for name, (booth, facility) in routes.items()
    )
    await organise(season, "send", sent)
    await until(season, "shipments", {"status": "sent"}, len(routes))
    received = (
        ReceiveShipment(festival=NAME, shipment=name, booth=route[0], counted=counted(by_route[route]))
        for name, route in routes.items()
    )
    await organise(season, "receive", received)

    await organise(season, "close", [CloseFestival(festival=NAME, till_hours=0)])
    closed = (
        TillClosed(booth=booth, till=f"{booth}.T1", device=f"device-{booth}", seq=1, previous=None, last_seq=1)
        for booth in BOOTHS
    )
    await asyncio.gather(*(season.say(TILL, body, f"closed-{n}", source=BOOTHS[n]) for n, body in enumerate(closed)))
    await until(season, "booths", {"status": "settled"}, len(BOOTHS))
    back = (
        ReceiveReturn(festival=NAME, booth=booth, lot=lot, qty=qty)
        for (booth, _), lots in sorted(by_route.items())
        for lot, qty in lots.items()
    )
    await organise(season, "return", back)
    await until(season, "festivals", {"status": "closed", "sums.received": pieces, "sums.returned": pieces}, 1)

    report = await verify(season.settings, within=60)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    rebuilt = await compare(season.settings, "festival")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


def counted(lots: dict[str, int]) -> tuple[CountedLot, ...]:
    return tuple(CountedLot(lot=lot, qty=qty) for lot, qty in lots.items())
