"""A till from its spool over Kafka and back."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.till.till import Standing, Till
from shared.errors import NotReached, WrongEntry
from shared.events.festival import BOOTH_STOCK, BoothOpened, BoothStocked, LotWithdrawn, Price
from shared.events.lot_number import LotNumber
from shared.events.sales import SALES, TILL, SaleDisputed, SaleRecorded, SaleReported
from shared.settings import Settings
from tests.integration.probe import Probe

pytestmark = pytest.mark.integration

BOOTH = "ODOP.B07"
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 1))
OTHER = str(LotNumber("PR-KPG", "KTI", DAY, 2))


def now() -> datetime:
    return datetime.now(UTC)


def opened(booth: str = BOOTH) -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=250_000),)
    return BoothOpened(booth=booth, festival="ODOP", name="Booth", prices=prices, tills=("T1", "T2"))


def stocked(lot: str, qty: int, booth: str = BOOTH) -> BoothStocked:
    return BoothStocked(booth=booth, festival="ODOP", lot=lot, facility="PR-KPG", product="KTI", made_on=DAY, qty=qty)


def recorded(sale: str) -> SaleRecorded:
    return SaleRecorded(
        booth=BOOTH,
        sale=sale,
        festival="ODOP",
        till="T1",
        lot=LOT,
        facility="PR-KPG",
        product="KTI",
        qty=1,
        unit_price_rupiah=250_000,
        amount_rupiah=250_000,
        sold_at=now(),
    )


def disputed(sale: str) -> SaleDisputed:
    return SaleDisputed(
        booth=BOOTH,
        sale=sale,
        festival="ODOP",
        till="T1",
        lot=LOT,
        product="KTI",
        qty=1,
        amount_rupiah=250_000,
        sold_at=now(),
    )


async def test_a_till_learns_its_booth_and_only_its_own(settings: Settings, probe: Probe, tmp_path: Path) -> None:
    # Enough other booths that some share its partition.
    for n in range(12):
        await probe.send(BOOTH_STOCK, opened(f"ODOP.C{n}"))
        await probe.send(BOOTH_STOCK, stocked(OTHER, 99, f"ODOP.C{n}"))
    await probe.send(BOOTH_STOCK, opened())
    # A service that was killed publishes some events twice.
    for _ in range(2):
        await probe.send(BOOTH_STOCK, stocked(LOT, 7), id="stocked-once", source="festival")
    with Till(tmp_path, BOOTH, "T1") as till:
        with pytest.raises(WrongEntry, match="No price"):
            till.sell("KTI", 1, at=now())
        await till.sync(settings, wait=0)
        booth = till.view()
        assert booth.prices == {"KTI": 250_000}
        assert {lot.id: (lot.stocked, lot.slice) for lot in booth.lots.values()} == {LOT: (7, 4)}
        assert till.sell(LOT, 1, at=now()).warnings == ()
        await probe.send(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot=LOT, reason="mouldy"))
        assert (await till.sync(settings, wait=0)).heard == 1
        with pytest.raises(WrongEntry, match="withdrawn"):
            till.sell(LOT, 1, at=now())


async def test_what_was_sold_offline_arrives_in_order_and_is_answered(
    settings: Settings, probe: Probe, tmp_path: Path
) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        sales = [till.sell("KTI", 1, at=now(), price_rupiah=250_000).said.id for _ in range(4)]
        till.void("4", at=now())
        till.close(at=now())
        with pytest.raises(NotReached, match="6 records wait"):
            await till.sync(settings.model_copy(update={"kafka": "127.0.0.1:1"}), wait=0)
        assert (await till.sync(settings, wait=0)).sent == 6
        said = await probe.read_all(TILL)
        assert [getattr(one.body, "seq", None) for one in said] == [1, 2, 3, 4, 5, 6]
        assert [one.event.id for one in said if isinstance(one.body, SaleReported)] == sales
        # Sales is not running: the test answers in its place, and in between what nobody can read.
        await probe.send(SALES, recorded(sales[0]))
        await probe.send_raw(SALES, key=BOOTH.encode(), value=b"{", headers=[("ce_id", None)])
        await probe.send(SALES, disputed(sales[1]))
        done = await till.sync(settings, wait=0)
        assert (done.sent, done.heard, done.unreadable, done.unanswered) == (0, 2, 1, 2)
        assert [row.standing for row in till.standings()] == [
            Standing.RECORDED,
            Standing.DISPUTED,
            Standing.SENT,
            Standing.SENT,
            Standing.SENT,
            Standing.SENT,
        ]
        for sale in sales[1:]:
            await probe.send(SALES, recorded(sale))
        done = await till.sync(settings, wait=30)
        assert (done.heard, done.unanswered) == (3, 0)
        assert till.standings()[1].standing is Standing.RECORDED


async def test_a_position_beyond_the_log_begins_anew(settings: Settings, probe: Probe, tmp_path: Path) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        for partition in range(settings.partitions):
            till.spool.hear(BOOTH_STOCK, partition, [], next=1000)
        await probe.send(BOOTH_STOCK, opened())
        assert (await till.sync(settings, wait=0)).heard == 1


async def test_a_missing_topic_is_said(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}none."})
    with Till(tmp_path, BOOTH, "T1") as till:
        till.close(at=now())
        with pytest.raises(NotReached, match="has no topic"):
            await till.sync(nowhere, wait=0)
        assert till.spool.counts().pending == 1
