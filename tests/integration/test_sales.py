"""Sales on a real Kafka and a real MongoDB: a small booth from its opening to the settlement. Prices are made up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    DisputeOutcome,
    DisputeResolved,
    Price,
)
from shared.events.language import Body
from shared.events.sales import (
    BOOTH_REPORTS,
    DEMAND,
    PUBLIC_SALES,
    SALES,
    SETTLEMENTS,
    TILL,
    BoothCounted,
    DemandSignalled,
    LotCount,
    SaleDisputed,
    SalePublished,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    SaleWithdrawn,
    SellThroughCounted,
    SettlementCorrected,
    SettlementIssued,
    SoldOut,
    SoldThrough,
    TillClosed,
)
from shared.mongo import Database, Mongo
from shared.settings import Settings
from tests.integration.conftest import RunProcess, RunService
from tests.integration.probe import Probe
from tests.integration.waiting import eventually

pytestmark = pytest.mark.integration
both_drivers = pytest.mark.parametrize("settings", ["pymongo", "motor"], indirect=True)

BOOTH = "ODOP.B07"
PRICE = 25_001
SOLD_AT = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)


def opened() -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=PRICE),)
    return BoothOpened(booth=BOOTH, festival="ODOP", name="Booth", prices=prices, tills=("T1", "T2"))


def stocked(lot: str, qty: int, facility: str) -> BoothStocked:
    return BoothStocked(
        booth=BOOTH,
        festival="ODOP",
        lot=lot,
        facility=facility,
        product="KTI",
        made_on=date(2023, 4, 1),
        qty=qty,
    )


def a_sale(seq: int, lot: str | None, qty: int, till: str = "T1") -> SaleReported:
    return SaleReported(
        booth=BOOTH,
        till=till,
        seq=seq,
        lot=lot,
        product="KTI",
        qty=qty,
        unit_price_rupiah=PRICE,
        sold_at=SOLD_AT,
    )


def a_void(seq: int, sale: str, till: str = "T1") -> SaleVoided:
    return SaleVoided(booth=BOOTH, till=till, seq=seq, sale=sale, voided_at=SOLD_AT)


def a_word(sale: str, outcome: DisputeOutcome) -> DisputeResolved:
    return DisputeResolved(booth=BOOTH, sale=sale, outcome=outcome)


async def report(probe: Probe, body: Body, id: str, *, times: int = 1) -> None:
    for _ in range(times):
        await probe.send(TILL, body, id=id, source=f"till/{BOOTH}/{getattr(body, 'till', '')}")


async def statuses(database: Database) -> dict[str, str]:
    return {sale["sale"]: sale["status"] for sale in await database["sales"].find({}).to_list(None)}


@both_drivers
async def test_a_booth_from_its_opening_to_the_settlement(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    database = mongo.database("sales")
    async with run_service("sales"):
        # Before the booth is known: a sale, and the void of a sale that comes later. Each of them twice.
        await report(probe, a_sale(1, "L1", 2), "early", times=2)
        await report(probe, a_void(1, "void-first", "T2"), "v1", times=2)
        await eventually(lambda: statuses(database), equals={"early": "waiting"})
        assert await probe.read_all(SALES) == []

        for body in (opened(), stocked("L2", 5, "LP-B"), stocked("L1", 10, "LP-A")):
            await probe.send(BOOTH_STOCK, body)
        await eventually(lambda: statuses(database), equals={"early": "recorded"})
        await report(probe, a_sale(2, "L1", 1), "void-first")
        await report(probe, a_sale(3, None, 3), "attributed")
        await report(probe, a_sale(4, "L2", 2), "voided", times=2)
        await report(probe, a_void(5, "voided"), "v2")
        await report(probe, a_void(6, "voided"), "v3")
        await report(probe, a_sale(7, "L2", 6), "too-many")
        await report(probe, a_sale(8, "L1", 90), "far-too-many")
        closed = TillClosed(booth=BOOTH, till="T1", seq=10, last_seq=10)
        await report(probe, BoothCounted(booth=BOOTH, till="T1", seq=9, lots=(LotCount(lot="L1", qty=4),)), "count")
        await report(probe, closed, "closed")
        expected = {
            "early": "recorded",
            "void-first": "voided",
            "attributed": "recorded",
            "voided": "voided",
            "too-many": "waiting",
            "far-too-many": "waiting",
        }
        await eventually(lambda: statuses(database), equals=expected)
        await eventually(lambda: database["booths"].count_documents({"heard.last_seq": 10}), equals=1)
        assert await probe.bodies(SETTLEMENTS, SettlementIssued) == []

        # T2 never closes: its deadline settles the booth.
        deadline = datetime.now(UTC) + timedelta(seconds=1)
        await probe.send(BOOTH_STOCK, BoothClosing(booth=BOOTH, festival="ODOP", deadline=deadline))
        [report_1] = await eventually(
            lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda found: len(found) == 1
        )
        assert report_1.lots == (
            SoldThrough(lot="L2", stocked=5, sold=0, lost=0, unsold=5, counted=None),
            SoldThrough(lot="L1", stocked=10, sold=5, lost=0, unsold=5, counted=4),
        )
        assert report_1.disputed == ("too-many", "far-too-many")
        issued = await eventually(
            lambda: probe.bodies(SETTLEMENTS, SettlementIssued), until=lambda found: len(found) == 2
        )
        assert {one.facility: (one.revision, one.sold_rupiah) for one in issued} == {
            "LP-A": (1, 5 * PRICE),
            "LP-B": (1, 0),
        }

        # Late: a sale, and the organiser's words.
        await report(probe, a_sale(2, "L2", 4, "T2"), "late", times=2)
        await eventually(lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda found: len(found) == 2)
        await probe.send(BOOTH_STOCK, a_word("too-many", DisputeOutcome.ACCEPTED))
        await probe.send(BOOTH_STOCK, a_word("far-too-many", DisputeOutcome.REJECTED))
        reports = await eventually(
            lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda found: len(found) == 4
        )
        assert max(one.revision for one in reports) == 4
        last = max(reports, key=lambda one: one.revision)
        assert last.disputed == ()
        assert last.lots[0] == SoldThrough(lot="L2", stocked=5, sold=10, lost=0, unsold=0, counted=None, beyond=5)
        await eventually(lambda: probe.bodies(SETTLEMENTS, SettlementCorrected), until=lambda found: len(found) == 2)
        signals = await eventually(lambda: probe.bodies(DEMAND, DemandSignalled), until=lambda found: len(found) == 4)
        await eventually(lambda: database["outbox"].count_documents({}), equals=0)

    last_signals = {one.facility: one for one in sorted(signals, key=lambda one: one.revision)}
    assert {one.facility: one.revision for one in last_signals.values()} == {"LP-A": 1, "LP-B": 3}
    [cloth] = last_signals["LP-B"].products
    assert (cloth.product, cloth.sold, cloth.stocked, cloth.sold_rupiah) == ("KTI", 10, 5, 10 * PRICE)
    assert cloth.booths[0].sold_out == (SoldOut(at=SOLD_AT, until=None),)
    corrected = max(await probe.bodies(SETTLEMENTS, SettlementCorrected), key=lambda one: one.revision)
    assert (corrected.facility, corrected.revision, corrected.qty) == ("LP-B", 3, 10)
    parts = corrected.facility_rupiah, corrected.maker_premium_rupiah, corrected.programme_rupiah
    assert sum(parts) == corrected.sold_rupiah == 10 * PRICE
    recorded = await probe.bodies(SALES, SaleRecorded)
    assert sorted(sale.sale for sale in recorded) == sorted(["early", "attributed", "voided", "late", "too-many"])
    assert len(await probe.bodies(SALES, SaleDisputed)) == 2
    assert sorted((void.sale, void.stood) for void in await probe.bodies(SALES, SaleVoidRecorded)) == [
        ("void-first", False),
        ("voided", True),
    ]
    published = sum(sale.amount_rupiah for sale in await probe.bodies(PUBLIC_SALES, SalePublished))
    withdrawn = sum(sale.amount_rupiah for sale in await probe.bodies(PUBLIC_SALES, SaleWithdrawn))
    assert published - withdrawn == 15 * PRICE
    assert await probe.dlq(TILL) == []
    assert await probe.dlq(BOOTH_STOCK) == []


async def test_people_read_booths_sales_and_settlements(
    settings: Settings, probe: Probe, service_process: RunProcess
) -> None:
    async with service_process("sales") as process, httpx.AsyncClient(base_url=process.url) as http:
        for body in (opened(), stocked("L1", 10, "LP-A")):
            await probe.send(BOOTH_STOCK, body)
        for n in (1, 2, 3):
            await report(probe, a_sale(n, "L1", 1), f"s{n}")
        await report(probe, a_sale(4, "L9", 1), "s4")
        await report(probe, TillClosed(booth=BOOTH, till="T1", seq=6, last_seq=6), "closed")

        async def read(path: str) -> Any:
            return (await http.get(path)).json()

        await eventually(lambda: read(f"/booths/{BOOTH}"), until=lambda page: page.get("waiting") == 1)
        booth = await eventually(lambda: read(f"/booths/{BOOTH}"), until=lambda page: page["tills"][0]["closed"])
        assert (booth["status"], booth["sold"], booth["sold_rupiah"]) == ("open", 3, 3 * PRICE)
        assert booth["lots"][0]["unsold"] == 7
        assert booth["tills"] == [
            {"till": "T1", "closed": True, "complete": False, "missing": [[5, 5]]},
            {"till": "T2", "closed": False, "complete": False, "missing": []},
        ]
        assert [page["booth"] for page in await read("/booths?festival=ODOP")] == [BOOTH]
        assert await read("/booths?festival=NONE") == []
        first = await read(f"/booths/{BOOTH}/sales?limit=2")
        rest = await read(f"/booths/{BOOTH}/sales?limit=2&after={first[-1]['sale']}")
        assert [(page["sale"], page["status"]) for page in first + rest] == [
            ("s1", "recorded"),
            ("s2", "recorded"),
            ("s3", "recorded"),
            ("s4", "waiting"),
        ]
        assert len(await read(f"/booths/{BOOTH}/sales?status=waiting")) == 1
        settlement = await eventually(lambda: read("/settlements/LP-A/ODOP"), until=lambda page: page.get("qty") == 3)
        assert (settlement["issued"], settlement["sold_rupiah"]) == (False, 3 * PRICE)
        assert await read("/settlements?festival=ODOP") == [settlement]
        assert await read("/settlements?facility=LP-B") == []
        [demand] = await eventually(lambda: read("/facilities/LP-A/demand"), until=len)
        assert (demand["festival"], demand["complete"], demand["products"]) == ("ODOP", False, [])
        assert await read("/facilities/LP-A/demand?festival=NONE") == await read("/facilities/LP/demand") == []

        deadline = datetime.now(UTC)
        await probe.send(BOOTH_STOCK, BoothClosing(booth=BOOTH, festival="ODOP", deadline=deadline))
        [demand] = await eventually(
            lambda: read("/facilities/LP-A/demand?festival=ODOP"), until=lambda page: page[0]["complete"]
        )
        [product] = demand["products"]
        assert (demand["revision"], product["product"], product["sold"], product["unsold"]) == (1, "KTI", 3, 7)
        assert [(line["booth"], line["price_rupiah"]) for line in product["booths"]] == [(BOOTH, PRICE)]
        assert await read("/facilities/LP-A/demand?after=ODOP") == []
        for nothing in ("/booths/NONE", "/settlements/LP-B/ODOP"):
            assert (await http.get(nothing)).status_code == 404


async def test_shares_that_do_not_add_up_stop_the_service(settings: Settings, service_process: RunProcess) -> None:
    async with service_process("sales", settings, {"KARYA_MAKER_PERCENT": "30"}, ready=False) as process:
        assert await process.ended() != 0
        assert "add up to 100" in process.output
