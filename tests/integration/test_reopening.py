"""A booth that was closed, settled and sells again, with all four services on real servers. All made up."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.stack import Stack
from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import (
    ORGANISER,
    CloseBooth,
    CloseFestival,
    CountedLot,
    DisputeOutcome,
    ReceiveReturn,
    ReceiveTransfer,
    ReopenBooth,
    ResolveDispute,
    SendTransfer,
)
from shared.events.sales import SETTLEMENTS, SettlementCorrected, SettlementIssued, SettlementPostponed
from tests.support.season import B1, B2, FESTIVAL, T1, T2, RunningSeason, morning_season

pytestmark = pytest.mark.integration


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with morning_season(stack) as season:
        yield season


async def adds_up(season: RunningSeason) -> None:
    report = await verify(season.settings, within=20)
    assert (report.waits, {check.name: check.broken for check in report.broken}) == ((), {})


async def ended(season: RunningSeason, id: str, outcome: str = "done") -> None:
    await season.until("festival", "commands", {"_id": id, "outcome": outcome})


async def first_lots(season: RunningSeason) -> list[dict[str, Any]]:
    """The first lot at B1 of each facility."""
    lots = (await season.document("festival", "booths", B1))["lots"]
    return list({lot["facility"]: lot for lot in reversed(lots)}.values())


async def share_with_the_other_booth(season: RunningSeason) -> None:
    """Each facility has a piece at B2, so that its settlement waits for that booth."""
    lots = tuple(CountedLot(lot=lot["lot"], qty=1) for lot in await first_lots(season))
    await season.say(ORGANISER, SendTransfer(festival=FESTIVAL, transfer="T1", booth=B1, to=B2, lots=lots), "share")
    await season.say(ORGANISER, ReceiveTransfer(festival=FESTIVAL, transfer="T1", booth=B2, counted=lots), "shared")
    await ended(season, "shared")


async def decide_while_it_is_open(season: RunningSeason) -> None:
    """A sale of far too many waits; the organiser rejects it at once, and a sale that nobody made is refused."""
    await season.sell(T1, "far-too-many", season.lots[4], 400, "KRJ")
    await season.sold("waiting", receipt="far-too-many")
    for sale in ("far-too-many", "never"):
        word = ResolveDispute(festival=FESTIVAL, booth=B1, sale=f"{sale}/1", outcome=DisputeOutcome.REJECTED)
        await season.say(ORGANISER, word, f"reject-{sale}")
    await ended(season, "reject-far-too-many")
    await ended(season, "reject-never", "refused")
    await season.sold(count=0, **{"sales.status": "waiting"})


async def bring_home(season: RunningSeason) -> None:
    for booth in await season.mongo.database("festival")["booths"].find({}).to_list(None):
        sold = {sale["lot"]: sale["qty"] for sale in booth["sold"]}
        for lot in booth["lots"]:
            remainder = lot["received"] - lot["moved_out"] - sold.get(lot["lot"], 0) - lot["returned"]
            home = ReceiveReturn(festival=FESTIVAL, booth=booth["_id"], lot=lot["lot"], qty=max(0, remainder))
            await season.say(ORGANISER, home, f"home-{booth['_id']}-{lot['lot']}")
    await season.until("festival", "festivals", {"status": "closed"})


async def test_a_settled_booth_sells_again_until_its_facilities_are_settled_with(season: RunningSeason) -> None:
    await share_with_the_other_booth(season)
    await decide_while_it_is_open(season)
    cloth = next(lot["lot"] for lot in await first_lots(season) if lot["product"] in ("KTI", "SVR"))
    [product] = {lot["product"] for lot in await first_lots(season) if lot["lot"] == cloth}
    await season.sell(T1, "first", cloth, 1, product)
    await season.say(ORGANISER, CloseBooth(festival=FESTIVAL, booth=B1), "close-1")
    await season.last_word(T1)
    await season.until("festival", "booths", {"_id": B1, "status": "settled"})
    home = ReceiveReturn(festival=FESTIVAL, booth=B1, lot=cloth, qty=1, final=False)
    await season.say(ORGANISER, home, "home-early")
    await ended(season, "home-early")

    await season.say(ORGANISER, ReopenBooth(festival=FESTIVAL, booth=B1), "reopen", times=2)
    await ended(season, "reopen")
    for service in ("festival", "sales"):
        await season.until(service, "booths", {"_id": B1, "status": "open", "opening": 2})
    moved = {"lots": {"$elemMatch": {"lot": cloth, "moved": 2}}}
    await season.until("sales", "booths", {"_id": B1, **moved})
    await adds_up(season)

    await season.sell(T1, "again", cloth, 1, product)
    await season.sold("recorded", receipt="again")
    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL), "close-all")
    await season.until("sales", "booths", {"status": "closing"}, 2)
    await season.last_word(T1, opening=2)
    await season.last_word(T2)
    await season.until("festival", "booths", {"status": "settled"}, 2)
    facilities = (await season.document("sales", "booths", B1))["facilities"]
    await season.until("sales", "settlements", {"issued": True}, len(facilities))
    await season.say(ORGANISER, ReopenBooth(festival=FESTIVAL, booth=B1), "reopen-late")
    await ended(season, "reopen-late", "refused")
    refused = await season.document("festival", "commands", "reopen-late")
    assert refused["wrong"]["reason"] == "settled"

    await bring_home(season)
    await adds_up(season)
    for kind in (SettlementIssued, SettlementPostponed):
        assert sorted(body.facility for body in await season.probe.bodies(SETTLEMENTS, kind)) == sorted(facilities)
    assert await season.probe.bodies(SETTLEMENTS, SettlementCorrected) == []
    for service in ("festival", "sales"):
        report = await compare(season.settings, service)
        assert (report.lost, report.doubled, report.mismatched) == ([], [], [])
