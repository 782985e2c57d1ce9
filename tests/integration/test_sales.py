"""Sales on a real Kafka and a real MongoDB: a small booth from its opening to the settlement. Prices are made up."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from ops import strays
from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothForwarded,
    BoothOpened,
    BoothStocked,
    DisputeOutcome,
    DisputeResolved,
    Price,
)
from shared.events.sales import (
    BOOTH_REPORTS,
    DEMAND,
    PUBLIC_SALES,
    SALES,
    SALES_DEADLINES,
    SETTLEMENTS,
    TILL,
    AdjustmentPublished,
    BoothCounted,
    BoothForwardingBegun,
    DemandSignalled,
    LotCount,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    RecordForwarded,
    SaleAccounted,
    SalePublished,
    SellThroughCounted,
    SettlementCorrected,
    SettlementIssued,
    SoldOut,
    SoldThrough,
    TillClosed,
    TillRecord,
    VoidedLine,
    VoidRefused,
)
from shared.mongo import Database, Mongo
from shared.settings import Settings
from tests.support.place import RunProcess, RunService, both_drivers
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

BOOTH = "ODOP.B07"
PRICE = 25_001
SOLD_AT = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)


def an_opening() -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=PRICE),)
    return BoothOpened(booth=BOOTH, festival="ODOP", name="Booth", prices=prices, tills=("T1", "T2"))


def a_stocking(lot: str, qty: int, facility: str) -> BoothStocked:
    return BoothStocked(
        booth=BOOTH,
        festival="ODOP",
        lot=lot,
        facility=facility,
        product="KTI",
        made_on=date(2023, 4, 1),
        qty=qty,
    )


def a_sale(seq: int, lot: str | None, qty: int, till: str = "T1") -> ReceiptIssued:
    line = ReceiptLine(line=1, lot=lot, product="KTI", qty=qty, unit_price_rupiah=PRICE)
    return ReceiptIssued(
        booth=BOOTH,
        till=till,
        device=f"device-{till}",
        seq=seq,
        lines=(line,),
        payment=Payment(kind=PaymentKind.CASH),
        sold_at=SOLD_AT,
    )


def a_void(seq: int, receipt: str, qty: int, till: str = "T1") -> ReceiptVoided:
    return ReceiptVoided(
        booth=BOOTH,
        till=till,
        device=f"device-{till}",
        seq=seq,
        receipt=receipt,
        lines=(VoidedLine(line=1, qty=qty),),
        voided_at=SOLD_AT,
    )


def a_count(seq: int, **lots: int) -> BoothCounted:
    counted = tuple(LotCount(lot=lot, qty=qty) for lot, qty in lots.items())
    return BoothCounted(booth=BOOTH, till="T1", device="device-T1", seq=seq, counted_at=SOLD_AT, lots=counted)


def a_last_word(seq: int) -> TillClosed:
    return TillClosed(booth=BOOTH, till="T1", device="device-T1", seq=seq, last_seq=seq)


def a_word(receipt: str, outcome: DisputeOutcome, lot: str | None = None) -> DisputeResolved:
    return DisputeResolved(booth=BOOTH, sale=f"{receipt}/1", outcome=outcome, lot=lot)


class Heads:
    """The last record of each till's device, which the next one names."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._heads: dict[str, str] = {}

    async def report(self, body: TillRecord, id: str, *, times: int = 1) -> None:
        linked = body.model_copy(update={"previous": self._heads.get(body.device)})
        self._heads[body.device] = id
        for _ in range(times):
            await self._probe.send(TILL, linked, id=id, source=f"till/{body.booth}/{body.till}")


async def statuses(database: Database) -> dict[str, str]:
    documents = await database["receipts"].find({}).to_list(None)
    return {receipt["receipt"]: receipt["sales"][0]["status"] for receipt in documents}


async def snapshots(probe: Probe) -> dict[str, SaleAccounted]:
    """The last word on each sale, by receipt."""
    accounted = sorted(await probe.bodies(SALES, SaleAccounted), key=lambda snapshot: snapshot.revision)
    return {snapshot.receipt: snapshot for snapshot in accounted}


