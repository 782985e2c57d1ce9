"""Checks of the credit of each lot at a booth: labelled sales by label, unlabelled ones by shares of a pool."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.parts import LotSold, by_lot, parts
from ops.verify.report import Check
from ops.verify.topic_evidence import Pair
from services.sales.domain import Booth
from services.sales.domain.booth import BoothLot, LotSum, Pool
from services.sales.domain.pool import final_count_at, lot_final_count_at, redistribute
from shared.events.sales import PartBasis
from shared.wording import Message


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of the pieces and rupiah of lots at booths."""
    sums, late = by_lot(evidence), _sold_after(evidence)
    yield stock_sold(evidence, sums, late)
    yield unlabelled_sales(evidence, sums, late)
    yield credited(evidence, sums)


def stock_sold(evidence: Evidence, sums: Mapping[Pair, LotSold], late: Mapping[Pair, int]) -> Check:
    """Each lot's pieces sold by label at a booth are the sum of the labelled parts of its sales."""
    check = Check("stock sold", "at each booth, per lot: sold by label = the parts of sales, in pieces and rupiah")
    remaining = dict(sums)
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            subject = Message("lot {lot} at {booth}", lot=lot.lot, booth=booth.id)
            sums_of_lot = remaining.pop((booth.id, lot.lot), None) or LotSold(lot.facility, lot.product)
            check.expect_equal(
                (lot.facility, lot.product, lot.label_qty, lot.label_rupiah),
                (sums_of_lot.facility, sums_of_lot.product, *sums_of_lot.label.pair),
                "{subject}: {first} sold by label, but its parts of sales sum to {second}",
                subject=subject,
            )
            check.expect_equal(
                lot.after_qty,
                late.get((booth.id, lot.lot), 0),
                "{subject}: {first} sold after its final count, by receipts {second}",
                subject=subject,
            )
            check.expect_equal(
                lot.named_qty,
                sums_of_lot.named,
                "{subject}: {first} named by the organiser, by receipts {second}",
                subject=subject,
            )
            if min(lot.stocked, lot.label_qty, lot.pool_qty, lot.pool_rupiah, lot.lost, lot.moved) < 0:
                check.fail("{subject}: below zero: {state}", subject=subject, state=lot)
    for (booth_id, lot_id), sums_of_lot in sorted(remaining.items(), key=lambda pair: pair[0]):
        qty = sums_of_lot.label.qty + sums_of_lot.share.qty
        check.expect(
            False,
            "{qty} of lot {lot} are recorded as sold at {booth}, which never held it",
            qty=qty,
            lot=lot_id,
            booth=booth_id,
        )
    return check


def unlabelled_sales(evidence: Evidence, sums: Mapping[Pair, LotSold], late: Mapping[Pair, int]) -> Check:
    """A pool loses no piece and no rupiah, and its shares follow the rule."""
    check = Check(
        "unlabelled sales",
        "per booth and product: the pool = unlabelled parts of sales; its shares = the rule's; adjustments sum to 0",
    )
    shares: dict[Pair, list[LotSum]] = defaultdict(list)
    for (booth_id, lot_id), tally in sorted(sums.items(), key=lambda pair: pair[0]):
        if tally.share.qty or tally.share.rupiah:
            shares[booth_id, tally.product].append(LotSum(lot_id, *tally.share.pair))
    for booth in evidence.of(Booth).values():
        for pool in booth.pools:
            _compare_pool(check, booth, pool, shares.pop((booth.id, pool.product), []), late)
        pooled = {pool.product for pool in booth.pools}
        for lot in booth.lots:
            if (lot.pool_qty or lot.pool_rupiah) and lot.product not in pooled:
                check.fail(
                    "lot {lot} at {booth} has a share of {product}, of which there is no pool",
                    lot=lot.lot,
                    booth=booth.id,
                    product=lot.product,
                )
    for (booth_id, product), lots in sorted(shares.items()):
        qty = sum(lot.qty for lot in lots)
        check.fail(
            "{qty} of {product} were sold at {booth} without a label, but there is no pool of it",
            qty=qty,
            product=product,
            booth=booth_id,
        )
    return check


