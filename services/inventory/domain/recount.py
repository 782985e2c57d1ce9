"""Counts that people took back: of what came home, and of what was found at booths beyond the pieces sent."""

from services.inventory.domain.lot import Change, Find, Lot, order_refused, revise
from shared.events.inventory import (
    RESERVATIONS,
    LotRecallReached,
    OrderRefusal,
    ReturnRecounted,
    StockFound,
    StockReturnRecounted,
    SurplusCounted,
)


def recount_return(lot: Lot, order: ReturnRecounted) -> Change:
    """The lot after pieces that came home were counted again.

    Refused are more pieces than are away, and fewer than inventory has promised or written off since.
    """
    if order.change > lot.away or lot.returned + order.change < 0:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.MORE_THAN_SENT)]
    if lot.on_hand + order.change < 0:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.SHORT)]
    answer = StockReturnRecounted(
        festival=order.festival, order=order.order, lot=lot.id, booth=order.booth, change=order.change
    )
    if order.change:
        lot = revise(lot, on_hand=lot.on_hand + order.change, returned=lot.returned + order.change)
    return lot, [RESERVATIONS.of(answer)]


def count_surplus(lot: Lot, order: SurplusCounted) -> Change:
    """The lot after a booth counted its surplus. The booth receives the lot's data, and the recall of a recalled lot.

    Inventory can't refuse pieces that lie at a booth. Where they came from, people must find out.
    """
    other_finds = tuple(find for find in lot.finds if (find.festival, find.booth) != (order.festival, order.booth))
    finds = (*other_finds, Find(order.festival, order.booth, order.qty)) if order.qty else other_finds
    answer = StockFound(
        festival=order.festival,
        order=order.order,
        lot=lot.id,
        booth=order.booth,
        qty=order.qty,
        facility=lot.facility,
        product=lot.product,
        made_on=lot.made_on,
        best_before=lot.best_before,
        shipment=order.shipment,
        transfer=order.transfer,
    )
    publications = [RESERVATIONS.of(answer)]
    if lot.recalled and order.qty:
        notice = LotRecallReached(festival=order.festival, lot=lot.id, reason="", booths=(order.booth,))
        publications.append(RESERVATIONS.of(notice))
    return (lot if finds == lot.finds else revise(lot, finds=finds)), publications
