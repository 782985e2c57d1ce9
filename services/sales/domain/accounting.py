"""What a change of one sale means: for its lots, the pool and the demand, and what tills and facilities hear of it.

Every change of a sale goes through `book`, so that no sum can forget one.
"""

from collections import defaultdict
from dataclasses import replace

from services.sales.domain import shelf
from services.sales.domain.booth import Booth, Held, Pool, with_pool
from services.sales.domain.pool import level, lot_moment, moment
from services.sales.domain.receipt import Part, Receipt, Sale, entity_id
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, SALES, LotShare, PartBasis, SaleAccounted, SalePart, SaleShared
from shared.state import State

# Pieces and rupiah by lot.
_Sums = dict[str, tuple[int, int]]
_Parts = list[tuple[Part, int]]


def book(state: State, booth: Booth, receipt: Receipt, after: Sale) -> tuple[State, Booth, list[Publication]]:
    """The sale of this line is as `after` now, or is new. Returns the booth with all sums that follow, and the
    snapshots: one for readers of sales, and one for each facility whose part changed."""
    before = receipt.sale(after.line)
    assert before is not None, "a receipt has all of its lines from the start"
    after = replace(after, revision=before.revision + 1)
    receipt = receipt.put(after)
    booth = _with_sums(booth, receipt, before, after)
    booth = _with_lists(booth, receipt, before, after)
    return state.put(receipt), booth, [_snapshot(booth, receipt, after), *_shared(booth, receipt, before, after)]


def receipt_in(state: State, booth: Booth, receipt: str) -> Receipt | None:
    """The receipt of this booth, as far as sales has it. Raises NotLoaded as the state does."""
    return state.get(Receipt, entity_id(booth.id, receipt))


def _with_sums(booth: Booth, receipt: Receipt, before: Sale, after: Sale) -> Booth:
    if before.parts == after.parts:
        return booth
    labelled, pooled = _difference(before, after, pooled=False), _difference(before, after, pooled=True)
    lots, shelves = [], booth.shelves
    for lot in booth.lots:
        qty, rupiah = labelled.get(lot.lot, (0, 0))
        if qty or rupiah:
            counted_at = lot_moment(booth, lot)
            late = qty if counted_at is not None and receipt.sold_at > counted_at else 0
            lot = replace(
                lot,
                label_qty=lot.label_qty + qty,
                label_rupiah=lot.label_rupiah + rupiah,
                named_qty=lot.named_qty + _named(after, lot.lot) - _named(before, lot.lot),
                after_qty=lot.after_qty + late,
            )
        moved = qty + pooled.get(lot.lot, (0, 0))[0]
        if moved:
            shelves = shelf.sold(shelves, lot.facility, lot.product, receipt.sold_at, moved)
        lots.append(lot)
    booth = replace(booth, lots=tuple(lots), shelves=shelves)
    if pooled:
        booth = _with_pool(booth, receipt, after.product, pooled)
    return level(booth, after.product) if booth.pools else booth


def _named(sale: Sale, lot: str) -> int:
    return sum(part.qty for part in sale.parts if part.lot == lot and part.basis is PartBasis.NAMED)


def _with_pool(booth: Booth, receipt: Receipt, product: str, pooled: _Sums) -> Booth:
    pool = booth.pool(product) or Pool(product)
    qty, rupiah = sum(qty for qty, _ in pooled.values()), sum(rupiah for _, rupiah in pooled.values())
    counted_at = moment(booth, product)
    late = qty if counted_at is not None and receipt.sold_at > counted_at else 0
    told = {held.lot: held for held in pool.told}
    for lot, (more, worth) in pooled.items():
        known = told.get(lot, Held(lot, 0, 0))
        told[lot] = Held(lot, known.qty + more, known.rupiah + worth)
    pool = replace(
        pool,
        qty=pool.qty + qty,
        rupiah=pool.rupiah + rupiah,
        after_qty=pool.after_qty + late,
        told=tuple(held for _, held in sorted(told.items()) if held.qty or held.rupiah),
    )
    return with_pool(booth, pool)