@both_drivers
async def test_a_booth_from_its_opening_to_the_settlement(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    database = mongo.database("sales")
    till = Heads(probe)
    async with run_service("sales"):
        # Before the booth is known: a sale, and the void of a sale that comes later. Each of them twice.
        await till.report(a_sale(1, "L1", 2), "early", times=2)
        await till.report(a_void(1, "void-first", 1, "T2"), "v1", times=2)
        await eventually(lambda: statuses(database), equals={"early": "waiting"})

        for body in (an_opening(), a_stocking("L2", 5, "LP-B"), a_stocking("L1", 10, "LP-A")):
            await probe.send(BOOTH_STOCK, body)
        await eventually(lambda: statuses(database), equals={"early": "recorded"})
        await till.report(a_sale(2, "L1", 1), "void-first")
        await till.report(a_sale(3, None, 3), "unlabelled")
        await till.report(a_sale(4, "L2", 2), "voided", times=2)
        await till.report(a_void(5, "voided", 2), "v2")
        await till.report(a_void(6, "voided", 1), "v3")
        await till.report(a_sale(7, "L2", 6), "one-too-many")
        await till.report(a_sale(8, "L1", 90), "far-too-many")
        await till.report(a_count(9, L1=1), "count")
        await till.report(a_last_word(10), "closed")
        expected = {
            "early": "recorded",
            "void-first": "voided",
            "unlabelled": "recorded",
            "voided": "voided",
            "one-too-many": "waiting",
            "far-too-many": "waiting",
        }
        await eventually(lambda: statuses(database), equals=expected)
        closed = {"devices.branches.last_seq": 10}
        await eventually(lambda: database["booths"].count_documents(closed), equals=1)
        assert await probe.bodies(SETTLEMENTS, SettlementIssued) == []

        # T2 never closes: its deadline settles the booth.
        deadline = datetime.now(UTC) + timedelta(seconds=1)
        await probe.send(BOOTH_STOCK, BoothClosing(booth=BOOTH, festival="ODOP", deadline=deadline))
        [report_1] = await eventually(
            lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda reports: len(reports) == 1
        )
        # What was sold without a label can only be of L1, since L2's own labels took all of it.
        assert report_1.lots == (
            SoldThrough(lot="L2", stocked=5, sold=5, lost=0, unsold=0, counted=None),
            SoldThrough(lot="L1", stocked=10, sold=10, lost=0, unsold=0, counted=1),
        )
        assert report_1.disputed == ("one-too-many/1", "far-too-many/1")
        issued = await eventually(
            lambda: probe.bodies(SETTLEMENTS, SettlementIssued), until=lambda settlements: len(settlements) == 2
        )
        assert {settlement.facility: (settlement.revision, settlement.sold_rupiah) for settlement in issued} == {
            "LP-A": (1, 10 * PRICE),
            "LP-B": (1, 5 * PRICE),
        }

        # Late: a sale, and the organiser's words. Nobody is credited with more than came, unless a lot is named.
        await till.report(a_sale(2, "L2", 4, "T2"), "late", times=2)
        await eventually(
            lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda bodies: len(bodies) == 2
        )
        await probe.send(BOOTH_STOCK, a_word("one-too-many", DisputeOutcome.ACCEPTED))
        await probe.send(BOOTH_STOCK, a_word("one-too-many", DisputeOutcome.ACCEPTED, lot="L2"))
        await probe.send(BOOTH_STOCK, a_word("far-too-many", DisputeOutcome.REJECTED))
        reports = await eventually(
            lambda: probe.bodies(BOOTH_REPORTS, SellThroughCounted), until=lambda bodies: len(bodies) == 5
        )
        last = max(reports, key=lambda report: report.revision)
        assert (last.revision, last.disputed) == (5, ("late/1",))
        assert last.lots[0] == SoldThrough(lot="L2", stocked=5, sold=6, lost=0, unsold=0, counted=None, beyond=1)
        await eventually(
            lambda: probe.bodies(SETTLEMENTS, SettlementCorrected), until=lambda corrections: len(corrections) == 1
        )
        signals = await eventually(
            lambda: probe.bodies(DEMAND, DemandSignalled), until=lambda bodies: len(bodies) == 3
        )
        await eventually(lambda: database["outbox"].count_documents({}), equals=0)

    last_signals = {signal.facility: signal for signal in sorted(signals, key=lambda signal: signal.revision)}
    assert {signal.facility: signal.revision for signal in last_signals.values()} == {"LP-A": 1, "LP-B": 2}
    [cloth] = last_signals["LP-B"].products
    assert (cloth.product, cloth.sold, cloth.stocked, cloth.sold_rupiah) == ("KTI", 6, 5, 6 * PRICE)
    assert cloth.booths[0].sold_out == (SoldOut(at=SOLD_AT, until=None),)
    [corrected] = await probe.bodies(SETTLEMENTS, SettlementCorrected)
    assert (corrected.facility, corrected.revision, corrected.qty) == ("LP-B", 2, 6)
    parts = corrected.facility_rupiah, corrected.maker_premium_rupiah, corrected.programme_rupiah
    assert sum(parts) == corrected.sold_rupiah == 6 * PRICE
    by_receipt = await snapshots(probe)
    assert {receipt: _pieces(snapshot) for receipt, snapshot in by_receipt.items()} == {
        "early": {"parts": 2},
        "void-first": {"voided": 1},
        "unlabelled": {"parts": 3},
        "voided": {"voided": 2},
        "one-too-many": {"parts": 6},
        "far-too-many": {"parts": 5, "rejected": 85},
        "late": {"disputed": 4},
    }
    refused = await probe.bodies(SALES, VoidRefused)
    assert [(void.receipt, void.qty, void.left) for void in refused] == [("voided", 1, 0)]
    await _public_is_owed(probe, {"LP-A": 10 * PRICE, "LP-B": 6 * PRICE})
    assert await probe.dlq(TILL) == []
    assert await probe.dlq(BOOTH_STOCK) == []


def _pieces(snapshot: SaleAccounted) -> dict[str, int]:
    pieces = {"parts": sum(part.qty for part in snapshot.parts)}
    pieces |= {name: getattr(snapshot, name) for name in ("waiting", "disputed", "rejected", "voided")}
    assert sum(pieces.values()) == snapshot.qty
    return {name: qty for name, qty in pieces.items() if qty}


async def _public_is_owed(probe: Probe, owed: dict[str, int]) -> None:
    """A subscriber who keeps the highest revision of each sale and adjustment has what the facilities are owed. No
    facility's sequence has a gap."""
    latest: dict[tuple[str, str], SalePublished | AdjustmentPublished] = {}
    sequences: dict[str, list[int]] = {}
    for body in [
        *await probe.bodies(PUBLIC_SALES, SalePublished),
        *await probe.bodies(PUBLIC_SALES, AdjustmentPublished),
    ]:
        sequences.setdefault(body.facility, []).append(body.sequence)
        key = (body.sale if isinstance(body, SalePublished) else body.adjustment, body.facility)
        if key not in latest or latest[key].revision < body.revision:
            latest[key] = body
    sums = dict.fromkeys(owed, 0)
    for body in latest.values():
        sums[body.facility] += body.amount_rupiah
    assert sums == owed
    for numbers in sequences.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_people_read_booths_sales_and_settlements(
    settings: Settings, probe: Probe, service_process: RunProcess
) -> None:
    async with service_process("sales") as process, httpx.AsyncClient(base_url=process.url) as http:
        for body in (an_opening(), a_stocking("L1", 10, "LP-A")):
            await probe.send(BOOTH_STOCK, body)
        till = Heads(probe)
        for n in (1, 2, 3):
            await till.report(a_sale(n, "L1", 1), f"s{n}")
        await till.report(a_sale(4, "L9", 1), "s4")
        await till.report(a_last_word(6), "closed")

        async def read(path: str) -> Any:
            return (await http.get(path)).json()

        await eventually(lambda: read(f"/booths/{BOOTH}"), until=lambda page: page.get("waiting") == 1)
        booth = await eventually(lambda: read(f"/booths/{BOOTH}"), until=lambda page: page["tills"][0]["closed"])
        assert (booth["status"], booth["sold"], booth["sold_rupiah"]) == ("open", 3, 3 * PRICE)
        assert booth["lots"][0]["unsold"] == 7
        tills = [(page["till"], page["device"], page["closed"], page["complete"]) for page in booth["tills"]]
        assert tills == [("T1", "device-T1", True, False), ("T2", None, False, False)]
        assert [page["missing"] for page in booth["tills"]] == [[[5, 5]], []]
        assert [page["booth"] for page in await read("/booths?festival=ODOP")] == [BOOTH]
        assert await read("/booths?festival=NONE") == []
        first = await http.get(f"/booths/{BOOTH}/receipts?limit=2")
        rest = await read(first.links["next"]["url"])
        assert [(page["receipt"], page["sales"][0]["status"]) for page in first.json() + rest] == [
            ("s1", "recorded"),
            ("s2", "recorded"),
            ("s3", "recorded"),
            ("s4", "waiting"),
        ]
        assert [page["receipt"] for page in await read(f"/booths/{BOOTH}/receipts?status=waiting")] == ["s4"]
        assert (await read(f"/booths/{BOOTH}/receipts/s1"))["sales"][0]["parts"][0]["facility"] == "LP-A"
        [doubts] = await read("/disputes?festival=ODOP")
        assert (doubts["booth"], doubts["takings_rupiah"], doubts["receipts"]) == (BOOTH, 4 * PRICE, 1)
        [in_doubt] = doubts["sales"]
        assert (in_doubt["sale"], in_doubt["waiting"], in_doubt["rupiah"]) == ("s4/1", 1, PRICE)
        assert (in_doubt["why"], in_doubt["disputed"]) == ("not_stocked", 0)
        assert await read("/disputes?festival=NONE") == []
        [records] = await read(f"/booths/{BOOTH}/devices")
        assert (records["till"], records["last"], records["missing"]) == ("T1", 6, [[5, 5]])
        takings = await read(f"/booths/{BOOTH}/takings")
        assert [(day["day"], day["takings"][0]["net_rupiah"]) for day in takings["days"]] == [
            ("2023-04-18", 4 * PRICE)
        ]
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
        all_of_it = await http.get("/facilities/LP-A/demand")
        assert await read(all_of_it.links["next"]["url"]) == []
        for nothing in (
            "/booths/NONE",
            "/booths/NONE/takings",
            "/booths/NONE/devices",
            f"/booths/{BOOTH}/receipts/no",
            "/settlements/LP-B/ODOP",
        ):
            assert (await http.get(nothing)).status_code == 404


async def test_who_goes_on_page_after_page_misses_no_receipt_that_came_meanwhile(
    settings: Settings, probe: Probe, service_process: RunProcess
) -> None:
    async with service_process("sales") as process, httpx.AsyncClient(base_url=process.url) as http:
        till, receipts, place = Heads(probe), list[str](), f"/booths/{BOOTH}/receipts?limit=3"
        await till.report(a_sale(1, None, 1), "z1")
        await eventually(lambda: _exists(http, place), until=bool)
        for n in range(2, 21):
            await till.report(a_sale(n, None, 1), f"z{n}" if n % 2 else f"a{n}")
            if n % 4 == 0:
                page = await eventually(partial(_page, http, place), until=lambda page: len(page.json()) == 3)
                receipts += [receipt["receipt"] for receipt in page.json()]
                place = page.links["next"]["url"]
        while len(receipts) < 20:
            page = await eventually(partial(_page, http, place), until=lambda page: bool(page.json()))
            receipts += [receipt["receipt"] for receipt in page.json()]
            place = page.links["next"]["url"]
        assert sorted(receipts) == sorted(f"z{n}" if n % 2 else f"a{n}" for n in range(1, 21))


async def _page(http: httpx.AsyncClient, place: str) -> httpx.Response:
    return await http.get(place)


async def _exists(http: httpx.AsyncClient, place: str) -> bool:
    return (await http.get(place)).status_code == 200


async def test_a_booth_that_no_festival_opened_is_listed(
    settings: Settings, probe: Probe, service_process: RunProcess
) -> None:
    async with service_process("sales") as process, httpx.AsyncClient(base_url=process.url) as http:
        await Heads(probe).report(a_sale(1, None, 2), "astray")

        async def strays() -> Any:
            return (await http.get("/strays")).json()

        [stray] = await eventually(strays, until=bool)
        assert stray == {
            "booth": BOOTH,
            "tills": ["T1"],
            "receipts": 1,
            "rupiah": 2 * PRICE,
            "first_at": "2023-04-18T04:00:00Z",
            "last_at": "2023-04-18T04:00:00Z",
            "moved_to": None,
            "unmoved": 1,
        }
        await probe.send(BOOTH_STOCK, an_opening())
        await eventually(strays, equals=[])


async def test_what_a_stray_booth_sold_is_moved_to_the_right_one_and_counts_once(
    settings: Settings, probe: Probe, mongo: Mongo, run_service: RunService
) -> None:
    wrong = "odop.b07"
    database = mongo.database("sales")
    till = Heads(probe)
    async with run_service("sales"):
        for body in (an_opening(), a_stocking("L1", 10, "LP-A")):
            await probe.send(BOOTH_STOCK, body)
        await till.report(a_sale(1, None, 3).model_copy(update={"booth": wrong}), "s1")
        await eventually(lambda: database["booths"].count_documents({"_id": wrong, "devices.till": "T1"}), equals=1)
        [stray] = await strays.list_strays(settings)
        assert (stray.booth, stray.moved_to, stray.unmoved) == (wrong, None, 1)
        for order in ("move-1", "move-2"):
            moved = BoothForwarded(booth=wrong, to=BOOTH, festival="ODOP", order=order)
            await probe.send(BOOTH_STOCK, moved)
        is_moved = {"_id": wrong, "forwarding": [BOOTH, 1, None], "waiting": []}
        await eventually(lambda: database["booths"].count_documents(is_moved), equals=1)
        # What comes after the move is forwarded too, and closes the device's sequence.
        await till.report(a_last_word(2).model_copy(update={"booth": wrong}), "closed")
        sold = {"_id": BOOTH, "receipts": 1, "lots.pool_qty": 3, "devices.branches.last_seq": 2}
        await eventually(lambda: database["booths"].count_documents(sold), equals=1)
        [stray] = await strays.list_strays(settings)
        assert (stray.booth, stray.moved_to, stray.unmoved) == (wrong, BOOTH, 0)

        async def answers() -> list[tuple[str, int]]:
            begun = await probe.bodies(BOOTH_REPORTS, BoothForwardingBegun)
            return [(answer.order, answer.records) for answer in begun]

        await eventually(answers, equals=[("move-1", 1), ("move-2", 1)])
        originals = await probe.bodies(SALES_DEADLINES, RecordForwarded)
        assert [(body.key, body.booth, body.id) for body in originals] == [
            (BOOTH, wrong, "s1"),
            (BOOTH, wrong, "closed"),
        ]
    assert await probe.dlq(TILL) == []
    assert await probe.dlq(SALES_DEADLINES) == []


async def test_shares_that_do_not_add_up_stop_the_service(settings: Settings, service_process: RunProcess) -> None:
    async with service_process("sales", settings, {"KARYA_MAKER_PERCENT": "30"}, ready=False) as process:
        assert await process.ended() != 0
        assert "add up to 100" in process.output
