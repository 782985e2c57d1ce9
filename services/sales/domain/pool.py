"""Unlabelled sales: the division of a booth's pool among the makers of a product, in pieces and rupiah.

The shares depend on stock, losses, moves, labelled sales, counts and the pool, but not on the order in which these
arrived. Without a count they are in proportion to each facility's stock beyond its labelled sales. A final count
shows how much of each lot is missing, and replaces the stock as the basis. Pieces are whole, by largest remainder,
and the rupiah follow the pieces. Within a facility the oldest lots come first and recalled lots last.
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
    """The time of the product's latest final count, by any of its lots or by product."""
    pool = booth.pool(product)
    counts = [lot.final for lot in booth.lots_of(product)] + [pool.final if pool is not None else None]
    counts += [early.final for early in booth.early_counts if early.product == product]
    return max((count.at for count in counts if count is not None), default=None)


def lot_final_count_at(booth: Booth, lot: BoothLot) -> datetime | None:
    """The time of the lot's final count; without one, the time of the final count of its product's unlabelled
    goods."""
    if lot.final is not None:
        return lot.final.at
    pool = booth.pool(lot.product)
    return pool.final.at if pool is not None and pool.final is not None else None


def pool_shares(lots: Sequence[BoothLot], pool: Pool) -> list[int]:
    """Pieces of the pool for each of the product's lots. Their sum is the pool's quantity.

    `lots` must be in an order that does not depend on their arrival.
    """
    if not pool.qty:
        return [0] * len(lots)
    depleted = _depletion(lots, pool)
    room = [lot.unlabelled_stock for lot in lots]
    # Later losses, moves and assignments by the organiser can leave less stock than the pool has sold.
    further = [
        [lot.creditable for lot in lots],
        [max(0, lot.stocked - lot.label_qty) for lot in lots],
        [max(0, lot.stocked - lot.label_qty + lot.named_qty) for lot in lots],
    ]
    before = _fill_tiers(lots, pool.qty - pool.after_qty, [depleted, room, *further])
    if not pool.after_qty:
        return before
    # Pieces that a count did not find can't be sold after it.
    counted_missing = [qty if lot.final or pool.final else 0 for lot, qty in zip(lots, depleted, strict=True)]
    remaining = _subtract(room, [max(pair) for pair in zip(before, counted_missing, strict=True)])
    after = _fill_tiers(lots, pool.after_qty, [remaining, *[_subtract(tier, before) for tier in (room, *further)]])
    return [first + second for first, second in zip(before, after, strict=True)]


def _depletion(lots: Sequence[BoothLot], pool: Pool) -> _Tier:
    """Missing pieces of each lot without a labelled sale, as final counts show.

    A lot that was never counted has all of its possible pieces in this sum.
    """
    depleted = []
    for lot in lots:
        base = lot.stocked - lot.lost - lot.moved - (lot.label_qty - lot.after_qty)
        depleted.append(max(0, base - (lot.final.qty if lot.final is not None else 0)))
    if pool.final is not None:
        # Counted goods without a label belong to lots without a count of their own, if there are such lots.
        # They never belong to a lot with a later count, because the later count is valid.
        uncounted = [qty if lot.final is None else 0 for lot, qty in zip(lots, depleted, strict=True)]
        before = [
            qty if lot.final is not None and lot.final.at <= pool.final.at else 0
            for lot, qty in zip(lots, depleted, strict=True)
        ]
        weights = uncounted if any(uncounted) else before
        counted = apportion(min(pool.final.qty, sum(weights)), weights)
        depleted = [qty - remaining for qty, remaining in zip(depleted, counted, strict=True)]
    return [min(qty, lot.creditable) for lot, qty in zip(lots, depleted, strict=True)]


def _subtract(tier: _Tier, subtracted: _Tier) -> _Tier:
    return [max(0, qty - minus) for qty, minus in zip(tier, subtracted, strict=True)]


def _fill_tiers(lots: Sequence[BoothLot], total: int, tiers: Sequence[_Tier]) -> _Tier:
    """`total` pieces divided over the lots: each tier is used up before the next one.

    The first lot takes what no tier has, so that a pool never loses a piece.
    """
    filled = [0] * len(lots)
    for tier in tiers:
        if not total:
            break
        room = _subtract(tier, filled)
        part = min(total, sum(room))
        for index, qty in enumerate(_split_by_facility(lots, part, room)):
            filled[index] += qty
        total -= part
    if total:
        filled[0] += total
    return filled


def _split_by_facility(lots: Sequence[BoothLot], total: int, room: _Tier) -> _Tier:
    facilities = sorted({lot.facility for lot in lots})
    weights = [
        sum(qty for lot, qty in zip(lots, room, strict=True) if lot.facility == facility) for facility in facilities
    ]
    parts = [0] * len(lots)
    for facility, part in zip(facilities, apportion(total, weights), strict=True):
        for index in _oldest_first(lots, facility):
            parts[index] = min(part, room[index])
            part -= parts[index]
    return parts


def _oldest_first(lots: Sequence[BoothLot], facility: str) -> list[int]:
    indexes = [index for index, lot in enumerate(lots) if lot.facility == facility]
    return sorted(
        indexes, key=lambda index: (lots[index].withdrawn is not None, lots[index].made_on, lots[index].lot)
    )


def _lots(booth: Booth, product: str) -> list[BoothLot]:
    # Sorted by id, so that equal remainders fall the same way for every order of arrival.
    return sorted(booth.lots_of(product), key=lambda lot: lot.lot)


