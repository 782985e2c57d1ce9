"""A count that is taken back after the books were settled, with all four services on real servers."""

from collections.abc import AsyncIterator

import pytest

from deploy.stack import Stack
from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import ORGANISER, CloseFestival, CountedLot, RecountShipment
from tests.support.season import (
    B1,
    FESTIVAL,
    PRICE,
    T1,
    T2,
    RunningSeason,
    bring_home,
    morning_season,
    recount_home,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with morning_season(stack) as season:
        yield season


async def test_a_recount_after_settlement_is_a_correction_and_everything_adds_up(season: RunningSeason) -> None:
    booth = await season.document("festival", "booths", B1)
    [lot] = [lot for lot in booth["lots"] if lot["product"] == "SVR"]
    shipments = season.mongo.database("festival")["shipments"]
    shipment = await shipments.find_one({"booth": B1, "parcels.lot": lot["lot"]})
    assert shipment is not None
    sent = sum(parcel["qty"] for parcel in shipment["parcels"] if parcel["lot"] == lot["lot"])

    async def recount(qty: int, revision: int) -> None:
        counted = (CountedLot(lot=lot["lot"], qty=qty),)
        command = RecountShipment(festival=FESTIVAL, shipment=shipment["name"], booth=B1, counted=counted)
        await season.say(ORGANISER, command, f"recount-{revision}", times=2)
        recounted_lot = {"lot": lot["lot"], "recount": revision, "stocked": qty}
        await season.until("sales", "booths", {"_id": B1, "lots": {"$elemMatch": recounted_lot}})

    await recount(1, 1)
    await season.sell(T1, "sale", lot["lot"], 4, "SVR")
    await season.sold("waiting", receipt="sale")
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL), "close")
    for till in (T1, T2):
        await season.last_word(till)
    await season.sold("disputed", receipt="sale")
    await season.until("festival", "booths", {"_id": B1, "disputed": ["sale/1"]})
    facility = {"facility": lot["facility"]}
    await season.until("sales", "settlements", {**facility, "qty": 1, "revision": 1})

    # One more than was ever sent: the sale in dispute is covered, and a piece is found.
    await recount(sent + 1, 2)
    await season.sold("recorded", receipt="sale")
    corrected = {"qty": 4, "sold_rupiah": 4 * PRICE, "revision": 2}
    await season.until("sales", "settlements", facility | corrected)
    await season.until("festival", "booths", {"_id": B1, "disputed": [], "status": "settled"})
    await season.until("inventory", "lots", {"_id": lot["lot"], "finds": {"$size": 1}})
    await bring_home(season)
    await recount_home(season)
    await season.until("festival", "festivals", {"status": "closed"})
    sums = (await season.document("festival", "festivals", FESTIVAL))["sums"]
    assert (sums["found"], sums["sold"], sums["lost"], sums["surplus"]) == (1, 4, 0, 0)
    assert sums["received"] == sums["sold"] + sums["returned"]
    report = await verify(season.settings, within=20)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    for service in ("festival", "inventory", "sales"):
        rebuild_report = await compare(season.settings, service)
        assert (rebuild_report.lost, rebuild_report.doubled, rebuild_report.mismatched) == ([], [], [])
