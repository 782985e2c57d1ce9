"""What each lot at a booth is credited with: labelled sales by their labels, unlabelled ones by shares of a pool."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.heard import Pair
from ops.verify.parts import LotSold, by_lot, parts
from ops.verify.report import Check
from services.sales.domain import Booth
from services.sales.domain.booth import LotSum, Pool
from services.sales.domain.pool import final_count_at, lot_final_count_at, redistribute
from shared.events.sales import PartBasis


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about the pieces and rupiah of lots at booths."""
    sums, late = by_lot(evidence), _sold_after(evidence)
    yield stock_sold(evidence, sums, late)
    yield unlabelled_sales(evidence, sums, late)
    yield credited(evidence, sums)


def stock_sold(evidence: Evidence, sums: Mapping[Pair, LotSold], late: Mapping[Pair, int]) -> Check:
    """By lot at each booth: what is sold by label is the sum of such parts of its sales."""
    check = Check("stock sold", "at each booth, per lot: sold by label = the parts of sales, in pieces and rupiah")
    left = dict(sums)
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            what = f"lot {lot.lot} at {booth.id}"
            told = left.pop((booth.id, lot.lot), None) or LotSold(lot.facility, lot.product)
            check.same(
                what,
                (lot.facility, lot.product, lot.label_qty, lot.label_rupiah),
                (told.facility, told.product, *told.label.both),
                "sold by label, but its parts of sales sum to",
            )
            check.same(
                what, lot.after_qty, late.get((booth.id, lot.lot), 0), "sold after its final count, by receipts"
            )
            check.same(what, lot.named_qty, told.named, "named by the organiser, by receipts")
            if min(lot.stocked, lot.label_qty, lot.pool_qty, lot.pool_rupiah, lot.lost, lot.moved) < 0:
                check.wrong(f"{what}: below zero: {lot}")
    for (booth_id, lot_id), told in sorted(left.items(), key=lambda pair: pair[0]):
        qty = told.label.qty + told.share.qty
        check.expect(False, f"{qty} of lot {lot_id} are recorded as sold at {booth_id}, which never held it")
    return check


def unlabelled_sales(evidence: Evidence, sums: Mapping[Pair, LotSold], late: Mapping[Pair, int]) -> Check:
    """A pool loses no piece and no rupiah, and its shares are what stock and counts say."""
    check = Check(
        "unlabelled sales",
        "per booth and product: the pool = such parts of sales; its shares = the rule's; adjustments cancel to 0",
    )
    told: dict[Pair, list[LotSum]] = defaultdict(list)
    for (booth_id, lot_id), tally in sorted(sums.items(), key=lambda pair: pair[0]):
        if tally.share.qty or tally.share.rupiah:
            told[booth_id, tally.product].append(LotSum(lot_id, *tally.share.both))
    for booth in evidence.of(Booth).values():
        for pool in booth.pools:
            _pool(check, booth, pool, told.pop((booth.id, pool.product), []), late)
        pooled = {pool.product for pool in booth.pools}
        for lot in booth.lots:
            if (lot.pool_qty or lot.pool_rupiah) and lot.product not in pooled:
                check.wrong(f"lot {lot.lot} at {booth.id} has a share of {lot.product}, of which there is no pool")
    for (booth_id, product), held in sorted(told.items()):
        qty = sum(lot.qty for lot in held)
        check.wrong(f"{qty} of {product} were sold at {booth_id} without a label, but there is no pool of it")
    return check


def credited(evidence: Evidence, sums: Mapping[Pair, LotSold]) -> Check:
    """An accepted dispute is no exception: whoever sent 5 pieces is owed for 5 at most, and the rest is another's.
    The organiser may name a lot beyond that."""
    check = Check(
        "credited",
        "no facility is credited with more of a lot at a booth than came there, unless the organiser named it",
    )
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            told = sums.get((booth.id, lot.lot))
            named = told.named if told is not None else 0
            check.expect(
                lot.sold - named <= lot.stocked,
                f"{lot.facility} is credited with {lot.sold - named} pieces of lot {lot.lot} at {booth.id}, "
                f"where {lot.stocked} came",
            )
    words = evidence.heard.tills.named
    for receipt, sale, part, _ in parts(evidence):
        if part.basis is PartBasis.NAMED and (receipt.booth, receipt.sale_id(sale), part.lot) not in words:
            check.wrong(
                f"{part.qty} pieces of sale {receipt.sale_id(sale)} at {receipt.booth} are credited to {part.lot}, "
                "which the organiser did not name"
            )
    return check


def _pool(check: Check, booth: Booth, pool: Pool, told: list[LotSum], late: Mapping[Pair, int]) -> None:
    what = f"{pool.product} at {booth.id}"
    pieces, rupiah = sum(lot.qty for lot in told), sum(lot.rupiah for lot in told)
    after = late.get((booth.id, pool.product), 0)
    check.same(
        what,
        (pool.qty, pool.rupiah, pool.after_qty),
        (pieces, rupiah, after),
        "pieces, rupiah and pieces after the final count in the pool, by receipts",
    )
    check.same(what, sorted(pool.from_sales), told, "told by lot, by the parts of sales")
    lots = booth.lots_of(pool.product)
    shares = {lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in lots}
    fair = {
        lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in redistribute(booth, pool.product).lots_of(pool.product)
    }
    check.same(what, shares, fair, "shared, but the rule shares")
    check.same(
        what,
        (sum(lot.pool_qty for lot in lots), sum(lot.pool_rupiah for lot in lots)),
        (pool.qty, pool.rupiah),
        "in shares, in the pool",
    )
    known = {lot.lot: lot for lot in told}
    beyond = {
        lot: (qty - known[lot].qty, rupiah - known[lot].rupiah) if lot in known else (qty, rupiah)
        for lot, (qty, rupiah) in shares.items()
    }
    check.same(
        what,
        {lot.lot: (lot.qty, lot.rupiah) for lot in pool.adjusted},
        {lot: both for lot, both in beyond.items() if both != (0, 0)},
        "adjusted, but the shares go beyond the parts of sales by",
    )
    moved = (sum(lot.qty for lot in pool.adjusted), sum(lot.rupiah for lot in pool.adjusted))
    check.same(what, moved, (0, 0), "adjusted in sum, not")


def _sold_after(evidence: Evidence) -> Counter[Pair]:
    """Pieces that were sold after the final count that stands: by booth and lot with a label, by booth and product
    without one."""
    booths = evidence.of(Booth)
    by_label = {
        (booth.id, lot.lot): at
        for booth in booths.values()
        for lot in booth.lots
        if (at := lot_final_count_at(booth, lot))
    }
    by_product = {
        (booth.id, pool.product): at
        for booth in booths.values()
        for pool in booth.pools
        if (at := final_count_at(booth, pool.product))
    }
    late: Counter[Pair] = Counter()
    for receipt, sale, part, _ in parts(evidence):
        shared = part.basis is PartBasis.SHARE
        pair = (receipt.booth, sale.product if shared else part.lot)
        counted_at = (by_product if shared else by_label).get(pair)
        if counted_at is not None and receipt.sold_at > counted_at:
            late[pair] += part.qty
    return late
