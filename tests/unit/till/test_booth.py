"""A till's knowledge of its booth."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.till.booth import view
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    LotWithdrawn,
    Price,
)
from shared.events.language import Body
from shared.events.sales import SaleReported, SaleVoided

NOW = datetime(2023, 4, 18, 1, 0, tzinfo=UTC)
BOOTH = "ODOP.B07"


def opened(*tills: str) -> BoothOpened:
    price = Price(product="KTI", price_rupiah=250_000)
    return BoothOpened(booth=BOOTH, festival="ODOP", name="Booth 7", prices=(price,), tills=tills)


def stocked(lot: str, qty: int, *, days_old: int = 0, product: str = "KTI") -> BoothStocked:
    return BoothStocked(
        booth=BOOTH,
        festival="ODOP",
        lot=lot,
        facility="PR-KPG",
        product=product,
        made_on=date(2023, 4, 18) - timedelta(days=days_old),
        qty=qty,
    )


def sold(qty: int, lot: str | None = None) -> SaleReported:
    return SaleReported(
        booth=BOOTH, till="T1", seq=1, lot=lot, product="KTI", qty=qty, unit_price_rupiah=1, sold_at=NOW
    )


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=5),
    st.integers(1, 7),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_tills_slices_sum_to_the_booths_stock(pieces: list[int], tills: int, lost: int, moved: int) -> None:
    names = [f"T{n}" for n in range(tills)]
    heard: list[Body] = [opened(*names), *(stocked("L", qty) for qty in pieces)]
    lost = min(lost, sum(pieces))
    if lost:
        heard.append(BoothStockLost(booth=BOOTH, lot="L", qty=lost))
    moved = min(moved, sum(pieces) - lost)
    if moved:
        heard.append(BoothStockMoved(booth=BOOTH, lot="L", qty=moved, to="ODOP.B08"))
    slices = [view(name, heard, []).lots["L"].slice for name in names]
    assert sum(slices) == sum(pieces) - lost - moved
    assert max(slices) - min(slices) <= 1


def test_what_is_left_follows_this_tills_sales_and_voids() -> None:
    heard: list[Body] = [opened("T1"), stocked("A", 10), stocked("B", 5)]
    void = SaleVoided(booth=BOOTH, till="T1", seq=4, sale="s1", voided_at=NOW)
    said: list[tuple[str, Body]] = [("s1", sold(3, "A")), ("s2", sold(2, "A")), ("s3", sold(1)), ("v", void)]
    booth = view("T1", heard, said)
    assert (booth.left_of_lot("A"), booth.left_of_lot("B")) == (8, 5)
    assert booth.left_of("KTI") == 12


def test_a_withdrawn_lot_is_not_left() -> None:
    heard: list[Body] = [
        opened("T1"),
        stocked("A", 10),
        stocked("B", 5),
        LotWithdrawn(booth=BOOTH, lot="A", reason=""),
    ]
    booth = view("T1", heard, [("s1", sold(3, "A"))])
    assert booth.left_of("KTI") == 5
    assert booth.left_of_lot("A") <= 0
    assert booth.withdrawn == {"A"}


def test_oldest_lots_come_first() -> None:
    heard: list[Body] = [
        opened("T1"),
        stocked("B", 1, days_old=1),
        stocked("A", 1, days_old=1),
        stocked("C", 1, days_old=9),
        stocked("D", 1, product="KBS"),
    ]
    assert [lot.id for lot in view("T1", heard, []).lots_of("KTI")] == ["C", "A", "B"]


def test_a_till_that_heard_nothing_knows_nothing() -> None:
    booth = view("T1", [], [])
    assert (booth.listed, booth.prices, booth.lots, booth.closing) == (False, {}, {}, None)
    assert booth.left_of("KTI") == 0


def test_the_closing_is_known() -> None:
    closing = BoothClosing(booth=BOOTH, festival="ODOP", deadline=NOW)
    assert view("T1", [opened("T2"), closing], []).closing == NOW
    assert not view("T1", [opened("T2")], []).listed
