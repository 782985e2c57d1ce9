"""What a change of one sale means: for its lots, the pool and the demand, and what tills and facilities hear of it.

Every change of a sale goes through `with_sums` and `tell`, so that no sum can forget one. They are on the way of
every sale, so they go over its parts once and copy no more than what changed.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypedDict, Unpack

from services.sales.domain import shelf
from services.sales.domain.booth import Booth, LotSum, Pool, with_pool
from services.sales.domain.device import Device
from services.sales.domain.drawer import Drawers
from services.sales.domain.pool import level, lot_moment, moment
from services.sales.domain.receipt import PartAmounts, Receipt, Sale, entity_id
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, SALES, LotShare, PartBasis, SaleAccounted, SalePart, SaleShared
from shared.runtime.state import State

# Pieces and rupiah.
_Sum = tuple[int, int]
_NOTHING: _Sum = (0, 0)


def book(state: State, booth: Booth, receipt: Receipt, after: Sale) -> tuple[State, Booth, list[Publication]]:
    """The sale of this line is as `after` now. Returns the booth with all sums that follow, and the snapshots: one
    for readers of sales, and one for each facility whose part changed."""
    before = receipt.sales[after.line - 1]
    after = replace(after, revision=before.revision + 1)
    receipt = receipt.put(after)
    then, now = before.part_amounts, after.part_amounts
    booth = with_sums(booth, receipt.sold_at, after.product, then, now)
    if bool(before.disputed) != bool(after.disputed):
        id = receipt.sale_id(after)
        disputed = (*booth.disputed, id) if after.disputed else tuple(one for one in booth.disputed if one != id)
        booth = replace(booth, disputed=disputed)
    if receipt.waits != (receipt.receipt in booth.waiting):
        name = receipt.receipt
        waiting = (*booth.waiting, name) if receipt.waits else tuple(one for one in booth.waiting if one != name)
        booth = replace(booth, waiting=waiting)
    return state.put(receipt), booth, tell(booth, receipt, after, then, now)


def receipt_in(state: State, booth: Booth, receipt: str) -> Receipt | None:
    """The receipt of this booth, as far as sales has it. Raises UndeclaredRead as the state does."""
    return state.get(Receipt, entity_id(booth.id, receipt))


class Besides(TypedDict, total=False):
    """Fields of the booth that change with the sums, so that it is copied once."""

    devices: tuple[Device, ...]
    drawers: Drawers
    receipts: int
    waiting: tuple[str, ...]
    disputed: tuple[str, ...]


def with_sums(
    booth: Booth, sold_at: datetime, product: str, then: PartAmounts, now: PartAmounts, **besides: Unpack[Besides]
) -> Booth:
    """The booth after the parts of a sale changed from `then` to `now`."""
    if then == now:
        return replace(booth, **besides) if besides else booth
    labelled: dict[str, _Sum] = {}
    pooled: dict[str, _Sum] = {}
    named: dict[str, int] = {}
    for amounts, sign in ((then, -1), (now, 1)):
        for part, rupiah in amounts:
            if part.basis is PartBasis.NAMED:
                named[part.lot] = named.get(part.lot, 0) + sign * part.qty
            sums = pooled if part.basis is PartBasis.SHARE else labelled
            qty, worth = sums.get(part.lot, _NOTHING)
            sums[part.lot] = (qty + sign * part.qty, worth + sign * rupiah)
    lots, shelves = booth.lots, booth.shelves
    for id in labelled if not pooled else {**labelled, **pooled}:
        place = next(place for place, lot in enumerate(lots) if lot.lot == id)
        lot = lots[place]
        qty, rupiah = labelled.get(id, _NOTHING)
        if qty or rupiah:
            counted_at = lot_moment(booth, lot)
            late = qty if counted_at is not None and sold_at > counted_at else 0
            lot = lot.sold_more(qty, rupiah, named.get(id, 0), late)
            lots = (*lots[:place], lot, *lots[place + 1 :])
        change = qty + pooled.get(id, _NOTHING)[0]
        if change:
            shelves = shelf.sold(shelves, lot.facility, product, sold_at, change)
    booth = replace(booth, lots=lots, shelves=shelves, **besides)
    if pooled:
        booth = _with_pool(booth, sold_at, product, pooled)
    return level(booth, product) if booth.pools else booth


def tell(booth: Booth, receipt: Receipt, sale: Sale, then: PartAmounts, now: PartAmounts) -> list[Publication]:
    """The snapshot of the sale, and of what each facility has in it whose part changed from `then` to `now`."""
    told = [_snapshot(booth, receipt, sale, now)]
    if then == now:
        return told
    facilities = {part.facility for part, _ in now} | {part.facility for part, _ in then}
    for facility in sorted(facilities) if len(facilities) > 1 else facilities:
        mine = [one for one in now if one[0].facility == facility]
        former = [one for one in then if one[0].facility == facility]
        if mine != former:
            told.append(_share(booth, receipt, sale, facility, former, mine))
    return told


def _with_pool(booth: Booth, sold_at: datetime, product: str, pooled: dict[str, _Sum]) -> Booth:
    pool = booth.pool(product) or Pool(product)
    qty, rupiah = sum(qty for qty, _ in pooled.values()), sum(rupiah for _, rupiah in pooled.values())
    counted_at = moment(booth, product)
    late = qty if counted_at is not None and sold_at > counted_at else 0
    told = {held.lot: held for held in pool.told}
    for lot, (more, worth) in pooled.items():
        known = told.get(lot, LotSum(lot, 0, 0))
        told[lot] = LotSum(lot, known.qty + more, known.rupiah + worth)
    pool = replace(
        pool,
        qty=pool.qty + qty,
        rupiah=pool.rupiah + rupiah,
        after_qty=pool.after_qty + late,
        told=tuple(held for _, held in sorted(told.items()) if held.qty or held.rupiah),
    )
    return with_pool(booth, pool)


def _snapshot(booth: Booth, receipt: Receipt, sale: Sale, now: PartAmounts) -> Publication:
    recorded = sum(rupiah for _, rupiah in now)
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
                    for part, rupiah in now
                ]
            ),
            waiting=sale.waiting,
            disputed=sale.disputed,
            rejected=sale.rejected,
            voided=sale.voided,
            open_rupiah=sale.net_rupiah - returned - recorded,
            returned_rupiah=returned,
        )
    )


def _share(
    booth: Booth, receipt: Receipt, sale: Sale, facility: str, then: PartAmounts, now: PartAmounts
) -> Publication:
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    qty, rupiah, pooled_qty, pooled_rupiah = _sums(now)
    former_qty, former_rupiah, unpooled_qty, unpooled_rupiah = _sums(then)
    return SALE_SHARES.of(
        SaleShared.model_construct(
            facility=facility,
            festival=booth.festival,
            booth=booth.id,
            sale=receipt.sale_id(sale),
            product=sale.product,
            revision=sale.revision,
            lots=_lot_shares(now),
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
    """Pieces and rupiah of all parts, and of those that are shares of the pool."""
    qty = rupiah = pooled_qty = pooled_rupiah = 0
    for part, worth in amounts:
        qty += part.qty
        rupiah += worth
        if part.basis is PartBasis.SHARE:
            pooled_qty += part.qty
            pooled_rupiah += worth
    return qty, rupiah, pooled_qty, pooled_rupiah


def _lot_shares(amounts: PartAmounts) -> tuple[LotShare, ...]:
    sums: dict[str, _Sum] = {}
    for part, rupiah in amounts:
        qty, worth = sums.get(part.lot, _NOTHING)
        sums[part.lot] = (qty + part.qty, worth + rupiah)
    return tuple(
        [LotShare.model_construct(lot=lot, qty=qty, amount_rupiah=rupiah) for lot, (qty, rupiah) in sums.items()]
    )
