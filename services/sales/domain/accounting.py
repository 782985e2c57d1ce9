"""Effects of one sale's change: on the sums of its lots, the pool and the demand, and on published snapshots.

Every change of a sale goes through `with_sums` and `sale_publications`, so that no sum can miss one. Every sale
passes both. They therefore read its parts once and copy only what changed.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypedDict, Unpack

from services.sales.domain import shelf
from services.sales.domain.booth import Booth, LotSum, Pool, with_pool
from services.sales.domain.device import Device
from services.sales.domain.drawer import Drawers
from services.sales.domain.pool import final_count_at, lot_final_count_at, redistribute
from services.sales.domain.receipt import PartAmounts, Receipt, Sale, entity_id
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, SALES, LotShare, PartBasis, SaleAccounted, SalePart, SaleShared
from shared.runtime.state import State

# Pieces and rupiah.
_Sum = tuple[int, int]
_NOTHING: _Sum = (0, 0)


def book(state: State, booth: Booth, receipt: Receipt, after: Sale) -> tuple[State, Booth, list[Publication]]:
    """Record `after` as the new state of its receipt line.

    Returns the booth with all sums that follow, and the snapshots: one for readers of sales, and one for each
    facility whose part changed.
    """
    before = receipt.sales[after.line - 1]
    after = replace(after, revision=before.revision + 1)
    receipt = receipt.with_sale(after)
    before_parts, after_parts = before.part_amounts, after.part_amounts
    booth = with_sums(booth, receipt.sold_at, after.product, before_parts, after_parts)
    if bool(before.disputed) != bool(after.disputed):
        id = receipt.sale_id(after)
        disputed = (
            (*booth.disputed, id) if after.disputed else tuple(other for other in booth.disputed if other != id)
        )
        booth = replace(booth, disputed=disputed)
    if receipt.is_waiting != (receipt.receipt in booth.waiting):
        name = receipt.receipt
        waiting = (
            (*booth.waiting, name) if receipt.is_waiting else tuple(other for other in booth.waiting if other != name)
        )
        booth = replace(booth, waiting=waiting)
    return state.put(receipt), booth, sale_publications(booth, receipt, after, before_parts, after_parts)


def receipt_in(state: State, booth: Booth, receipt: str) -> Receipt | None:
    """The booth's receipt with this id, or None if sales has none. Raises UndeclaredRead as `State.get` does."""
    return state.get(Receipt, entity_id(booth.id, receipt))


class BoothChanges(TypedDict, total=False):
    """Fields of the booth that change together with the sums, so that the booth is copied once."""

    devices: tuple[Device, ...]
    drawers: Drawers
    receipts: int
    waiting: tuple[str, ...]
    disputed: tuple[str, ...]


def with_sums(
    booth: Booth,
    sold_at: datetime,
    product: str,
    before: PartAmounts,
    after: PartAmounts,
    **changes: Unpack[BoothChanges],
) -> Booth:
    """The booth after the parts of a sale changed from `before` to `after`."""
    if before == after:
        return replace(booth, **changes) if changes else booth
    labelled: dict[str, _Sum] = {}
    pooled: dict[str, _Sum] = {}
    named: dict[str, int] = {}
    for amounts, sign in ((before, -1), (after, 1)):
        for part, rupiah in amounts:
            if part.basis is PartBasis.NAMED:
                named[part.lot] = named.get(part.lot, 0) + sign * part.qty
            sums = pooled if part.basis is PartBasis.SHARE else labelled
            qty, amount = sums.get(part.lot, _NOTHING)
            sums[part.lot] = (qty + sign * part.qty, amount + sign * rupiah)
    lots, shelves = booth.lots, booth.shelves
    for id in labelled if not pooled else {**labelled, **pooled}:
        index = next(index for index, lot in enumerate(lots) if lot.lot == id)
        lot = lots[index]
        qty, rupiah = labelled.get(id, _NOTHING)
        if qty or rupiah:
            counted_at = lot_final_count_at(booth, lot)
            late = qty if counted_at is not None and sold_at > counted_at else 0
            lot = lot.with_sales(qty, rupiah, named.get(id, 0), late)
            lots = (*lots[:index], lot, *lots[index + 1 :])
        change = qty + pooled.get(id, _NOTHING)[0]
        if change:
            shelves = shelf.sell(shelves, lot.facility, product, sold_at, change)
    booth = replace(booth, lots=lots, shelves=shelves, **changes)
    if pooled:
        booth = _with_pool(booth, sold_at, product, pooled)
    return redistribute(booth, product) if booth.pools else booth


