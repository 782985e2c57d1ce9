"""A boat that does not sail, a damaged shipment and a booth that closes, with the four real services. All made up."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest

from deploy.stack import Stack
from deploy.topics import SERVICES
from ops.rebuild import compare
from ops.trace import trace
from ops.verify import verify
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    ORGANISER,
    AcceptPlan,
    AllocationRevised,
    AnnounceFestival,
    BoothClosing,
    CloseBooth,
    CloseFestival,
    CountedLot,
    Demand,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    RequestAllocation,
    ReviseAllocation,
    SendShipment,
)
from shared.events.language import Body
from shared.events.production import TERMINAL, ProductionReported
from shared.mongo import Mongo
from tests.support.place import a_place
from tests.support.probe import a_probe
from tests.support.running import run_service
from tests.support.season import B1, B2, MAKERS, PRICE, T1, T2, RunningSeason, now

pytestmark = pytest.mark.integration

NEAR, FAR = "PR-KPG", "RT-KPG"
PRODUCT = "SVR"


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    """The four services at work, with stock of one product at two facilities and a festival with two booths."""
    async with a_place(stack) as settings, a_probe(settings) as probe, AsyncExitStack() as running:
        season = RunningSeason(settings, probe, Mongo(settings), (now() - timedelta(days=1)).date())
        running.push_async_callback(season.mongo.close)
        for service in SERVICES:
            await running.enter_async_context(run_service(service, settings))
        for facility in (NEAR, FAR):
            made = ProductionReported(
                facility=facility,
                terminal=f"{facility}.T1",
                product=PRODUCT,
                qty=40,
                made_on=season.today,
                maker=MAKERS[0],
            )
            await season.say(TERMINAL, made, f"made-{facility}")
        day = (now() + timedelta(days=1)).date()
        await organise(
            season,
            AnnounceFestival(
                festival="ODOP",
                name="Festival",
                place="Kupang",
                zone="Asia/Makassar",
                first_day=day,
                last_day=day,
            ),
        )
        for booth, till in ((B1, T1), (B2, T2)):
            prices = (Price(product=PRODUCT, price_rupiah=PRICE),)
            await organise(season, OpenBooth(festival="ODOP", booth=booth, name=booth, prices=prices, tills=(till,)))
        await season.until("festival", "stock", {"on_hand": 40}, 2)
        yield season


async def organise(season: RunningSeason, body: Body, outcome: str = "done") -> None:
    """A command, until it is carried out."""
    id = str(uuid4())
    await season.say(ORGANISER, body, id)
    await season.until("festival", "commands", {"_id": id, "outcome": outcome})


async def reserved_pieces(season: RunningSeason) -> dict[tuple[str, str], int]:
    """Pieces by facility and booth, once inventory has answered for every line."""
    answered = {"tallies.asked": {"$exists": False}, "tallies.releasing": {"$exists": False}}
    await season.until("festival", "requests", {"status": "settled", **answered})
    pieces: dict[tuple[str, str], int] = {}
    for line in await season.lines("ODOP/R1"):
        if line["status"] == "reserved":
            pair = line["facility"], line["booth"]
            pieces[pair] = pieces.get(pair, 0) + line["qty"]
    return pieces


async def ship(season: RunningSeason, name: str, lost: int = 0) -> str:
    """Everything that the near facility has reserved for the first booth comes there, but for what is lost; the
    lot."""
    sent = SendShipment(festival="ODOP", request="R1", shipment=name, facility=NEAR, booth=B1)
    await organise(season, sent)
    await season.until("festival", "shipments", {"_id": f"ODOP/{name}", "status": "sent"})
    parcels = (await season.document("festival", "shipments", f"ODOP/{name}"))["parcels"]
    [lot] = {parcel["lot"] for parcel in parcels}
    count = CountedLot(lot=lot, qty=sum(parcel["qty"] for parcel in parcels) - lost)
    await organise(season, ReceiveShipment(festival="ODOP", shipment=name, booth=B1, counted=(count,)))
    return str(lot)


async def test_a_boat_that_does_not_sail_a_damaged_shipment_and_a_booth_that_closes(season: RunningSeason) -> None:
    demands = tuple(Demand(booth=booth, product=PRODUCT, qty=12) for booth in (B1, B2))
    command = RequestAllocation(
        festival="ODOP", request="R1", demands=demands, consent=True, revise_at_percent=25, hold_hours=1
    )
    await organise(season, command)
    assert sum((await reserved_pieces(season)).values()) == 24

    # The boat: a proposal that changes nothing, until it is accepted.
    before = await reserved_pieces(season)
    revision = ReviseAllocation(festival="ODOP", request="R1", without=(FAR,), reason="the boat did not sail")
    await organise(season, revision)
    assert await reserved_pieces(season) == before
    assert (await season.document("festival", "requests", "ODOP/R1"))["waiting"] == [FAR]
    await organise(season, AcceptPlan(festival="ODOP", request="R1"))
    assert await reserved_pieces(season) == {(NEAR, B1): 12, (NEAR, B2): 12}
    await season.until("festival", "stock", {"facility": FAR, "on_hand": 40})

    # The damage: a quarter of what was asked for, made good without a word.
    lot = await ship(season, "S1", lost=6)
    revised = {"revision.carried_out": True, "revision.without": [FAR], "revision.back": []}
    await season.until("festival", "plan_terms", revised)
    await season.until("festival", "requests", {"lost": 0, "revising": False})
    assert await reserved_pieces(season) == {(NEAR, B1): 6, (NEAR, B2): 12}

    # The booth: what was for it is free at once, and it closes by itself.
    await organise(season, CloseBooth(festival="ODOP", booth=B2, till_hours=0))
    await season.until("inventory", "lots", {"_id": lot, "on_hand": 40 - 12 - 6})
    assert await reserved_pieces(season) == {(NEAR, B1): 6}
    await season.last_word(T2)
    await season.until("festival", "booths", {"_id": B2, "status": "settled"})
    await ship(season, "S2")
    await season.sell(T1, "sale-1", lot, 5, PRODUCT)

    await organise(season, CloseFestival(festival="ODOP", till_hours=0))
    await season.last_word(T1)
    await season.until("festival", "booths", {"status": "settled"}, 2)
    await organise(season, ReceiveReturn(festival="ODOP", booth=B1, lot=lot, qty=7))
    await season.until("festival", "festivals", {"status": "closed", "sums.sold": 5, "sums.lost_on_the_way": 6})
    revisions = await season.probe.bodies(FESTIVAL, AllocationRevised)
    assert [(revision.carried_out, len(revision.added), len(revision.back)) for revision in revisions] == [
        (False, 1, 1),
        (True, 1, 0),
        (True, 0, 1),
    ]
    assert sorted(closing.booth for closing in await season.probe.bodies(BOOTH_STOCK, BoothClosing)) == [B1, B2]

    report = await verify(season.settings, within=30)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    for service in SERVICES:
        rebuilt = await compare(season.settings, service)
        assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])
    assert any("goes back" in entry.text for entry in (await trace(season.settings, lot)).entries)
