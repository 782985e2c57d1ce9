"""A sale of more than any one facility sent to a booth, with all four services on real servers. All made up."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, timedelta

import pytest

from deploy.stack import Stack
from ops.verify import verify
from shared.events.festival import (
    ORGANISER,
    AnnounceFestival,
    CloseFestival,
    CountedLot,
    Demand,
    DisputeOutcome,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    RequestAllocation,
    ResolveDispute,
    SendShipment,
)
from shared.events.production import TERMINAL, ProductionReported
from shared.events.sales import TILL, Payment, PaymentKind, ReceiptIssued, ReceiptLine, TillClosed
from shared.mongo import Mongo
from tests.support.place import a_place
from tests.support.probe import a_probe
from tests.support.running import run_service
from tests.support.season import MAKERS, SERVICES, RunningSeason, now

pytestmark = pytest.mark.integration

PASAR, BOOTH, PRODUCT = "PASAR", "PASAR.B1", "KRJ"
SENT = {"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 10}
PRICE = 50_000


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    """Twenty pieces of one product, made by three facilities, lie at the booth."""
    async with a_place(stack) as settings, a_probe(settings) as probe, AsyncExitStack() as running:
        season = RunningSeason(settings, probe, Mongo(settings), (now() - timedelta(days=1)).date())
        running.push_async_callback(season.mongo.close)
        for service in SERVICES:
            await running.enter_async_context(run_service(service, settings))
        await stock(season)
        yield season


async def stock(season: RunningSeason) -> None:
    for facility, qty in SENT.items():
        made = ProductionReported(
            facility=facility,
            terminal=f"{facility}.T1",
            product=PRODUCT,
            qty=qty,
            made_on=season.today,
            maker=MAKERS[0],
        )
        await season.say(TERMINAL, made, f"made-{facility}")
    await season.until("festival", "stock", {"on_hand": {"$gt": 0}}, len(SENT))
    day = date(2026, 4, 18)
    for id, command in {
        "announce": AnnounceFestival(
            festival=PASAR,
            name="Pasar",
            place="Kupang",
            zone="Asia/Makassar",
            first_day=day,
            last_day=day,
            confirmed=True,
        ),
        "open": OpenBooth(
            festival=PASAR,
            booth=BOOTH,
            name="Booth",
            prices=(Price(product=PRODUCT, price_rupiah=PRICE),),
            tills=("T1",),
        ),
        "request": RequestAllocation(
            festival=PASAR,
            request="R1",
            demands=(Demand(booth=BOOTH, product=PRODUCT, qty=sum(SENT.values())),),
            consent=True,
        ),
    }.items():
        await season.say(ORGANISER, command, id)
    await season.until("festival", "requests", {"status": "settled"})
    for facility in SENT:
        sent = SendShipment(festival=PASAR, request="R1", shipment=facility, facility=facility, booth=BOOTH)
        await season.say(ORGANISER, sent, f"send-{facility}")
    await season.until("festival", "shipments", {"status": "sent"}, len(SENT))
    for shipment in await season.mongo.database("festival")["shipments"].find({}).to_list(None):
        counted = tuple(CountedLot(lot=parcel["lot"], qty=parcel["qty"]) for parcel in shipment["parcels"])
        come = ReceiveShipment(festival=PASAR, shipment=shipment["name"], booth=BOOTH, counted=counted)
        await season.say(ORGANISER, come, f"receive-{shipment['name']}")
    await season.until("sales", "booths", {"_id": BOOTH, "lots": {"$size": len(SENT)}})


async def sell(season: RunningSeason, qty: int) -> None:
    line = ReceiptLine(line=1, product=PRODUCT, qty=qty, unit_price_rupiah=PRICE)
    receipt = ReceiptIssued(
        booth=BOOTH,
        till="T1",
        device="D1",
        seq=1,
        lines=(line,),
        payment=Payment(kind=PaymentKind.CASH),
        sold_at=now(),
    )
    await season.say(TILL, receipt, "sale", source="T1")
    await season.sold(receipt="sale")


async def close(season: RunningSeason) -> None:
    await season.say(ORGANISER, CloseFestival(festival=PASAR), "close")
    await season.say(
        TILL,
        TillClosed(booth=BOOTH, till="T1", device="D1", seq=2, previous="sale", last_seq=2),
        "last-word",
        source="T1",
    )
    await season.until("festival", "booths", {"status": "settled"})


async def bring_home(season: RunningSeason) -> None:
    """All that each lot is believed to have left."""
    booth = await season.document("festival", "booths", BOOTH)
    sold = {line["lot"]: line["qty"] for line in booth["sold"]}
    for lot in booth["lots"]:
        home = ReceiveReturn(
            festival=PASAR, booth=BOOTH, lot=lot["lot"], qty=max(0, lot["received"] - sold.get(lot["lot"], 0))
        )
        await season.say(ORGANISER, home, f"home-{lot['lot']}")
    await season.until("festival", "festivals", {"status": "closed"})


async def test_a_sale_of_more_than_any_facility_sent_is_shared_by_all_that_sent_some(season: RunningSeason) -> None:
    await sell(season, 15)
    await close(season)
    await season.until("festival", "booths", {"_id": BOOTH, "revision": 1, "disputed": []})
    await bring_home(season)
    report = await verify(season.settings, within=20)
    assert (report.waits, {check.name: check.broken for check in report.broken}) == ((), {})
    [sale] = (await season.document("sales", "receipts", f"{BOOTH} sale"))["sales"]
    assert (sale["status"], sale["disputed"]) == ("recorded", 0)
    # In proportion to what each has there, whole pieces by largest remainder.
    assert {facility: qty for _, facility, qty, *_ in sale["parts"]} == {"LA-KPG": 4, "LP-ATB": 4, "LP-KPG": 7}
    settled = await season.mongo.database("sales")["settlements"].find({}).to_list(None)
    assert {settlement["facility"]: settlement["sold_rupiah"] for settlement in settled} == {
        "LA-KPG": 4 * PRICE,
        "LP-ATB": 4 * PRICE,
        "LP-KPG": 7 * PRICE,
    }


async def test_an_accepted_dispute_credits_nobody_with_more_than_came(season: RunningSeason) -> None:
    await sell(season, 25)
    await close(season)
    accept = ResolveDispute(festival=PASAR, booth=BOOTH, sale="sale/1", outcome=DisputeOutcome.ACCEPTED)
    await season.say(ORGANISER, accept, "accept")
    await season.until("festival", "booths", {"_id": BOOTH, "revision": 2})
    report = await verify(season.settings, within=20)
    assert (report.waits, {check.name: check.broken for check in report.broken}) == ((), {})
    [sale] = (await season.document("sales", "receipts", f"{BOOTH} sale"))["sales"]
    assert (sum(qty for _, _, qty, *_ in sale["parts"]), sale["disputed"]) == (20, 5)
