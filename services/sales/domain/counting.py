"""Counts at a booth: which of them stand, and which sales were made after the final ones."""

from dataclasses import replace
from datetime import datetime

from services.sales.domain.booth import Booth, BoothLot, EarlyCount, Pool, StockCount, with_pool
from services.sales.domain.pool import level, lot_moment, moment
from services.sales.domain.receipt import Receipt, sold_after
from shared.events import lot_number
from shared.events.sales import BoothCounted, PartBasis
from shared.runtime.state import State

# Counts of lots that may never come must not fill a booth's document. More is no honest count, and parks the booth.
MOST_EARLY_COUNTS = 5000


def count(state: State, booth: Booth, body: BoothCounted) -> Booth:
    """The booth after a count. Per lot, and per product for goods without a label, the latest moment wins, whichever
    count comes first."""
    after = state.find(sold_after(booth.id, body.counted_at))
    before = {lot.lot: lot_moment(booth, lot) for lot in booth.lots}
    moments = {pool.product: moment(booth, pool.product) for pool in booth.pools}
    for product in body.products:
        pool = booth.pool(product.product) or Pool(product.product)
        final, latest = _later(pool.final, pool.latest, StockCount(body.counted_at, product.qty), body.final)
        booth = with_pool(booth, replace(pool, final=final, latest=latest))
    for lot in body.lots:
        booth = _count_lot(booth, lot.lot, StockCount(body.counted_at, lot.qty), body.final)
    lots = [
        lot if lot_moment(booth, lot) == before.get(lot.lot) else replace(lot, after_qty=_labelled(after, booth, lot))
        for lot in booth.lots
    ]
    booth = replace(booth, lots=tuple(lots))
    for pool in booth.pools:
        counted_at = moment(booth, pool.product)
        if counted_at is not None and counted_at != moments.get(pool.product):
            late = _unlabelled(after, pool.product, counted_at)
            booth = with_pool(booth, replace(pool, after_qty=late))
        booth = level(booth, pool.product)
    return booth


def _count_lot(booth: Booth, id: str, count: StockCount, is_final: bool) -> Booth:
    held = booth.holds(id)
    if held is not None:
        final, latest = _later(held.final, held.latest, count, is_final)
        counted = replace(held, final=final, latest=latest)
        return replace(booth, lots=tuple(counted if lot.lot == id else lot for lot in booth.lots))
    number = lot_number.parse(id)
    new = EarlyCount(id, number.product if number is not None else None, None, None)
    if len(booth.early_counts) >= MOST_EARLY_COUNTS and all(known.lot != id for known in booth.early_counts):
        raise OverflowError(f"{booth.id} has {MOST_EARLY_COUNTS} counts of lots that never came")
    early = next((known for known in booth.early_counts if known.lot == id), new)
    final, latest = _later(early.final, early.latest, count, is_final)
    others = tuple(known for known in booth.early_counts if known.lot != id)
    return replace(booth, early_counts=(*others, replace(early, final=final, latest=latest)))


def _later(
    final: StockCount | None, latest: StockCount | None, count: StockCount, is_final: bool
) -> tuple[StockCount | None, StockCount | None]:
    return (
        max(final or count, count) if is_final else final,
        max(latest or count, count),
    )


def _labelled(after: list[Receipt], booth: Booth, lot: BoothLot) -> int:
    """Pieces of the lot that were sold by label after its final count."""
    counted_at = lot_moment(booth, lot)
    if counted_at is None:
        return 0
    return sum(
        part.qty
        for receipt in after
        if receipt.sold_at > counted_at
        for sale in receipt.sales
        for part in sale.parts
        if part.lot == lot.lot and part.basis is not PartBasis.SHARE
    )


def _unlabelled(after: list[Receipt], product: str, counted_at: datetime) -> int:
    """Pieces of the product that were sold without a label after its final count."""
    return sum(
        part.qty
        for receipt in after
        if receipt.sold_at > counted_at
        for sale in receipt.sales
        for part in sale.parts
        if sale.product == product and part.basis is PartBasis.SHARE
    )
