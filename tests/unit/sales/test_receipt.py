"""A receipt and its sales: pieces and rupiah of every line add up in every state. Prices are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.sales.domain.receipt import Part, Sale, SaleStatus, parse_sale_id
from shared.events.sales import PartBasis, Payment, PaymentKind, ReceiptIssued, SaleAccounted
from tests.support.builders.sales import PRICE, SalesWorld, a_line, a_receipt, a_stocking, an_opening, open_booth


def latest_snapshot(world: SalesWorld, sale: str) -> SaleAccounted:
    """The latest snapshot of the sale."""
    return max((body for body in world.bodies(SaleAccounted) if body.sale == sale), key=lambda body: body.revision)


def test_each_line_of_a_receipt_is_a_sale_with_a_snapshot_of_its_own() -> None:
    world = open_booth(5, L2=5)
    world.tell(a_receipt(1, a_line("L1", 2), a_line("L2", 3, 2)), "r")
    assert [(body.sale, body.receipt, body.qty, body.lot) for body in world.bodies(SaleAccounted)] == [
        ("r/1", "r", 2, "L1"),
        ("r/2", "r", 3, "L2"),
    ]
    assert world.booth().receipts == 1


def test_lines_of_one_product_share_what_is_there_in_their_order() -> None:
    world = open_booth(5)
    world.tell(a_receipt(1, a_line("L1", 4), a_line("L1", 4, 2), a_line(None, 1, 3)), "r")
    assert [(sale.recorded, sale.waiting) for sale in world.receipt("r").sales] == [(4, 0), (1, 3), (0, 1)]
    assert world.booth().waiting == ("r",)


def test_a_receipt_waits_until_its_last_line_is_covered() -> None:
    world = open_booth(5)
    world.tell(a_receipt(1, a_line("L1", 2), a_line("C1", 2, 2, product="KUE")), "r")
    assert [sale.status for sale in world.receipt("r").sales] == [SaleStatus.RECORDED, SaleStatus.WAITING]
    world.give(a_stocking("C1", 1, product="KUE"))
    assert world.booth().waiting == ("r",)
    world.give(a_stocking("C1", 1, product="KUE"))
    assert world.booth().waiting == ()
    # What was recorded at once is not told again when another line is.
    assert [body.sale for body in world.bodies(SaleAccounted)] == ["r/1", "r/2", "r/2", "r/2"]


def test_discounts_are_spread_over_the_lines_to_the_rupiah() -> None:
    world = open_booth(9, L2=9)
    lines = (a_line("L1", 1, discount_rupiah=1), a_line("L2", 2, 2))
    world.tell(a_receipt(1, *lines, discount_rupiah=1_000), "r")
    # 10.000 and 20.002 are left of them after the line's own discount; of 1.000 that is 333,3 and 666,7.
    assert [sale.net_rupiah for sale in world.receipt("r").sales] == [PRICE - 1 - 333, 2 * PRICE - 667]
    assert world.earned("LP-A") == (3, 3 * PRICE - 1 - 1_000)


def test_a_receipt_whose_discount_takes_all_is_recorded_for_nothing() -> None:
    world = open_booth()
    world.tell(a_receipt(1, a_line("L1", 2), a_line(None, 1, 2), discount_rupiah=3 * PRICE), "r")
    assert [(sale.recorded, sale.net_rupiah) for sale in world.receipt("r").sales] == [(2, 0), (1, 0)]
    assert world.earned("LP-A") == (3, 0)


def test_what_costs_nothing_is_shared_in_pieces_all_the_same() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("A", 2), a_stocking("B", 2, facility="LP-B"))
    world.sell("r", 1, None, 2, unit_price_rupiah=0)
    assert (world.earned("LP-A"), world.earned("LP-B")) == ((1, 0), (1, 0))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"discount_rupiah": PRICE + 1}, "The receipt's discount exceeds"),
        ({"lines": (a_line(discount_rupiah=PRICE + 1),)}, "A line's discount exceeds"),
        ({"lines": (a_line(line=2),)}, "numbered from 1"),
        ({"lines": ()}, "at least 1 item"),
        ({"payment": Payment(kind=PaymentKind.CASH, given_rupiah=PRICE, change_rupiah=1)}, "Money given less change"),
    ],
)
def test_a_receipt_that_does_not_add_up_is_none(changed: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ReceiptIssued.model_validate(a_receipt().model_dump() | changed)


@pytest.mark.parametrize(
    ("sale", "names"),
    [
        ("r/1", ("r", 1)),
        ("a.b:c/100", ("a.b:c", 100)),
        ("r", ("", 0)),
        ("r/x", ("r", 0)),
        ("r/", ("r", 0)),
        ("r/٣", ("r", 0)),
        ("r/1000", ("r", 0)),
        ("r/-1", ("r", 0)),
    ],
)
def test_the_id_of_a_sale_names_its_receipt_and_line(sale: str, names: tuple[str, int]) -> None:
    assert parse_sale_id(sale) == names


def test_the_status_of_a_sale_names_what_needs_somebody_first() -> None:
    part = Part("L1", "LP-A", 1, PartBasis.LABEL)
    sale = Sale(1, None, "KTI", 5, 10, 50, parts=(part,), waiting=1, disputed=1, rejected=1, voided=1)
    assert sale.status is SaleStatus.WAITING
    assert sale.with_voided(1).status is SaleStatus.DISPUTED
    assert sale.with_voided(2).status is SaleStatus.RECORDED
    assert sale.with_voided(4).status is SaleStatus.VOIDED


def test_a_void_takes_pieces_in_doubt_first_and_of_the_recorded_ones_the_last_part_first() -> None:
    parts = (Part("L1", "LP-A", 2, PartBasis.LABEL), Part("L2", "LP-B", 3, PartBasis.NAMED))
    sale = Sale(1, None, "KTI", 8, 10, 80, parts=parts, waiting=1, disputed=1, rejected=1)
    assert sale.with_voided(3).parts == parts
    assert sale.with_voided(5).parts == (parts[0], Part("L2", "LP-B", 1, PartBasis.NAMED))
    assert sale.with_voided(7).parts == (Part("L1", "LP-A", 1, PartBasis.LABEL),)


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Any sale, with pieces in every state."""
    lots = draw(
        st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 5), st.sampled_from(PartBasis)), max_size=5)
    )
    parts = tuple(Part(lot, f"LP-{lot}", qty, basis) for lot, qty, basis in lots)
    waiting, disputed, rejected, voided = (draw(st.integers(0, 3)) for _ in range(4))
    qty = sum(part.qty for part in parts) + waiting + disputed + rejected + voided
    net = draw(st.integers(0, 100_000))
    return Sale(1, None, "KTI", max(1, qty), net, net, "", parts, waiting + (not qty), disputed, rejected, voided)


@given(sales(), st.data())
def test_pieces_and_rupiah_of_a_sale_add_up_before_and_after_a_void(sale: Sale, data: st.DataObject) -> None:
    less = data.draw(st.integers(0, sale.qty - sale.voided))
    for state in (sale, sale.with_voided(less)):
        assert state.qty == state.recorded + state.waiting + state.disputed + state.rejected + state.voided
        assert state.net_rupiah == state.recorded_rupiah + state.open_rupiah + state.returned_rupiah
        assert state.recorded_rupiah == sum(rupiah for _, rupiah in state.part_amounts)
        assert min([state.open_rupiah, state.returned_rupiah, *(rupiah for _, rupiah in state.part_amounts)]) >= 0


@given(sales(), st.lists(st.integers(1, 4), max_size=8))
def test_all_voids_of_a_sale_together_return_exactly_its_net(sale: Sale, voids: list[int]) -> None:
    returned = sale.returned_rupiah
    for qty in [*voids, sale.qty]:
        after = sale.with_voided(min(qty, sale.qty - sale.voided))
        returned += after.returned_rupiah - sale.returned_rupiah
        sale = after
    assert (returned, sale.voided, sale.parts) == (sale.net_rupiah, sale.qty, ())
