"""A till from its spool over Kafka, or over a gateway, and back."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from edge.sync import KafkaRoute
from edge.till.basket import BasketEntry
from edge.till.till import Till
from edge.till.tracking import RecordStatus
from shared import envelope
from shared.errors import NotReached, SpoolFailed, WrongEntry
from shared.events.festival import BOOTH_STOCK, BoothOpened, BoothStocked, LotWithdrawn, Price, TillStruck
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    SALES,
    TILL,
    BoothRedirected,
    DeviceHeard,
    DeviceIntroduced,
    ReceiptIssued,
    SaleAccounted,
    TillRecord,
    VoidRefused,
)
from shared.kafka import topic_name
from shared.settings import Settings
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually
from tests.support.ways import Way

pytestmark = pytest.mark.integration

BOOTH = "ODOP.B07"
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 1))
OTHER = str(LotNumber("LP-KPG", "KTI", DAY, 2))
PRICE = 250_000


def now() -> datetime:
    return datetime.now(UTC)


def an_opening(booth: str = BOOTH) -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=PRICE),)
    return BoothOpened(booth=booth, festival="ODOP", name="Booth", prices=prices, tills=("T1", "T2"))


def a_stocking(lot: str, qty: int, booth: str = BOOTH) -> BoothStocked:
    facility = lot[:6]
    return BoothStocked(booth=booth, festival="ODOP", lot=lot, facility=facility, product="KTI", made_on=DAY, qty=qty)


def a_snapshot(receipt: str, qty: int = 1, **more: Any) -> SaleAccounted:
    return SaleAccounted(
        booth=BOOTH,
        sale=f"{receipt}/1",
        receipt=receipt,
        festival="ODOP",
        till="T1",
        lot=None,
        product="KTI",
        qty=qty,
        unit_price_rupiah=PRICE,
        net_rupiah=qty * PRICE,
        sold_at=now(),
        revision=more.pop("revision", 1),
        parts=(),
        **more,
    )


def sell(till: Till, item: str = "KTI", qty: int = 1) -> str:
    return till.sell([BasketEntry(item, qty, PRICE)], at=now()).record.id


async def test_a_till_learns_its_booth_and_only_its_own(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    # Enough other booths that some share its partition.
    for n in range(12):
        await probe.send(BOOTH_STOCK, an_opening(f"ODOP.C{n}"))
        await probe.send(BOOTH_STOCK, a_stocking(OTHER, 99, f"ODOP.C{n}"))
    await probe.send(BOOTH_STOCK, an_opening())
    # A service that was killed publishes some events twice.
    for _ in range(2):
        await probe.send(BOOTH_STOCK, a_stocking(LOT, 7), id="stocked-once", source="festival")
    with Till(tmp_path, BOOTH, "T1") as till:
        with pytest.raises(WrongEntry, match="no price"):
            till.sell([BasketEntry("KTI")], at=now())
        await till.sync(way.route, wait=0)
        booth = till.view()
        assert booth.prices_at(now()).prices == {"KTI": PRICE}
        assert {lot.id: (lot.stocked, lot.slice) for lot in booth.lots.values()} == {LOT: (7, 4)}
        assert till.sell([BasketEntry(LOT)], at=now()).warnings == ()
        await probe.send(SALES, DeviceHeard(booth=BOOTH, till="T1", device="another"))
        await probe.send(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot=OTHER, reason="mouldy"))
        assert (await till.sync(way.route, wait=0)).received == 2
        assert till.view().lots[LOT].slice in (2, 3)
        await probe.send(BOOTH_STOCK, TillStruck(booth=BOOTH, till="T1", device="another"))
        await probe.send(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot=LOT, reason="mouldy"))
        await till.sync(way.route, wait=0)
        assert till.view().lots[LOT].slice == 4
        with pytest.raises(WrongEntry, match="withdrawn"):
            till.sell([BasketEntry(LOT)], at=now())


async def test_a_device_says_at_its_first_sync_that_it_is_there(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till, Till(tmp_path, BOOTH, "T2") as other:
        sell(other)
        for _ in range(2):
            await till.sync(way.route, wait=0)
            await other.sync(way.route, wait=0)
        senders = {(body.till, type(body), body.device) for body in await probe.bodies(TILL, TillRecord)}
        assert senders == {
            ("T1", DeviceIntroduced, till.spool.device),
            ("T2", ReceiptIssued, other.spool.device),
        }


async def test_what_was_sold_offline_arrives_in_order_and_is_answered(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        receipts = [sell(till) for _ in range(4)]
        till.void("4", at=now())
        till.close(at=now())
        with pytest.raises(NotReached, match="6 records wait"):
            await till.sync(way.away, wait=0)
        assert (await till.sync(way.route, wait=0)).sent == 6
        records = await probe.read_all(TILL)
        ids = [record.event.id for record in records]
        assert ids[:4] == receipts
        bodies = await probe.bodies(TILL, TillRecord)
        assert [body.seq for body in bodies] == [1, 2, 3, 4, 5, 6]
        assert [body.previous for body in bodies] == [None, *ids[:-1]]
        # Sales is not running: the test answers in its place, and in between what nobody can read.
        await probe.send(SALES, a_snapshot(receipts[0]))
        await probe.send_raw(SALES, key=BOOTH.encode(), value=b"{", headers=[("ce_id", None)])
        await probe.send(SALES, a_snapshot(receipts[1], disputed=1))
        report = await till.sync(way.route, wait=0)
        assert (report.sent, report.received, report.unreadable, report.unanswered) == (
            0,
            2,
            1 if way.name == "kafka" else 0,
            2,
        )
        assert [row.status for row in till.tracked_records()] == [
            RecordStatus.RECORDED,
            RecordStatus.DISPUTED,
            RecordStatus.SENT,
            RecordStatus.SENT,
            RecordStatus.SENT,
            RecordStatus.SENT,
        ]
        await probe.send(SALES, a_snapshot(receipts[1], revision=2))
        await probe.send(SALES, a_snapshot(receipts[2], waiting=1))
        await probe.send(SALES, a_snapshot(receipts[3], voided=1))
        report = await till.sync(way.route, wait=30)
        assert (report.received, report.unanswered) == (3, 0)
        assert [row.status for row in till.tracked_records()] == [
            RecordStatus.RECORDED,
            RecordStatus.RECORDED,
            RecordStatus.WAITING,
            RecordStatus.VOIDED,
            RecordStatus.VOIDED,
            RecordStatus.SENT,
        ]


async def test_a_till_of_a_merged_booth_does_not_wait_for_answers_that_come_elsewhere(
    probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        answered = sell(till)
        await probe.send(SALES, a_snapshot(answered))
        await till.sync(way.route, wait=0)
        sell(till)
        await probe.send(SALES, BoothRedirected(booth=BOOTH, to="ODOP.B08", merged=True))
        for sent in (1, 0):
            begun = time.monotonic()
            report = await till.sync(way.route, wait=60)
            assert time.monotonic() - begun < 30
            assert (report.sent, report.unanswered) == (sent, 0)
        assert [row.status for row in till.tracked_records()] == [RecordStatus.RECORDED, RecordStatus.FORWARDED]
        redirected = till.view().redirected
        assert redirected is not None
        assert redirected.to == "ODOP.B08"


async def test_what_was_aborted_is_not_heard_and_holds_up_nothing(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        receipt = sell(till)
        await probe.send(SALES, a_snapshot(receipt))
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka, transactional_id=f"{settings.topic_prefix}producer"
        )
        await producer.start()
        try:
            await producer.begin_transaction()
            body = a_snapshot(receipt, revision=2, disputed=1)
            await producer.send_and_wait(
                topic_name(settings, SALES.name),
                envelope.encode(body),
                BOOTH.encode(),
                headers=envelope.headers(id="aborted", source="sales", topic=SALES, body=body, time=now()),
            )
            await producer.abort_transaction()
        finally:
            await producer.stop()
        for count in (1, 0):
            assert (await till.sync(way.route, wait=0)).received == count
        assert till.tracked_records()[0].status is RecordStatus.RECORDED
        await probe.send(SALES, a_snapshot(receipt, revision=3, waiting=1))
        assert (await till.sync(way.route, wait=0)).received == 1
        assert till.tracked_records()[0].status is RecordStatus.WAITING


async def test_after_a_sync_the_file_alone_has_everything(settings: Settings, tmp_path: Path, way: Way) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        for _ in range(3):
            sell(till)
        await till.sync(way.route, wait=0)
        # As after a power cut: without what SQLite keeps beside the file.
        copy = tmp_path / "copied" / "till" / till.spool.path.name
        copy.parent.mkdir(parents=True)
        copy.write_bytes(till.spool.path.read_bytes())
        with Till(tmp_path / "copied", BOOTH, "T1") as copied:
            assert copied.spool.records() == till.spool.records()
            assert copied.spool.counts().pending == 0


async def test_a_spool_that_fails_during_a_sync_says_what_was_sent_and_what_is_kept(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        for _ in range(9):
            sell(till)
        till.spool._db.execute("create temp trigger no before update on said begin select raise(abort, 'no'); end")
        with pytest.raises(SpoolFailed, match=r"(Kafka|The gateway) has taken 9 records now") as failed:
            await till.sync(way.route, wait=0)
        assert "All records are kept" in str(failed.value)
        assert "NOT kept" not in str(failed.value)
        till.spool._db.execute("drop trigger no")
        assert (await till.sync(way.route, wait=0)).sent == 9
    ids = [record.event.id for record in await probe.read_all(TILL)]
    assert (len(ids), len(set(ids))) == (18, 9)


async def test_a_position_beyond_the_log_begins_anew(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        for partition in range(settings.partitions):
            till.spool.receive(BOOTH_STOCK, partition, [], next=1000)
        await probe.send(BOOTH_STOCK, an_opening())
        assert (await till.sync(way.route, wait=0)).received == 1


async def test_a_missing_topic_is_said(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}none."})
    with Till(tmp_path, BOOTH, "T1") as till:
        till.close(at=now())
        with pytest.raises(NotReached, match="has no topic"):
            await till.sync(KafkaRoute(nowhere), wait=0)
        assert till.spool.counts().pending == 1


# With sales


async def test_a_basket_is_recorded_and_voided_at_another_till_when_its_own_is_lost(
    settings: Settings, run_service: RunService, probe: Probe, tmp_path: Path, way: Way
) -> None:
    await probe.send(BOOTH_STOCK, an_opening())
    await probe.send(BOOTH_STOCK, a_stocking(LOT, 5))
    await probe.send(BOOTH_STOCK, a_stocking(OTHER, 5))
    async with run_service("sales"):
        with Till(tmp_path, BOOTH, "T1") as lost:
            await lost.sync(way.route, wait=0)
            sold = lost.sell([BasketEntry(LOT, 2), BasketEntry("KTI", 6)], at=now(), discount_rupiah=100_001)
            assert (await lost.sync(way.route, wait=30)).unanswered == 0
            assert lost.tracked_records()[-1].status is RecordStatus.RECORDED
        with Till(tmp_path / "other", BOOTH, "T2") as till:
            await till.sync(way.route, wait=0)
            till.open("P1", 2_000_000, at=now())
            some = till.void(sold.record.id, 2, 4, at=now())
            rest = till.void(sold.record.id, at=now())
            assert some.void.refund_rupiah + rest.void.refund_rupiah == sold.amount_rupiah
            await till.sync(way.route, wait=0)

            async def statuses() -> list[RecordStatus]:
                await till.sync(way.route, wait=0)
                return [row.status for row in till.tracked_records()][-2:]

            await eventually(statuses, equals=[RecordStatus.VOIDED, RecordStatus.VOIDED])
            assert till.count_cash(0, at=now()).expected_rupiah == 2_000_000 - sold.amount_rupiah


async def test_two_tills_that_void_the_same_pieces_unheard_are_told(
    settings: Settings, run_service: RunService, probe: Probe, tmp_path: Path, way: Way
) -> None:
    await probe.send(BOOTH_STOCK, an_opening())
    await probe.send(BOOTH_STOCK, a_stocking(LOT, 5))
    async with run_service("sales"):
        with Till(tmp_path / "one", BOOTH, "T1") as first, Till(tmp_path / "two", BOOTH, "T2") as two:
            receipt = sell(first, LOT, 2)
            await first.sync(way.route, wait=30)
            await two.sync(way.route, wait=0)
            first.void(receipt, at=now())
            two.void(receipt, at=now())
            await first.sync(way.route, wait=0)

            async def void_of(till: Till) -> RecordStatus:
                await till.sync(way.route, wait=0)
                return till.tracked_records()[-1].status

            await eventually(lambda: void_of(first), equals=RecordStatus.VOIDED)
            await eventually(lambda: void_of(two), equals=RecordStatus.REFUSED)
            [refusal] = await probe.bodies(SALES, VoidRefused)
            assert (refusal.till, refusal.qty, refusal.left) == ("T2", 2, 0)
            assert two.tracked_records()[-1].refused == (refusal,)