def credited(evidence: Evidence, sums: Mapping[Pair, LotSold]) -> Check:
    """No facility is credited with more pieces of a lot than came to the booth, not even by an accepted dispute. Only
    the organiser may name a lot beyond that. Sales stay recorded when a recount finds fewer pieces: that gives a
    note, as the sales or the count are wrong."""
    check = Check(
        "credited",
        "no facility is credited with more of a lot at a booth than came there, unless the organiser named the lot",
    )
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            sums_of_lot = sums.get((booth.id, lot.lot))
            named_qty = sums_of_lot.named if sums_of_lot is not None else 0
            beyond = lot.sold - named_qty - lot.stocked
            if beyond > 0 and _recounted_below(booth, lot, named_qty):
                check.looked_at += 1
                check.note(
                    "{beyond} more pieces of {lot} were sold at {booth} than a recount found",
                    beyond=beyond,
                    lot=lot.lot,
                    booth=booth.id,
                )
                continue
            check.expect(
                lot.sold - named_qty <= lot.stocked,
                "{facility} is credited with {sold} pieces of lot {lot} at {booth}, where {stocked} came",
                facility=lot.facility,
                sold=lot.sold - named_qty,
                lot=lot.lot,
                booth=booth.id,
                stocked=lot.stocked,
            )
    named_lots = evidence.published.tills.named
    for receipt, sale, part, _ in parts(evidence):
        if part.basis is PartBasis.NAMED and (receipt.booth, receipt.sale_id(sale), part.lot) not in named_lots:
            check.fail(
                "{qty} pieces of sale {sale} at {booth} are credited to {lot}, which the organiser did not name",
                qty=part.qty,
                sale=receipt.sale_id(sale),
                booth=receipt.booth,
                lot=part.lot,
            )
    return check


def _recounted_below(booth: Booth, lot: BoothLot, named_qty: int) -> bool:
    """Whether a recount found fewer pieces than were sold: of the lot by label, or of its product in all."""
    if lot.recount and not lot.pool_qty:
        return lot.label_qty - named_qty > lot.stocked
    lots = booth.lots_of(lot.product)
    return any(sibling.recount for sibling in lots) and sum(sibling.sold - sibling.stocked for sibling in lots) > 0


def _compare_pool(
    check: Check, booth: Booth, pool: Pool, shares_by_lot: list[LotSum], late: Mapping[Pair, int]
) -> None:
    subject = Message("{product} at {booth}", product=pool.product, booth=booth.id)
    pieces, rupiah = sum(lot.qty for lot in shares_by_lot), sum(lot.rupiah for lot in shares_by_lot)
    after = late.get((booth.id, pool.product), 0)
    check.expect_equal(
        (pool.qty, pool.rupiah, pool.after_qty),
        (pieces, rupiah, after),
        "{subject}: {first} pieces, rupiah and pieces after the final count in the pool, by receipts {second}",
        subject=subject,
    )
    check.expect_equal(
        sorted(pool.from_sales),
        shares_by_lot,
        "{subject}: {first} published by lot, by the parts of sales {second}",
        subject=subject,
    )
    lots = booth.lots_of(pool.product)
    shares = {lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in lots}
    fair = {
        lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in redistribute(booth, pool.product).lots_of(pool.product)
    }
    check.expect_equal(shares, fair, "{subject}: {first} shared, but the rule shares {second}", subject=subject)
    check.expect_equal(
        (sum(lot.pool_qty for lot in lots), sum(lot.pool_rupiah for lot in lots)),
        (pool.qty, pool.rupiah),
        "{subject}: {first} in shares, in the pool {second}",
        subject=subject,
    )
    by_lot = {lot.lot: lot for lot in shares_by_lot}
    beyond = {
        lot: (qty - by_lot[lot].qty, rupiah - by_lot[lot].rupiah) if lot in by_lot else (qty, rupiah)
        for lot, (qty, rupiah) in shares.items()
    }
    check.expect_equal(
        {lot.lot: (lot.qty, lot.rupiah) for lot in pool.adjusted},
        {lot: amounts for lot, amounts in beyond.items() if amounts != (0, 0)},
        "{subject}: {first} adjusted, but the shares go beyond the parts of sales by {second}",
        subject=subject,
    )
    moved = (sum(lot.qty for lot in pool.adjusted), sum(lot.rupiah for lot in pool.adjusted))
    check.expect_equal(moved, (0, 0), "{subject}: {first} adjusted in sum, not {second}", subject=subject)


def _sold_after(evidence: Evidence) -> Counter[Pair]:
    """Pieces sold after the final count: labelled ones by booth and lot, unlabelled ones by booth and product."""
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
