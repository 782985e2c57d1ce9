"""Counts at a booth: which of them are valid, and which sales were made after the final ones."""

from dataclasses import replace
from datetime import datetime

from services.sales.domain.booth import Booth, BoothLot, EarlyCount, Pool, StockCount, with_pool
from services.sales.domain.pool import final_count_at, lot_final_count_at, redistribute
from services.sales.domain.receipt import Receipt, sold_after
from shared.events import lot_number
from shared.events.sales import BoothCounted, PartBasis
from shared.runtime.state import State

# Bounds the booth's document against counts of lots that may never come. More than this parks the booth.
MOST_EARLY_COUNTS = 5000


def count(state: State, booth: Booth, body: BoothCounted) -> Booth:
    """The booth after a count. Per lot, and per product for goods without a label, the latest moment wins, whichever
    count comes first."""
    after = state.find(sold_after(booth.id, body.counted_at))
    before = {lot.lot: lot_final_count_at(booth, lot) for lot in booth.lots}
    moments = {pool.product: final_count_at(booth, pool.product) for pool in booth.pools}
    for product in body.products:
        pool = booth.pool(product.product) or Pool(product.product)
        final, latest = _later(pool.final, pool.latest, StockCount(body.counted_at, product.qty), body.final)
        booth = with_pool(booth, replace(pool, final=final, latest=latest))
    for lot in body.lots:
        booth = _count_lot(booth, lot.lot, StockCount(body.counted_at, lot.qty), body.final)
    lots = [
        lot
        if lot_final_count_at(booth, lot) == before.get(lot.lot)
        else replace(lot, after_qty=_labelled(after, booth, lot))
        for lot in booth.lots
    ]
    booth = replace(booth, lots=tuple(lots))
    for pool in booth.pools:
        counted_at = final_count_at(booth, pool.product)
        if counted_at is not None and counted_at != moments.get(pool.product):
            late = _unlabelled(after, pool.product, counted_at)
            booth = with_pool(booth, replace(pool, after_qty=late))
        booth = redistribute(booth, pool.product)
    return booth


def _count_lot(booth: Booth, id: str, count: StockCount, is_final: bool) -> Booth:
    booth_lot = booth.find_lot(id)
    if booth_lot is not None:
        final, latest = _later(booth_lot.final, booth_lot.latest, count, is_final)
        counted = replace(booth_lot, final=final, latest=latest)
        return replace(booth, lots=tuple(counted if lot.lot == id else lot for lot in booth.lots))
    number = lot_number.parse(id)
    empty = EarlyCount(id, number.product if number is not None else None, None, None)
    if len(booth.early_counts) >= MOST_EARLY_COUNTS and all(other.lot != id for other in booth.early_counts):
        raise OverflowError(f"booth {booth.id} has {MOST_EARLY_COUNTS} counts of lots that were never stocked")
    early = next((other for other in booth.early_counts if other.lot == id), empty)
    final, latest = _later(early.final, early.latest, count, is_final)
    other_counts = tuple(other for other in booth.early_counts if other.lot != id)
    return replace(booth, early_counts=(*other_counts, replace(early, final=final, latest=latest)))


def _later(
    final: StockCount | None, latest: StockCount | None, count: StockCount, is_final: bool
) -> tuple[StockCount | None, StockCount | None]:
    return (
        max(final or count, count) if is_final else final,
        max(latest or count, count),
    )


def _labelled(after: list[Receipt], booth: Booth, lot: BoothLot) -> int:
    """Pieces of the lot that were sold by label after its final count."""
    counted_at = lot_final_count_at(booth, lot)
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
