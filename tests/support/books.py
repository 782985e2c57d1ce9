"""What holds of a booth's books whenever an event is worked: in pieces and rupiah of receipts, lots and pools."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.sales.domain import Booth, Receipt
from services.sales.domain import pool as pools
from services.sales.domain.booth import BoothLot, BoothStatus
from services.sales.domain.receipt import Part, Sale
from shared.events.sales import PartBasis

# A part with its rupiah and when it was sold.
Told = tuple[Part, int, datetime]


def check_books(booth: Booth, receipts: Sequence[Receipt]) -> None:
    """The booth says what its receipts (all of them) add up to."""
    for receipt in receipts:
        for sale in receipt.sales:
            check_sale(sale)
    for lot in booth.lots:
        check_lot(booth, lot, list(parts(receipts, lot)))
    for product in {lot.product for lot in booth.lots} | {pool.product for pool in booth.pools}:
        check_pool(booth, product, [part for part in parts(receipts, product=product) if _is_share(part)])
    check_lists(booth, receipts)
    check_drawers(booth, receipts)


def check_sale(sale: Sale) -> None:
    """Its pieces and rupiah are all that were sold, once each."""
    assert sale.qty == sale.recorded + sale.waiting + sale.disputed + sale.rejected + sale.voided + sale.forwarded
    assert sale.net_rupiah == sale.recorded_rupiah + sale.open_rupiah + sale.returned_rupiah
    doubtful = (sale.waiting, sale.disputed, sale.rejected, sale.voided, sale.forwarded)
    assert min([*doubtful, *(part.qty for part in sale.parts)]) >= 0
    assert min([sale.open_rupiah, sale.returned_rupiah, *(rupiah for _, rupiah in sale.part_amounts)]) >= 0
    if sale.lot is not None:
        assert all(part.basis is not PartBasis.SHARE for part in sale.parts)


def check_lot(booth: Booth, lot: BoothLot, booked: list[Told]) -> None:
    """It was sold by label as sales say, and adds up. Nothing beyond what came is credited, but by the organiser."""
    labelled = [part for part in booked if not _is_share(part)]
    assert (lot.label_qty, lot.label_rupiah) == (
        sum(part.qty for part, _, _ in labelled),
        sum(rupiah for _, rupiah, _ in labelled),
    )
    counted_at = pools.lot_final_count_at(booth, lot)
    late = [part.qty for part, _, sold_at in labelled if counted_at is not None and sold_at > counted_at]
    assert lot.after_qty == sum(late)
    assert lot.stocked + lot.beyond == lot.sold + lot.lost + lot.moved + lot.unsold
    assert not (lot.beyond and lot.unsold)
    assert min(lot.label_qty, lot.label_rupiah, lot.pool_qty, lot.pool_rupiah) >= 0
    assert lot.named_qty == sum(part.qty for part, _, _ in labelled if part.basis is PartBasis.NAMED)
    # What was sold stays recorded when pieces are moved away, or counted again as fewer.
    if not any(other.moved or other.recount for other in booth.lots_of(lot.product)):
        assert lot.sold - lot.named_qty <= lot.stocked, "credited with more than came"


def check_pool(booth: Booth, product: str, booked: list[Told]) -> None:
    """The lots' shares are the pool, and so are the parts of single sales with what was adjusted."""
    pool = booth.pool(product)
    if pool is None:
        assert not booked
        return
    lots = booth.lots_of(product)
    assert (pool.qty, pool.rupiah) == (sum(part.qty for part, _, _ in booked), sum(rupiah for _, rupiah, _ in booked))
    assert (pool.qty, pool.rupiah) == (sum(lot.pool_qty for lot in lots), sum(lot.pool_rupiah for lot in lots))
    counted_at = pools.final_count_at(booth, product)
    assert pool.after_qty == sum(part.qty for part, _, at in booked if counted_at is not None and at > counted_at)
    by_lot = {lot.lot: Counter[str]() for lot in lots}
    for part, rupiah, _ in booked:
        by_lot[part.lot].update(qty=part.qty, rupiah=rupiah)
    for adjustment in pool.adjusted:
        by_lot[adjustment.lot].update(qty=adjustment.qty, rupiah=adjustment.rupiah)
    assert {lot: (sums["qty"], sums["rupiah"]) for lot, sums in by_lot.items()} == {
        lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in lots
    }
    assert pools.pool_shares(sorted(lots, key=lambda lot: lot.lot), pool) == [
        lot.pool_qty for lot in sorted(lots, key=lambda lot: lot.lot)
    ]


def check_lists(booth: Booth, receipts: Sequence[Receipt]) -> None:
    """What waits and is disputed is listed, and nothing waits for what is there or beyond the settling."""
    assert sorted(booth.waiting) == sorted(receipt.receipt for receipt in receipts if receipt.is_waiting)
    disputed = [receipt.sale_id(sale) for receipt in receipts for sale in receipt.sales if sale.disputed]
    assert sorted(booth.disputed) == sorted(disputed)
    waiting = [sale for receipt in receipts for sale in receipt.sales if sale.waiting]
    assert not (booth.status is BoothStatus.SETTLED and waiting), "one waits beyond the settling"
    for sale in waiting:
        booth_lot = booth.find_lot(sale.lot) if sale.lot is not None else None
        if sale.lot is None:
            assert not booth.available(sale.product), "it waits for what is there"
        elif booth_lot is not None and booth_lot.product == sale.product:
            assert not min(booth_lot.unlabelled_stock, booth.available(sale.product)), "it waits for what is there"


def check_drawers(booth: Booth, receipts: Sequence[Receipt]) -> None:
    """Drawers took in what receipts cost."""
    takings = [taking for drawer in booth.drawers for taking in drawer.takings]
    assert sum(taking.receipts for taking in takings) == booth.receipts == len(receipts)
    sales = [sale for receipt in receipts for sale in receipt.sales]
    assert sum(taking.net_rupiah for taking in takings) == sum(sale.net_rupiah for sale in sales)


def parts(receipts: Iterable[Receipt], lot: BoothLot | None = None, product: str | None = None) -> Iterator[Told]:
    """Parts of these receipts, of one lot or product if it is given."""
    for receipt in receipts:
        for sale in receipt.sales:
            for part, rupiah in sale.part_amounts:
                if (lot is None or part.lot == lot.lot) and product in (None, sale.product):
                    yield part, rupiah, receipt.sold_at


def _is_share(booked: Told) -> bool:
    return booked[0].basis is PartBasis.SHARE
