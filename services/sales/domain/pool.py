"""Unlabelled sales: how the pieces and the rupiah of a booth's pool are shared among the makers of a product.

The shares are a function of stock, losses, moves, labelled sales, counts and the pool, whatever order these came in.
Without a count they are in proportion to what each facility has at the booth beyond its labelled sales. A final count
shows what is gone of each lot, and takes the place of what is there. Whole pieces by largest remainder; the rupiah
follow the pieces. Within a facility the oldest lots come first, and recalled ones last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from services.sales.domain.booth import Booth, BoothLot, LotSum, Pool, with_pool
from shared.events.amounts import apportion
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, AdjustmentCause, LotAdjustment, PoolAdjusted

# Pieces of each lot, in the lots' order.
_Tier = list[int]


def final_count_at(booth: Booth, product: str) -> datetime | None:
    """When the product was finally counted last, by any of its lots or by product."""
    pool = booth.pool(product)
    counts = [lot.final for lot in booth.lots_of(product)] + [pool.final if pool is not None else None]
    counts += [early.final for early in booth.early_counts if early.product == product]
    return max((count.at for count in counts if count is not None), default=None)


def lot_final_count_at(booth: Booth, lot: BoothLot) -> datetime | None:
    """When the lot was finally counted last; if it never was, when its product's goods without a label were."""
    if lot.final is not None:
        return lot.final.at
    pool = booth.pool(lot.product)
    return pool.final.at if pool is not None and pool.final is not None else None


def pool_shares(lots: Sequence[BoothLot], pool: Pool) -> list[int]:
    """Pieces of the pool that each of the product's lots has. All of them are the pool's. `lots`: in one order,
    whatever they came in."""
    if not pool.qty:
        return [0] * len(lots)
    gone = _depletion(lots, pool)
    room = [lot.unlabelled_stock for lot in lots]
    # More may have been lost, moved away or named by the organiser since the pool's pieces were sold.
    further = [
        [lot.creditable for lot in lots],
        [max(0, lot.stocked - lot.label_qty) for lot in lots],
        [max(0, lot.stocked - lot.label_qty + lot.named_qty) for lot in lots],
    ]
    before = _fill_tiers(lots, pool.qty - pool.after_qty, [gone, room, *further])
    if not pool.after_qty:
        return before
    # What a count did not see is not there to be sold after it.
    missed = [qty if lot.final or pool.final else 0 for lot, qty in zip(lots, gone, strict=True)]
    still = _subtract(room, [max(pair) for pair in zip(before, missed, strict=True)])
    after = _fill_tiers(lots, pool.after_qty, [still, *[_subtract(tier, before) for tier in (room, *further)]])
    return [first + second for first, second in zip(before, after, strict=True)]


def _depletion(lots: Sequence[BoothLot], pool: Pool) -> _Tier:
    """Pieces of each lot that final counts show to be gone without a label; of lots that were never counted, all that
    could be."""
    gone = []
    for lot in lots:
        base = lot.stocked - lot.lost - lot.moved - (lot.label_qty - lot.after_qty)
        gone.append(max(0, base - (lot.final.qty if lot.final is not None else 0)))
    if pool.final is not None:
        # Goods without a label are of lots that were not counted by label, as far as there are such; of no lot that
        # was
        # counted later, for then the later count stands.
        uncounted = [qty if lot.final is None else 0 for lot, qty in zip(lots, gone, strict=True)]
        before = [
            qty if lot.final is not None and lot.final.at <= pool.final.at else 0
            for lot, qty in zip(lots, gone, strict=True)
        ]
        weights = uncounted if any(uncounted) else before
        seen = apportion(min(pool.final.qty, sum(weights)), weights)
        gone = [qty - left for qty, left in zip(gone, seen, strict=True)]
    return [min(qty, lot.creditable) for lot, qty in zip(lots, gone, strict=True)]


def _subtract(tier: _Tier, taken: _Tier) -> _Tier:
    return [max(0, qty - less) for qty, less in zip(tier, taken, strict=True)]


def _fill_tiers(lots: Sequence[BoothLot], total: int, tiers: Sequence[_Tier]) -> _Tier:
    """`total` pieces over the lots: as many as a tier has, then what is over by the next tier beyond it. What no tier
    has goes to the first lot: a pool never loses a piece."""
    given = [0] * len(lots)
    for tier in tiers:
        if not total:
            break
        room = _subtract(tier, given)
        part = min(total, sum(room))
        for place, qty in enumerate(_split_by_facility(lots, part, room)):
            given[place] += qty
        total -= part
    if total:
        given[0] += total
    return given


def _split_by_facility(lots: Sequence[BoothLot], total: int, room: _Tier) -> _Tier:
    facilities = sorted({lot.facility for lot in lots})
    weights = [
        sum(qty for lot, qty in zip(lots, room, strict=True) if lot.facility == facility) for facility in facilities
    ]
    given = [0] * len(lots)
    for facility, part in zip(facilities, apportion(total, weights), strict=True):
        for place in _oldest_first(lots, facility):
            given[place] = min(part, room[place])
            part -= given[place]
    return given


def _oldest_first(lots: Sequence[BoothLot], facility: str) -> list[int]:
    mine = [place for place, lot in enumerate(lots) if lot.facility == facility]
    return sorted(mine, key=lambda place: (lots[place].withdrawn is not None, lots[place].made_on, lots[place].lot))


def _lots(booth: Booth, product: str) -> list[BoothLot]:
    # Not in the order in which they came: equal remainders must fall the same way for every order of arrival.
    return sorted(booth.lots_of(product), key=lambda lot: lot.lot)