def redistribute(booth: Booth, product: str) -> Booth:
    """The booth with the product's pool divided anew among its lots."""
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
    by_facility = apportion(rupiah, [sum(shares[index] for index in places[facility]) for facility in facilities])
    amounts = [0] * len(lots)
    for facility, part in zip(facilities, by_facility, strict=True):
        if part:
            indexes = places[facility]
            for index, amount in zip(indexes, apportion(part, [shares[index] for index in indexes]), strict=True):
                amounts[index] = amount
    return amounts


def allocate_sale(booth: Booth, product: str, qty: int, sold_at: datetime) -> list[tuple[BoothLot, int]]:
    """The lots that `qty` more unlabelled pieces come from.

    The choice brings the shares as near to their new values as one sale can. The booth's pool must be up to date and
    have that many pieces available.
    """
    lots = _lots(booth, product)
    pool = booth.pool(product) or Pool(product)
    counted_at = final_count_at(booth, product)
    after = qty if counted_at is not None and sold_at > counted_at else 0
    pool = replace(pool, qty=pool.qty + qty, after_qty=pool.after_qty + after)
    dealt: list[tuple[BoothLot, int]] = []
    for lot, share in zip(lots, pool_shares(lots, pool), strict=True):
        extra = min(qty, max(0, share - lot.pool_qty))
        if extra:
            dealt.append((lot, extra))
            qty -= extra
    return dealt


def publish_adjustments(
    before: Booth, booth: Booth, product: str, cause: AdjustmentCause, *, recounted: bool = False
) -> tuple[Booth, list[Publication]]:
    """PoolAdjusted for the facilities that the change of the product's pool concerns.

    These are facilities whose adjustment changed, and facilities with a new share. All facilities get one if the
    product was `recounted`, or if the shares begin or cease to rest on counts.
    """
    pool = booth.pool(product)
    if pool is None:
        return booth, []
    lots = _lots(booth, product)
    adjusted = tuple(_adjustments(lots, pool))
    counted = _is_counted(lots, pool)
    to_all = recounted or counted != pool.counted
    previous = {lot_sum.lot: lot_sum for lot_sum in pool.adjusted}
    changed = {
        lot_sum.lot for lot_sum in adjusted if previous.pop(lot_sum.lot, LotSum(lot_sum.lot, 0, 0)) != lot_sum
    } | previous.keys()
    sharing = _sharing_facilities(lots)
    # A facility without a share was not informed of counts. Without any count there is nothing to publish.
    newcomers = sharing - _sharing_facilities(before.lots_of(product)) if counted or pool.revision else set()
    if not to_all and not changed and not newcomers:
        return booth, []
    facilities = sorted({lot.facility for lot in lots if lot.lot in changed} | (sharing if to_all else newcomers))
    pool_before, pool = pool, replace(pool, adjusted=adjusted, counted=counted, revision=pool.revision + 1)
    publications = [
        SALE_SHARES.of(_adjustment_event(booth, pool_before, pool, lots, facility, cause)) for facility in facilities
    ]
    return with_pool(booth, pool), publications


def _sharing_facilities(lots: Sequence[BoothLot]) -> set[str]:
    """The facilities with a part of the pool."""
    return {lot.facility for lot in lots if lot.pool_qty}


def _adjustments(lots: Sequence[BoothLot], pool: Pool) -> Iterator[LotSum]:
    from_sales = {lot_sum.lot: lot_sum for lot_sum in pool.from_sales}
    for lot in lots:
        attributed = from_sales.get(lot.lot, LotSum(lot.lot, 0, 0))
        lot_sum = LotSum(lot.lot, lot.pool_qty - attributed.qty, lot.pool_rupiah - attributed.rupiah)
        if lot_sum.qty or lot_sum.rupiah:
            yield lot_sum


def _is_counted(lots: Sequence[BoothLot], pool: Pool) -> bool:
    # A lot without stock, never arrived or moved away, has nothing to count.
    countable = [lot for lot in lots if lot.net_received or lot.pool_qty]
    return pool.final is not None or (bool(countable) and all(lot.final is not None for lot in countable))


def _adjustment_event(
    booth: Booth,
    before: Pool,
    after: Pool,
    lots: Sequence[BoothLot],
    facility: str,
    cause: AdjustmentCause,
) -> PoolAdjusted:
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    facility_lots = {lot.lot: lot for lot in lots if lot.facility == facility}
    current = [lot_sum for lot_sum in after.adjusted if lot_sum.lot in facility_lots]
    previous = [lot_sum for lot_sum in before.adjusted if lot_sum.lot in facility_lots]
    qty, rupiah = sum(lot_sum.qty for lot_sum in current), sum(lot_sum.rupiah for lot_sum in current)
    return PoolAdjusted(
        facility=facility,
        festival=booth.festival,
        booth=booth.id,
        product=after.product,
        revision=after.revision,
        cause=cause,
        counted=after.counted,
        share_qty=sum(lot.pool_qty for lot in facility_lots.values()),
        share_rupiah=sum(lot.pool_rupiah for lot in facility_lots.values()),
        adjusted_qty=qty,
        adjusted_rupiah=rupiah,
        change_qty=qty - sum(lot_sum.qty for lot_sum in previous),
        change_rupiah=rupiah - sum(lot_sum.rupiah for lot_sum in previous),
        lots=tuple(
            LotAdjustment(lot=lot_sum.lot, qty=lot_sum.qty, amount_rupiah=lot_sum.rupiah) for lot_sum in current
        ),
    )