def _with_lists(booth: Booth, receipt: Receipt, before: Sale, after: Sale) -> Booth:
    """The booth with the sale's receipt among those that wait, and the sale among those in dispute, as it is now."""
    if bool(before.disputed) != bool(after.disputed):
        sale = receipt.sale_id(after)
        disputed = (*booth.disputed, sale) if after.disputed else tuple(id for id in booth.disputed if id != sale)
        booth = replace(booth, disputed=disputed)
    if receipt.waits != (receipt.receipt in booth.waiting):
        name = receipt.receipt
        waiting = (*booth.waiting, name) if receipt.waits else tuple(id for id in booth.waiting if id != name)
        booth = replace(booth, waiting=waiting)
    return booth


def _difference(before: Sale, after: Sale, *, pooled: bool) -> _Sums:
    """What the parts that are (not) a share of unlabelled sales have more now, by lot."""
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for sale, sign in ((before, -1), (after, 1)):
        for part, rupiah in sale.part_amounts:
            if (part.basis is PartBasis.SHARE) is pooled:
                qty, worth = sums[part.lot]
                sums[part.lot] = (qty + sign * part.qty, worth + sign * rupiah)
    return {lot: both for lot, both in sums.items() if both != (0, 0)}


def _snapshot(booth: Booth, receipt: Receipt, sale: Sale) -> Publication:
    return SALES.of(
        SaleAccounted(
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
                SalePart(
                    lot=part.lot,
                    facility=part.facility,
                    qty=part.qty,
                    amount_rupiah=rupiah,
                    basis=part.basis,
                    recalled=part.recalled,
                )
                for part, rupiah in sale.part_amounts
            ),
            waiting=sale.waiting,
            disputed=sale.disputed,
            rejected=sale.rejected,
            voided=sale.voided,
            open_rupiah=sale.open_rupiah,
            returned_rupiah=sale.returned_rupiah,
        )
    )


def _shared(booth: Booth, receipt: Receipt, before: Sale, after: Sale) -> list[Publication]:
    if before.parts == after.parts:
        return []
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    told = []
    for facility in sorted({part.facility for part in (*before.parts, *after.parts)}):
        now, then = _of(after, facility), _of(before, facility)
        if now == then:
            continue
        qty, rupiah = sum(part.qty for part, _ in now), sum(worth for _, worth in now)
        pooled_now, pooled_then = _pooled(now), _pooled(then)
        told.append(
            SALE_SHARES.of(
                SaleShared(
                    facility=facility,
                    festival=booth.festival,
                    booth=booth.id,
                    sale=receipt.sale_id(after),
                    product=after.product,
                    revision=after.revision,
                    lots=tuple(_lot_shares(now)),
                    qty=qty,
                    amount_rupiah=rupiah,
                    change_qty=qty - sum(part.qty for part, _ in then),
                    change_rupiah=rupiah - sum(worth for _, worth in then),
                    pooled_change_qty=pooled_now[0] - pooled_then[0],
                    pooled_change_rupiah=pooled_now[1] - pooled_then[1],
                    sold_at=receipt.sold_at,
                )
            )
        )
    return told


def _of(sale: Sale, facility: str) -> _Parts:
    return [(part, rupiah) for part, rupiah in sale.part_amounts if part.facility == facility]


def _pooled(parts: _Parts) -> tuple[int, int]:
    shares = [(part.qty, rupiah) for part, rupiah in parts if part.basis is PartBasis.SHARE]
    return sum(qty for qty, _ in shares), sum(rupiah for _, rupiah in shares)


def _lot_shares(parts: _Parts) -> list[LotShare]:
    sums: _Sums = {}
    for part, rupiah in parts:
        qty, worth = sums.get(part.lot, (0, 0))
        sums[part.lot] = (qty + part.qty, worth + rupiah)
    return [LotShare(lot=lot, qty=qty, amount_rupiah=rupiah) for lot, (qty, rupiah) in sums.items()]
