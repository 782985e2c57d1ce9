from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain import Lot
from services.inventory.handlers import LOT as PROCESSOR
from services.inventory.store import LOTS
from shared.events.inventory import (
    LotRecallLiftReached,
    OrderRefusal,
    ReservationRefused,
    ReservationReleased,
    StockChanged,
    StockDispatched,
    StockOrderRefused,
    StockReserved,
    StockReturned,
)
from shared.events.language import Body, Deadline
from shared.events.production import CorrectionRefused, LotCorrected, ReportWithdrawn, WithdrawalRefused
from shared.runtime.state import Ref, State
from tests.support.builders.inventory import (
    LOT,
    a_correction,
    a_dispatch,
    a_lift,
    a_loss,
    a_lot_recorded,
    a_recall,
    a_release,
    a_reservation,
    a_return,
    a_withdrawal,
    an_event,
)
from tests.support.one_lot import after, kinds


def test_a_recorded_lot_is_all_on_hand() -> None:
    lot, published = after(a_lot_recorded(10))
    assert lot is not None
    assert (lot.on_hand, lot.reserved, lot.dispatched) == (10, 0, 0)
    assert isinstance(published[-1], StockChanged)
    assert published[-1].on_hand == 10


def test_a_reservation_takes_from_what_is_on_hand() -> None:
    lot, published = after(a_lot_recorded(10), a_reservation(qty=4))
    assert lot is not None
    assert (lot.on_hand, lot.reserved) == (6, 4)
    assert kinds(published) == [StockReserved]


def test_a_reservation_of_more_than_is_on_hand_holds_nothing_and_says_what_there_is() -> None:
    lot, published = after(a_lot_recorded(3), a_reservation(qty=4))
    assert lot is not None
    assert (lot.on_hand, lot.reserved) == (3, 0)
    [refusal] = [body for body in published if isinstance(body, ReservationRefused)]
    assert (refusal.reason, refusal.on_hand, refusal.product) == (OrderRefusal.SHORT, 3, "KTI")


def test_the_same_reservation_is_held_once() -> None:
    lot, published = after(a_lot_recorded(10), a_reservation(qty=4), a_reservation(qty=4))
    assert lot is not None
    assert lot.reserved == 4
    assert kinds(published) == [StockReserved]


def test_a_released_reservation_is_on_hand_again_once() -> None:
    lot, published = after(a_lot_recorded(10), a_reservation(qty=4), a_release(), a_release())
    assert lot is not None
    assert (lot.on_hand, lot.reserved) == (10, 0)
    assert kinds(published) == [StockReserved, ReservationReleased]


def test_dispatched_pieces_can_not_be_released() -> None:
    lot, published = after(a_lot_recorded(10), a_reservation(qty=4), a_dispatch(), a_release())
    assert lot is not None
    assert (lot.on_hand, lot.reserved, lot.dispatched) == (6, 0, 4)
    assert kinds(published) == [StockReserved, StockDispatched, StockOrderRefused]


def test_no_more_comes_home_than_was_sent() -> None:
    lot, published = after(
        a_lot_recorded(10), a_reservation(qty=4), a_dispatch(), a_return(3, "o1"), a_return(2, "o2")
    )
    assert lot is not None
    assert (lot.on_hand, lot.returned) == (9, 3)
    assert kinds(published)[-2:] == [StockReturned, StockOrderRefused]


def test_a_recall_releases_what_is_held_and_tells_the_booths_that_were_sent_some() -> None:
    lot, published = after(
        a_lot_recorded(10),
        a_reservation("r1", 2, "F1", "F1.B1"),
        a_reservation("r2", 3, "F2", "F2.B1"),
        a_dispatch("r1", "F1"),
        a_recall(),
        a_reservation("r3", 1),
    )
    assert lot is not None
    assert (lot.on_hand, lot.reserved, lot.dispatched, lot.recalled) == (8, 0, 2, True)
    reached = {body.festival: body.booths for body in published if type(body).__name__ == "LotRecallReached"}
    assert reached == {"F1": ("F1.B1",), "F2": ()}
    last = published[-1]
    assert isinstance(last, ReservationRefused)
    assert (last.reason, last.on_hand) == (OrderRefusal.RECALLED, 0)


def test_a_lifted_recall_tells_the_booths_that_were_sent_some_and_holds_nothing_again() -> None:
    lot, published = after(
        a_lot_recorded(10),
        a_reservation("r1", 2, "F1", "F1.B1"),
        a_reservation("r2", 3, "F2", "F2.B1"),
        a_dispatch("r1", "F1"),
        a_recall(),
        a_lift(),
        a_lift(),
        a_reservation("r3", 1),
    )
    assert lot is not None
    assert (lot.on_hand, lot.reserved, lot.dispatched, lot.recalled) == (7, 1, 2, False)
    reached = [body for body in published if isinstance(body, LotRecallLiftReached)]
    assert [(body.festival, body.booths) for body in reached] == [("F1", ("F1.B1",))]


