"""Counts that were taken back: what came home, and what was found at booths beyond the pieces sent."""

import pytest

from services.inventory.domain.lot import Find
from shared.events.inventory import (
    LotRecallLiftReached,
    LotRecallReached,
    OrderRefusal,
    ReturnRecounted,
    StockChanged,
    StockFound,
    StockOrderRefused,
    StockReturnRecounted,
    SurplusCounted,
)
from shared.events.language import Body
from shared.events.production import WithdrawalRefused
from tests.support.builders.inventory import (
    LOT,
    a_dispatch,
    a_lift,
    a_lot_recorded,
    a_recall,
    a_reservation,
    a_return,
    a_withdrawal,
)
from tests.support.one_lot import after, kinds

B1, B2 = "ODOP.B07", "ODOP.B08"
SENT: tuple[Body, ...] = (a_lot_recorded(20), a_reservation(qty=20), a_dispatch())


def a_recount(change: int) -> ReturnRecounted:
    return ReturnRecounted(lot=LOT, order="o2", festival="ODOP", booth=B1, change=change)


def a_surplus(qty: int, booth: str = B1, festival: str = "ODOP") -> SurplusCounted:
    return SurplusCounted(lot=LOT, order="o3", festival=festival, booth=booth, qty=qty, shipment="S1")


@pytest.mark.parametrize(("change", "on_hand"), [(8, 20), (-12, 0), (0, 12), (-5, 7)])
def test_a_recounted_return_changes_what_is_on_hand(change: int, on_hand: int) -> None:
    lot, published = after(*SENT, a_return(qty=12), a_recount(change))
    assert lot is not None
    assert (lot.on_hand, lot.returned) == (on_hand, on_hand)
    assert kinds(published)[-1] is StockReturnRecounted
    assert lot.recorded == lot.on_hand + lot.dispatched - lot.returned


@pytest.mark.parametrize("change", [9, -13])
def test_more_than_is_away_or_came_home_is_refused(change: int) -> None:
    lot, published = after(*SENT, a_return(qty=12), a_recount(change))
    assert lot is not None
    assert lot.returned == 12
    assert isinstance(published[-1], StockOrderRefused)
    assert published[-1].reason is OrderRefusal.MORE_THAN_SENT


def test_pieces_that_are_promised_again_stay() -> None:
    reservation = a_reservation("ODOP/R2.1", qty=10)
    lot, published = after(*SENT, a_return(qty=12), reservation, a_recount(-3))
    assert lot is not None
    assert (lot.on_hand, lot.returned) == (2, 12)
    assert isinstance(published[-1], StockOrderRefused)
    assert published[-1].reason is OrderRefusal.SHORT


def test_found_pieces_may_come_home() -> None:
    lot, published = after(*SENT, a_surplus(5), a_return(qty=25))
    assert lot is not None
    assert (lot.found, lot.returned, lot.on_hand, lot.away) == (5, 25, 25, 0)
    assert isinstance(published[-1], StockChanged)
    assert published[-1].found == 5
    [answer] = [body for body in published if isinstance(body, StockFound)]
    assert (answer.booth, answer.qty, answer.shipment, answer.order) == (B1, 5, "S1", "o3")
    _, refused = after(*SENT, a_return(qty=25))
    assert isinstance(refused[-1], StockOrderRefused)


def test_the_last_count_of_each_booth_is_valid() -> None:
    lot, _ = after(*SENT, a_surplus(5), a_surplus(2, B2), a_surplus(3))
    assert lot is not None
    assert sorted((find.booth, find.qty) for find in lot.finds) == [(B1, 3), (B2, 2)]
    lot, published = after(*SENT, a_surplus(5), a_surplus(0), a_surplus(0))
    assert lot is not None
    assert (lot.finds, lot.revision) == ((), 5)
    assert kinds(published)[-1] is StockFound


def test_a_recall_reaches_where_pieces_were_found() -> None:
    _, published = after(a_lot_recorded(20), a_surplus(5, "PASAR.B1", "PASAR"), a_recall())
    [reached] = [body for body in published if isinstance(body, LotRecallReached)]
    assert (reached.festival, reached.booths) == ("PASAR", ("PASAR.B1",))


def test_a_booth_that_finds_a_recalled_lot_hears_of_the_recall() -> None:
    lot, published = after(a_lot_recorded(20), a_recall(), a_surplus(5))
    assert lot is not None
    assert lot.finds == (Find("ODOP", B1, 5),)
    assert kinds(published)[-2:] == [StockFound, LotRecallReached]


def test_a_lot_that_nobody_made_is_refused() -> None:
    lot, [refused] = after(a_surplus(5))
    assert lot is None
    assert isinstance(refused, StockOrderRefused)
    assert (refused.reason, refused.order) == (OrderRefusal.UNKNOWN_LOT, "o3")


def test_a_lot_of_which_pieces_were_found_at_a_booth_is_not_withdrawn_and_hears_that_its_recall_is_lifted() -> None:
    lot, published = after(a_lot_recorded(10), a_surplus(2), a_withdrawal(), a_recall(), a_lift())
    assert lot is not None
    assert not lot.withdrawn
    assert [body.promised for body in published if isinstance(body, WithdrawalRefused)] == [2]
    assert [body.booths for body in published if isinstance(body, LotRecallLiftReached)] == [(B1,)]