def sale_publications(
    booth: Booth, receipt: Receipt, sale: Sale, before: PartAmounts, after: PartAmounts
) -> list[Publication]:
    """The snapshot of the sale, and a snapshot for each facility whose part of it differs between `before` and
    `after`."""
    publications = [_snapshot(booth, receipt, sale, after)]
    if before == after:
        return publications
    facilities = {part.facility for part, _ in after} | {part.facility for part, _ in before}
    for facility in sorted(facilities) if len(facilities) > 1 else facilities:
        current = [part_amount for part_amount in after if part_amount[0].facility == facility]
        previous = [part_amount for part_amount in before if part_amount[0].facility == facility]
        if current != previous:
            publications.append(_share(booth, receipt, sale, facility, previous, current))
    return publications


def _with_pool(booth: Booth, sold_at: datetime, product: str, pooled: dict[str, _Sum]) -> Booth:
    pool = booth.pool(product) or Pool(product)
    qty, rupiah = sum(qty for qty, _ in pooled.values()), sum(rupiah for _, rupiah in pooled.values())
    counted_at = final_count_at(booth, product)
    late = qty if counted_at is not None and sold_at > counted_at else 0
    from_sales = {lot_sum.lot: lot_sum for lot_sum in pool.from_sales}
    for lot, (pieces, amount) in pooled.items():
        previous = from_sales.get(lot, LotSum(lot, 0, 0))
        from_sales[lot] = LotSum(lot, previous.qty + pieces, previous.rupiah + amount)
    pool = replace(
        pool,
        qty=pool.qty + qty,
        rupiah=pool.rupiah + rupiah,
        after_qty=pool.after_qty + late,
        from_sales=tuple(lot_sum for _, lot_sum in sorted(from_sales.items()) if lot_sum.qty or lot_sum.rupiah),
    )
    return with_pool(booth, pool)


def _snapshot(booth: Booth, receipt: Receipt, sale: Sale, amounts: PartAmounts) -> Publication:
    recorded = sum(rupiah for _, rupiah in amounts)
    returned = sale.returned_rupiah if sale.voided else 0
    return SALES.of(
        SaleAccounted.model_construct(
            booth=booth.id,
            sale=receipt.sale_id(sale),
            receipt=receipt.receipt,
            festival=booth.festival,
            till=receipt.till,
            lot=sale.lot,
            product=sale.product,
            qty=sale.qty,
            unit_price_rupiah=sale.unit_price_rupiah,
            net_rupiah=sale.net_rupiah,
            sold_at=receipt.sold_at,
            revision=sale.revision,
            parts=tuple(
                [
                    SalePart.model_construct(
                        lot=part.lot,
                        facility=part.facility,
                        qty=part.qty,
                        amount_rupiah=rupiah,
                        basis=part.basis,
                        recalled=part.recalled,
                    )
                    for part, rupiah in amounts
                ]
            ),
            waiting=sale.waiting,
            disputed=sale.disputed,
            rejected=sale.rejected,
            voided=sale.voided,
            open_rupiah=sale.net_rupiah - returned - recorded,
            returned_rupiah=returned,
            forwarded=sale.forwarded,
        )
    )


def _share(
    booth: Booth, receipt: Receipt, sale: Sale, facility: str, before: PartAmounts, after: PartAmounts
) -> Publication:
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    qty, rupiah, pooled_qty, pooled_rupiah = _sums(after)
    former_qty, former_rupiah, unpooled_qty, unpooled_rupiah = _sums(before)
    return SALE_SHARES.of(
        SaleShared.model_construct(
            facility=facility,
            festival=booth.festival,
            booth=booth.id,
            sale=receipt.sale_id(sale),
            product=sale.product,
            revision=sale.revision,
            lots=_lot_shares(after),
            qty=qty,
            amount_rupiah=rupiah,
            change_qty=qty - former_qty,
            change_rupiah=rupiah - former_rupiah,
            pooled_change_qty=pooled_qty - unpooled_qty,
            pooled_change_rupiah=pooled_rupiah - unpooled_rupiah,
            sold_at=receipt.sold_at,
            continued=False,
        )
    )


def _sums(amounts: PartAmounts) -> tuple[int, int, int, int]:
    """Pieces and rupiah of all parts, then pieces and rupiah of the parts that are shares of the pool."""
    qty = rupiah = pooled_qty = pooled_rupiah = 0
    for part, amount in amounts:
        qty += part.qty
        rupiah += amount
        if part.basis is PartBasis.SHARE:
            pooled_qty += part.qty
            pooled_rupiah += amount
    return qty, rupiah, pooled_qty, pooled_rupiah


def _lot_shares(amounts: PartAmounts) -> tuple[LotShare, ...]:
    sums: dict[str, _Sum] = {}
    for part, rupiah in amounts:
        qty, amount = sums.get(part.lot, _NOTHING)
        sums[part.lot] = (qty + part.qty, amount + rupiah)
    return tuple(
        [LotShare.model_construct(lot=lot, qty=qty, amount_rupiah=rupiah) for lot, (qty, rupiah) in sums.items()]
    )
