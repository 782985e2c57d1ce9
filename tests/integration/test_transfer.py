"""Goods that go from one booth to another while both sell, with all four services on real servers."""

from collections.abc import AsyncIterator

import pytest

from deploy.stack import Stack
from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import (
    ORGANISER,
    CloseFestival,
    CountedLot,
    DisputeOutcome,
    ReceiveTransfer,
    ResolveDispute,
    SendTransfer,
)
from tests.support.season import (
    B1,
    B2,
    FESTIVAL,
    PRICE,
    T1,
    T2,
    RunningSeason,
    bring_home,
    morning_season,
)

pytestmark = pytest.mark.integration


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with morning_season(stack) as season:
        yield season


async def sell(season: RunningSeason, till: str, id: str, lot: str, qty: int) -> None:
    await season.sell(till, id, lot, qty, "SVR")


async def close(season: RunningSeason) -> None:
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL), "close")
    for till in (T1, T2):
        await season.last_word(till)
    await season.until("festival", "booths", {"status": "settled"}, 2)


async def test_a_piece_is_sold_once_though_a_till_without_a_network_sold_what_had_left(season: RunningSeason) -> None:
    [lot] = [
        lot["lot"] for lot in (await season.document("festival", "booths", B1))["lots"] if lot["product"] == "SVR"
    ]
    await season.until("sales", "booths", {"_id": B1, "lots.lot": lot})
    await sell(season, T1, "before", lot, 1)
    await season.until("festival", "paces", {"_id": B1, "sold": {"$elemMatch": {"lot": lot, "qty": 1}}})

    # Five came and one is sold, as festival has heard by now.
    five, four = (
        SendTransfer(festival=FESTIVAL, transfer="T1", booth=B1, to=B2, lots=(CountedLot(lot=lot, qty=qty),))
        for qty in (5, 4)
    )
    await season.say(ORGANISER, five, "too-many")
    await season.until("festival", "commands", {"_id": "too-many", "outcome": "refused"})
    await season.say(ORGANISER, four, "move", times=2)
    await season.until("festival", "transfers", {"status": "sent"})
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL), "too-early")
    await season.until("festival", "commands", {"_id": "too-early", "outcome": "refused"})
    receipt = ReceiveTransfer(festival=FESTIVAL, transfer="T1", booth=B2, counted=(CountedLot(lot=lot, qty=4),))
    await season.say(ORGANISER, receipt, "moved", times=2)
    await season.until("sales", "booths", {"_id": B2, "lots": {"$elemMatch": {"lot": lot, "stocked": 4}}})
    await season.until("sales", "booths", {"_id": B1, "lots": {"$elemMatch": {"lot": lot, "moved": 4}}})

    await sell(season, T2, "there", lot, 3)
    await sell(season, T1, "gone", lot, 2)
    await season.sold("recorded", receipt="there")
    await season.sold("waiting", receipt="gone")
    await close(season)
    await season.sold("disputed", receipt="gone")
    await season.until("festival", "booths", {"_id": B1, "disputed": ["gone/1"]})
    word = ResolveDispute(festival=FESTIVAL, booth=B1, sale="gone/1", outcome=DisputeOutcome.REJECTED)
    await season.say(ORGANISER, word, "resolve")
    await season.until("festival", "booths", {"_id": B1, "disputed": [], "revision": 2})
    await bring_home(season)

    sums = (await season.document("festival", "festivals", FESTIVAL))["sums"]
    # One of 46 pieces was lost on its way from a facility; those that moved between booths count once.
    assert (sums["received"], sums["lost_on_the_way"], sums["sold"], sums["lost"]) == (45, 1, 4, 0)
    assert sums["returned"] == 41
    settlement = await season.mongo.database("sales")["settlements"].find_one({"facility": lot[:6]})
    assert settlement is not None
    assert (settlement["qty"], settlement["sold_rupiah"]) == (4, 4 * PRICE)
    report = await verify(season.settings, within=20)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    for service in ("festival", "sales"):
        rebuild_report = await compare(season.settings, service)
        assert (rebuild_report.lost, rebuild_report.doubled, rebuild_report.mismatched) == ([], [], [])