def test_a_withdrawn_lot_has_no_pieces_and_takes_none() -> None:
    lot, published = after(
        a_lot_recorded(10), a_loss(2), a_withdrawal("w1"), a_withdrawal("w2"), a_correction(3), a_reservation(qty=1)
    )
    assert lot is not None
    assert (lot.withdrawn, lot.on_hand, lot.recorded + lot.corrected, lot.written_off) == (True, 0, 2, 2)
    assert [body.qty for body in published if isinstance(body, ReportWithdrawn)] == [8, 0]
    balances = [body for body in published if isinstance(body, StockChanged)]
    assert [(balance.on_hand, balance.withdrawn) for balance in balances] == [(10, False), (8, False), (0, True)]
    assert [type(body) for body in published[-2:]] == [CorrectionRefused, ReservationRefused]


@pytest.mark.parametrize("promises", [(a_reservation(qty=4),), (a_reservation(qty=4), a_dispatch(), a_return(4))])
def test_a_lot_of_which_pieces_were_promised_is_not_withdrawn(promises: tuple[Body, ...]) -> None:
    lot, published = after(a_lot_recorded(10), *promises, a_withdrawal())
    assert lot is not None
    assert not lot.withdrawn
    assert published[-1] == WithdrawalRefused(facility="LP-KPG", lot=LOT, withdrawal="w1", promised=4)


def test_a_recall_that_comes_after_a_withdrawal_gives_the_lot_no_piece_back() -> None:
    lot, published = after(a_lot_recorded(10), a_withdrawal(), a_recall(), a_lift())
    assert lot is not None
    assert (lot.withdrawn, lot.recalled, lot.on_hand) == (True, False, 0)
    last = published[-1]
    assert isinstance(last, StockChanged)
    assert last.withdrawn


def test_a_lot_is_withdrawn_once_its_reservations_were_released() -> None:
    lot, _ = after(a_lot_recorded(10), a_reservation(qty=4), a_release(), a_withdrawal())
    assert lot is not None
    assert (lot.withdrawn, lot.on_hand) == (True, 0)


def test_a_correction_fits_only_what_is_on_hand() -> None:
    lot, published = after(a_lot_recorded(10), a_reservation(qty=8), a_correction(-3, "c1"), a_correction(-2, "c2"))
    assert lot is not None
    assert (lot.on_hand, lot.corrected) == (0, -2)
    assert kinds(published)[-2:] == [CorrectionRefused, LotCorrected]


@pytest.mark.parametrize("order", [a_reservation(), a_release(), a_dispatch(), a_return(), a_loss()])
def test_an_order_for_a_lot_nobody_recorded_is_refused(order: Body) -> None:
    lot, published = after(order)
    assert lot is None
    [refusal] = published
    assert isinstance(refusal, ReservationRefused | StockOrderRefused)
    assert refusal.reason is OrderRefusal.UNKNOWN_LOT


ids = st.sampled_from(["r1", "r2", "r3", "r4"])
few = st.integers(1, 8)
orders = st.one_of(
    st.builds(a_reservation, ids, few, st.sampled_from(["F1", "F2"]), st.sampled_from(["F1.B1", "F1.B2"])),
    st.builds(a_release, ids),
    st.builds(a_dispatch, ids),
    st.builds(a_return, few),
    st.builds(a_loss, few),
    st.builds(a_correction, st.integers(-8, 8).filter(bool)),
    st.just(a_recall()),
)


@given(st.integers(1, 20), st.lists(orders, max_size=40))
def test_the_balance_adds_up_after_any_orders(qty: int, bodies: list[Body]) -> None:
    state, revision = State.of(absent=(Ref(Lot, LOT),)), 0
    ended = Counter[str]()
    for number, body in enumerate([a_lot_recorded(qty), *bodies]):
        state, outputs = PROCESSOR.decide(state, an_event(body, f"e{number}"))
        lot = state.get(Lot, LOT)
        assert lot is not None
        parts = (lot.on_hand, lot.reserved, lot.dispatched, lot.returned, lot.written_off)
        assert min(parts) >= 0
        assert lot.returned <= lot.dispatched
        assert lot.recorded + lot.corrected == (
            lot.on_hand + lot.reserved + lot.dispatched - lot.returned + lot.written_off
        )
        assert not (lot.recalled and lot.reserved)
        for output in outputs:
            assert not isinstance(output, Deadline)
            match output.body:
                case StockChanged(revision=next_revision):
                    assert next_revision == revision + 1
                    revision = next_revision
                case ReservationReleased(reservation=id) | StockDispatched(reservation=id):
                    ended[id] += 1
                case _:
                    pass
        assert lot.revision == revision
        assert LOTS.from_document({"_id": lot.id, **LOTS.to_document(lot)}) == lot
    assert all(times == 1 for times in ended.values())