def redistribute(booth: Booth, product: str) -> Booth:
    """The booth with the product's pool shared anew among its lots."""
    pool = booth.pool(product)
    if pool is None:
        return booth
    lots = _lots(booth, product)
    shares = pool_shares(lots, pool)
    amounts = _amounts(lots, shares, pool.rupiah)
    levelled = {
        lot.lot: replace(lot, pool_qty=qty, pool_rupiah=rupiah)
        for lot, qty, rupiah in zip(lots, shares, amounts, strict=True)
    }
    return replace(booth, lots=tuple(levelled.get(lot.lot, lot) for lot in booth.lots))


def _amounts(lots: Sequence[BoothLot], shares: Sequence[int], rupiah: int) -> list[int]:
    """The pool's rupiah by lot: first by facility, then within it, each in proportion to the pieces."""
    if not rupiah:
        return [0] * len(lots)
    facilities = sorted({lot.facility for lot in lots})
    places = {facility: _oldest_first(lots, facility) for facility in facilities}
    by_facility = apportion(rupiah, [sum(shares[place] for place in places[facility]) for facility in facilities])
    given = [0] * len(lots)
    for facility, part in zip(facilities, by_facility, strict=True):
        if part:
            mine = places[facility]
            for place, amount in zip(mine, apportion(part, [shares[place] for place in mine]), strict=True):
                given[place] = amount
    return given


def allocate_sale(booth: Booth, product: str, qty: int, sold_at: datetime) -> list[tuple[BoothLot, int]]:
    """From which lots `qty` more unlabelled pieces come, so that the shares are as they should be after them, as far
    as one sale can do that. The booth is level and has so many pieces free."""
    lots = _lots(booth, product)
    pool = booth.pool(product) or Pool(product)
    counted_at = final_count_at(booth, product)
    after = qty if counted_at is not None and sold_at > counted_at else 0
    pool = replace(pool, qty=pool.qty + qty, after_qty=pool.after_qty + after)
    dealt: list[tuple[BoothLot, int]] = []
    for lot, share in zip(lots, pool_shares(lots, pool), strict=True):
        more = min(qty, max(0, share - lot.pool_qty))
        if more:
            dealt.append((lot, more))
            qty -= more
    return dealt


def publish_adjustments(
    before: Booth, booth: Booth, product: str, cause: AdjustmentCause, *, recounted: bool = False
) -> tuple[Booth, list[Publication]]:
    """What facilities hear of the product's pool: those whose adjustment changed, and who has a share only now; all,
    when it was `recounted`, or when counts came to stand behind the shares or no longer do."""
    pool = booth.pool(product)
    if pool is None:
        return booth, []
    lots = _lots(booth, product)
    adjusted = tuple(_adjustments(lots, pool))
    counted = _is_counted(lots, pool)
    every = recounted or counted != pool.counted
    then = {held.lot: held for held in pool.adjusted}
    changed = {held.lot for held in adjusted if then.pop(held.lot, LotSum(held.lot, 0, 0)) != held} | then.keys()
    sharing = _sharing_facilities(lots)
    # Who had no share was not told whether a count stands behind it. Where none ever did there is nothing to tell.
    new = sharing - _sharing_facilities(before.lots_of(product)) if counted or pool.revision else set()
    if not every and not changed and not new:
        return booth, []
    facilities = sorted({lot.facility for lot in lots if lot.lot in changed} | (sharing if every else new))
    pool_before, pool = pool, replace(pool, adjusted=adjusted, counted=counted, revision=pool.revision + 1)
    said = [
        SALE_SHARES.of(_adjustment_event(booth, pool_before, pool, lots, facility, cause)) for facility in facilities
    ]
    return with_pool(booth, pool), said


def _sharing_facilities(lots: Sequence[BoothLot]) -> set[str]:
    """The facilities that have a part of the pool."""
    return {lot.facility for lot in lots if lot.pool_qty}


def _adjustments(lots: Sequence[BoothLot], pool: Pool) -> Iterator[LotSum]:
    told = {held.lot: held for held in pool.from_sales}
    for lot in lots:
        known = told.get(lot.lot, LotSum(lot.lot, 0, 0))
        held = LotSum(lot.lot, lot.pool_qty - known.qty, lot.pool_rupiah - known.rupiah)
        if held.qty or held.rupiah:
            yield held


def _is_counted(lots: Sequence[BoothLot], pool: Pool) -> bool:
    # A lot that never came, or left for another booth, has nothing to be counted.
    here = [lot for lot in lots if lot.net_received or lot.pool_qty]
    return pool.final is not None or (bool(here) and all(lot.final is not None for lot in here))


def _adjustment_event(
    booth: Booth,
    before: Pool,
    after: Pool,
    lots: Sequence[BoothLot],
    facility: str,
    cause: AdjustmentCause,
) -> PoolAdjusted:
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    mine = {lot.lot: lot for lot in lots if lot.facility == facility}
    now = [held for held in after.adjusted if held.lot in mine]
    then = [held for held in before.adjusted if held.lot in mine]
    qty, rupiah = sum(held.qty for held in now), sum(held.rupiah for held in now)
    return PoolAdjusted(
        facility=facility,
        festival=booth.festival,
        booth=booth.id,
        product=after.product,
        revision=after.revision,
        cause=cause,
        counted=after.counted,
        share_qty=sum(lot.pool_qty for lot in mine.values()),
        share_rupiah=sum(lot.pool_rupiah for lot in mine.values()),
        adjusted_qty=qty,
        adjusted_rupiah=rupiah,
        change_qty=qty - sum(held.qty for held in then),
        change_rupiah=rupiah - sum(held.rupiah for held in then),
        lots=tuple(LotAdjustment(lot=held.lot, qty=held.qty, amount_rupiah=held.rupiah) for held in now),
    )
