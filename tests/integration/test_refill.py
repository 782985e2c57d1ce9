"""A refill while booths sell, with all four services on real servers: asked for, carried out, sold, accounted for."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from deploy.stack import Stack
from ops.rebuild import compare
from ops.verify import verify
from shared.events.festival import FESTIVAL as SAID
from shared.events.festival import (
    ORGANISER,
    CloseFestival,
    CountedLot,
    ReceiveShipment,
    ReceiveTransfer,
    Replenish,
    ReplenishmentProposed,
    SendShipment,
    SendTransfer,
)
from tests.support.season import B1, B2, FESTIVAL, T1, T2, RunningSeason, bring_home, morning_season, now

pytestmark = pytest.mark.integration


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with morning_season(stack) as season:
        yield season


async def sell(season: RunningSeason, till: str, id: str, product: str, qty: int, hours_ago: int = 0) -> None:
    await season.basket(till, id, [(None, qty, product)], sold_at=now() - timedelta(hours=hours_ago))


async def replenishment_proposal(season: RunningSeason) -> ReplenishmentProposed:
    bodies = [publication.event.body for publication in await season.probe.read_all(SAID)]
    [proposal] = [body for body in bodies if isinstance(body, ReplenishmentProposed)]
    return proposal


async def carry_out(season: RunningSeason, proposal: ReplenishmentProposed) -> None:
    """People carry what is to move; the facility sends what is held."""
    for n, move in enumerate(proposal.transfers):
        lots = (CountedLot(lot=move.lot, qty=move.qty),)
        leaves = SendTransfer(festival=FESTIVAL, transfer=f"T{n}", booth=move.booth, to=move.to, lots=lots)
        receipt = ReceiveTransfer(festival=FESTIVAL, transfer=f"T{n}", booth=move.to, counted=lots)
        await season.say(ORGANISER, leaves, f"leaves-{n}")
        await season.say(ORGANISER, receipt, f"comes-{n}")
    await season.until("festival", "transfers", {"status": "received"}, len(proposal.transfers))
    lines = await season.lines(f"{FESTIVAL}/R2")
    ways = sorted({(line["facility"], line["booth"]) for line in lines if line["status"] == "reserved"})
    for n, (facility, booth) in enumerate(ways):
        send = SendShipment(festival=FESTIVAL, request="R2", shipment=f"R2-{n}", facility=facility, booth=booth)
        await season.say(ORGANISER, send, f"send-R2-{n}")
    of_refill = {"request": f"{FESTIVAL}/R2", "status": "sent"}
    await season.until("festival", "shipments", of_refill, len(ways))
    for shipment in await season.mongo.database("festival")["shipments"].find(of_refill).to_list(None):
        counted: Counter[str] = Counter()
        for parcel in shipment["parcels"]:
            counted[parcel["lot"]] += parcel["qty"]
        shipment_receipt = ReceiveShipment(
            festival=FESTIVAL,
            shipment=shipment["name"],
            booth=shipment["booth"],
            counted=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in counted.items()),
        )
        await season.say(ORGANISER, shipment_receipt, f"receive-{shipment['name']}")
    await season.until("festival", "shipments", {**of_refill, "status": "received"}, len(ways))


async def test_a_refill_is_proposed_carried_out_and_sold(season: RunningSeason) -> None:
    # The first booth sells three pieces of cloth an hour and has two left; the second sells craft and has nine.
    for n in (3, 2, 1):
        await sell(season, T1, f"cloth-{n}", "KTI", 3, hours_ago=n)
    for n in (6, 3, 1):
        await sell(season, T2, f"craft-{n}", "KRJ", 1, hours_ago=n)
    for booth in (B1, B2):
        await season.until("festival", "paces", {"_id": booth, "revision": 3})

    ask = Replenish(
        festival=FESTIVAL,
        request="R2",
        until=now() + timedelta(hours=5),
        products=("KTI",),
        consent=True,
    )
    await season.say(ORGANISER, ask, "replenish", times=2)
    await season.until("festival", "requests", {"_id": f"{FESTIVAL}/R2", "status": "settled"})
    proposal = await replenishment_proposal(season)
    first = next(forecast for forecast in proposal.forecasts if (forecast.booth, forecast.product) == (B1, "KTI"))
    assert first.missing > 0
    assert first.runs_out is not None
    cloth = [move for move in proposal.transfers if move.product == "KTI"]
    assert {(move.booth, move.to) for move in cloth} == {(B2, B1)}
    assert {refill.booth for refill in proposal.refills} == {B1}
    await carry_out(season, proposal)

    lines = await season.lines(f"{FESTIVAL}/R2")
    more = sum(move.qty for move in cloth) + sum(line["qty"] for line in lines)
    assert more > 0
    # All that is there by now, and not one piece waits.
    for n in range(first.left + more):
        await sell(season, T1, f"more-{n}", "KTI", 1)
    recorded = {"$elemMatch": {"product": "KTI", "status": "recorded"}}
    await season.sold(count=3 + first.left + more, booth=B1, sales=recorded)

    await season.say(ORGANISER, CloseFestival(festival=FESTIVAL), "close")
    for till in (T1, T2):
        await season.last_word(till)
    await season.until("festival", "booths", {"status": "settled"}, 2)
    await bring_home(season)
    report = await verify(season.settings, within=20)
    assert report.waits == ()
    assert {check.name: check.broken for check in report.broken} == {}
    for service in ("festival", "sales"):
        compared = await compare(season.settings, service)
        assert (compared.lost, compared.doubled, compared.mismatched) == ([], [], [])
