"""The accounts of a booth's lots: sales can be booked on the wrong lot, but each product adds up."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.festival.domain.booth_lot import Account, BoothLot, accounts, return_balance

DAY = date(2023, 4, 1)
few = st.integers(0, 12)
NAMES = ("LA", "LB", "LC", "LD")
# Sold but never received; its number names product KTI.
NEVER_CAME = "PR-KPG-KTI-230418-007-4"


@st.composite
def a_lot(draw: st.DrawFn, lot: str) -> BoothLot:
    received = draw(few)
    moved_out = draw(st.integers(0, received))
    home = draw(st.integers(0, received - moved_out))
    returned = draw(st.integers(0, home))
    return BoothLot(
        lot,
        "LP-A",
        draw(st.sampled_from(["KTI", "KRJ"])),
        DAY,
        received=received,
        moved_out=moved_out,
        recorded_lost=draw(st.integers(0, received - moved_out)),
        returned=returned,
        returning=home - returned,
        final=draw(st.booleans()),
    )


lots = st.tuples(*map(a_lot, NAMES))
sold = st.dictionaries(st.sampled_from([*NAMES, NEVER_CAME, "LX"]), st.integers(1, 15))


def departed_pieces(account: Account) -> int:
    return (
        account.sold
        + account.lost
        + account.returned
        + account.returning
        + account.moved_out
        + account.misbooked
        + account.left
    )


@given(lots=lots, sold=sold)
@settings(max_examples=300, deadline=None)
def test_every_lot_adds_up_and_misbooked_pieces_cancel_by_product(
    lots: tuple[BoothLot, ...], sold: dict[str, int]
) -> None:
    books = accounts(lots, sold)
    assert books.keys() == {lot.lot for lot in lots} | sold.keys()
    for account in books.values():
        assert account.received + account.surplus == departed_pieces(account)
        assert min(account.left, account.surplus) == 0
        assert min(account.left, account.surplus, account.lost, account.sold) >= 0
    products = {lot.lot: lot.product for lot in lots} | {NEVER_CAME: "KTI"}
    for product in ("KTI", "KRJ"):
        assert sum(account.misbooked for lot, account in books.items() if products.get(lot) == product) == 0


@given(lots=lots, sold=sold, product=st.sampled_from(["KTI", "KRJ"]))
@settings(max_examples=300, deadline=None)
def test_all_that_is_left_of_a_product_can_come_home(
    lots: tuple[BoothLot, ...], sold: dict[str, int], product: str
) -> None:
    books = accounts(lots, sold)
    remaining = sum(books[lot.lot].left for lot in lots if lot.product == product)
    assert remaining <= return_balance(lots, sold, product).most


@given(lots=lots, sold=sold)
@settings(max_examples=100, deadline=None)
def test_the_order_of_lots_changes_nothing(lots: tuple[BoothLot, ...], sold: dict[str, int]) -> None:
    backwards = dict(reversed(sold.items()))
    assert list(accounts(lots, sold).items()) == list(accounts(reversed(lots), backwards).items())


def a_pair(**changed: int) -> tuple[BoothLot, BoothLot]:
    """Ten pieces each of LA and LB, `changed` at LA."""
    return BoothLot("LA", "LP-A", "KTI", DAY, received=10, **changed), BoothLot("LB", "LP-B", "KTI", DAY, received=10)


def test_what_came_home_in_the_name_of_one_lot_is_not_left_of_another() -> None:
    books = accounts(a_pair(returned=5), {"LA": 10})
    assert (books["LA"].misbooked, books["LA"].surplus) == (-5, 0)
    assert (books["LB"].misbooked, books["LB"].left) == (5, 5)


def test_what_is_booked_wrongly_is_spread_over_the_lots_in_proportion_to_what_seems_left() -> None:
    lots = (*a_pair(), BoothLot("LC", "LP-C", "KTI", DAY, received=5))
    books = accounts(lots, {"LA": 13})
    assert [books[lot].left for lot in ("LA", "LB", "LC")] == [0, 8, 4]


def test_lost_pieces_that_came_home_after_all_leave_other_lots_alone() -> None:
    books = accounts(a_pair(recorded_lost=3, returned=10), {})
    assert (books["LA"].surplus, books["LB"].left) == (3, 10)


def test_another_product_does_not_lend_its_name() -> None:
    lots = (a_pair()[0], BoothLot("LK", "LP-B", "KRJ", DAY, received=10))
    books = accounts(lots, {"LA": 12})
    assert (books["LA"].surplus, books["LK"].left) == (2, 10)


def test_a_named_lot_that_never_came_was_sold_in_place_of_another_of_its_product() -> None:
    books = accounts(a_pair(), {NEVER_CAME: 4})
    assert (books[NEVER_CAME].surplus, books["LA"].left + books["LB"].left) == (0, 16)
