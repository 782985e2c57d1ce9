"""What holds of sales, whatever it heard."""

from collections import Counter

from services.sales.domain import Booth, FacilityDemand, Receipt, Settlement
from services.sales.domain.booth import BoothStatus
from services.sales.domain.lost_sales import count_demand, opening_hours
from services.sales.domain.public import public_adjustment, public_sale
from shared.events.festival import BOOTH_STOCK, DisputeResolved, ReopeningRequested
from shared.events.sales import (
    BOOTH_REPORTS,
    DEMAND,
    PUBLIC_SALES,
    SALE_SHARES,
    SALES,
    SALES_DEADLINES,
    SETTLEMENTS,
    TILL,
    AdjustmentPublished,
    DemandSignalled,
    ForwardedAs,
    PoolAdjusted,
    ReceiptIssued,
    RecordForwarded,
    ReopeningGranted,
    ReopeningRefused,
    ResolutionApplied,
    ResolutionRefused,
    SaleAccounted,
    SalePublished,
    SaleShared,
    SellThroughCounted,
    SellThroughSoFar,
    SettlementIssued,
)
from tests.support.books import check_books
from tests.support.shell import ServiceShell


def check_booths(sales: ServiceShell) -> None:
    """Every booth's books are what its receipts add up to, and nothing waits once it is settled."""
    receipts: dict[str, list[Receipt]] = {}
    for receipt in sales.all(Receipt):
        receipts.setdefault(receipt.booth, []).append(receipt)
    for booth in sales.all(Booth):
        check_books(booth, receipts.get(booth.id, []))


def check_issued(sales: ServiceShell) -> None:
    """A booth in an issued settlement has no more sales but corrections: it is settled, at any moment."""
    status = {booth.id: booth.status for booth in sales.all(Booth)}
    for settlement in sales.all(Settlement):
        for share in settlement.booths:
            assert not share.issued or status[share.booth] is BoothStatus.SETTLED, share


def check_answers(sales: ServiceShell) -> None:
    """Each order of festival has one answer, and no booth waits for facilities."""
    kafka = sales.kafka
    orders = Counter(body.order for body in kafka.bodies(BOOTH_STOCK, ReopeningRequested))
    orders += Counter(body.order for body in kafka.bodies(BOOTH_STOCK, DisputeResolved) if body.order is not None)
    answers: Counter[str] = Counter()
    for kind in (ReopeningGranted, ReopeningRefused, ResolutionApplied, ResolutionRefused):
        answers += Counter(body.order for body in kafka.bodies(BOOTH_REPORTS, kind))
    assert answers == orders
    for booth in sales.all(Booth):
        assert booth.reopening is None
        granted = [body for body in kafka.bodies(BOOTH_REPORTS, ReopeningGranted) if body.booth == booth.id]
        assert booth.opening == 1 + len(granted)


def check_publications(sales: ServiceShell) -> None:
    """Every receipt that a till issued is there once, and each of its sales was told as it is now."""
    kafka = sales.kafka
    issued = {(event.key, event.id) for event in kafka.events(TILL) if isinstance(event.body, ReceiptIssued)}
    records = [
        forwarded_record
        for forwarded_record in kafka.bodies(SALES_DEADLINES, RecordForwarded)
        if forwarded_record.type == ReceiptIssued.__name__
    ]
    issued |= {(record.key, record.id) for record in records}
    issued -= {(record.booth, record.id) for record in records if record.effect is ForwardedAs.WHOLE}
    receipts = sales.all(Receipt)
    assert sorted(issued) == sorted((receipt.booth, receipt.receipt) for receipt in receipts)
    for booth in sales.all(Booth):
        numbers = sorted(receipt.number for receipt in receipts if receipt.booth == booth.id)
        assert numbers == list(range(1, booth.receipts + 1))
    snapshots: dict[tuple[str, str], list[SaleAccounted]] = {}
    for body in kafka.bodies(SALES, SaleAccounted):
        snapshots.setdefault((body.booth, body.sale), []).append(body)
    for receipt in receipts:
        for sale in receipt.sales:
            published = snapshots.pop((receipt.booth, receipt.sale_id(sale)))
            assert [snapshot.revision for snapshot in published] == list(range(1, sale.revision + 1))
            last = published[-1]
            assert [(part.lot, part.qty, part.basis) for part in last.parts] == [
                (part.lot, part.qty, part.basis) for part in sale.parts
            ]
            assert (last.waiting, last.disputed, last.rejected, last.voided, last.forwarded) == (
                *(sale.waiting, sale.disputed, sale.rejected, sale.voided, sale.forwarded),
            )
            assert (last.open_rupiah, last.returned_rupiah) == (sale.open_rupiah, sale.returned_rupiah)
    assert not snapshots
    check_reports(sales)
    check_public(sales)


def check_reports(sales: ServiceShell) -> None:
    """Festival was told last what is so, and each time with the next revision."""
    kafka = sales.kafka
    for booth in sales.all(Booth):
        reports = [report for report in kafka.bodies(BOOTH_REPORTS, SellThroughCounted) if report.booth == booth.id]
        assert [report.revision for report in reports] == list(range(1, booth.revision + 1))
        if booth.status is BoothStatus.SETTLED:
            last = {lot.lot: (lot.stocked, lot.sold, lot.lost, lot.moved) for lot in reports[-1].lots}
            assert last == {lot.lot: (lot.stocked, lot.sold, lot.lost, lot.moved) for lot in booth.lots}
            assert reports[-1].disputed == booth.disputed
        so_far = [report for report in kafka.bodies(BOOTH_REPORTS, SellThroughSoFar) if report.booth == booth.id]
        assert [report.revision for report in so_far] == list(range(1, booth.interim.revision + 1))
        for report in so_far:
            by_hour = sum(sum(product.sold) for product in report.products)
            assert by_hour == sum(lot.sold for lot in report.lots)


def check_public(sales: ServiceShell) -> None:
    """What is public is what facilities were told, once each, numbered without gaps."""
    shares = sales.kafka.bodies(SALE_SHARES, SaleShared)
    adjusted = sales.kafka.bodies(SALE_SHARES, PoolAdjusted)
    publications = sales.kafka.bodies(PUBLIC_SALES, SalePublished)
    moved = sales.kafka.bodies(PUBLIC_SALES, AdjustmentPublished)
    expected = Counter(
        (public_sale(share.booth, share.sale), share.facility, share.revision, share.qty) for share in shares
    )
    assert expected == Counter(
        (publication.sale, publication.facility, publication.revision, publication.qty)
        for publication in publications
    )
    expected = Counter(
        (
            public_adjustment(adjustment.booth, adjustment.product),
            adjustment.facility,
            adjustment.revision,
            adjustment.adjusted_qty,
        )
        for adjustment in adjusted
    )
    assert expected == Counter(
        (publication.adjustment, publication.facility, publication.revision, publication.qty) for publication in moved
    )
    numbers: dict[str, list[int]] = {}
    for event in (*publications, *moved):
        numbers.setdefault(event.facility, []).append(event.sequence)
    assert all(sorted(of) == list(range(1, len(of) + 1)) for of in numbers.values())


def check_money(sales: ServiceShell) -> None:
    """Settlements, and snapshots upserted by their revision, are the lots' sums, per facility, to the rupiah."""
    sold: Counter[tuple[str, str]] = Counter()
    for booth in sales.all(Booth):
        for lot in booth.lots:
            sold[lot.facility, booth.festival or ""] += lot.sold_rupiah
    assert +_published(sales) == +sold
    latest: dict[tuple[str, str], SettlementIssued] = {}
    revisions: Counter[tuple[str, str]] = Counter()
    for snapshot in sales.kafka.bodies(SETTLEMENTS, SettlementIssued):
        revisions[snapshot.facility, snapshot.festival] += 1
        assert snapshot.revision == revisions[snapshot.facility, snapshot.festival]
        latest[snapshot.facility, snapshot.festival] = snapshot
        assert (
            snapshot.facility_rupiah + snapshot.maker_premium_rupiah + snapshot.programme_rupiah
            == snapshot.sold_rupiah
        )
    settlements = {(settlement.facility, settlement.festival): settlement for settlement in sales.all(Settlement)}
    assert sold.keys() <= settlements.keys()
    settled = all(booth.status is BoothStatus.SETTLED for booth in sales.all(Booth))
    for name, settlement in settlements.items():
        assert settlement.sold_rupiah == sold[name]
        assert not settlement.halfway
        assert min(share.qty for share in settlement.booths) >= 0
        assert settlement.complete == settled or not settled
        if settlement.complete:
            assert (latest[name].sold_rupiah, latest[name].qty) == (settlement.sold_rupiah, settlement.qty)


def _published(sales: ServiceShell) -> Counter[tuple[str, str]]:
    """Rupiah by facility and festival, as a subscriber adds them up."""
    latest: dict[tuple[str, str], SalePublished | AdjustmentPublished] = {}
    for sale in sales.kafka.bodies(PUBLIC_SALES, SalePublished):
        snapshot = latest.get((sale.facility, sale.sale))
        if snapshot is None or snapshot.revision < sale.revision:
            latest[sale.facility, sale.sale] = sale
    for moved in sales.kafka.bodies(PUBLIC_SALES, AdjustmentPublished):
        snapshot = latest.get((moved.facility, moved.adjustment))
        if snapshot is None or snapshot.revision < moved.revision:
            latest[moved.facility, moved.adjustment] = moved
    published: Counter[tuple[str, str]] = Counter()
    for event in latest.values():
        published[event.facility, event.festival] += event.amount_rupiah
    return published


def check_demand(sales: ServiceShell) -> None:
    """Each facility was told last how the booths stand now, and its pieces are those that its lots sold."""
    sold: Counter[tuple[str, str, str]] = Counter()
    for booth in sales.all(Booth):
        for lot in booth.lots:
            sold[lot.facility, booth.festival or "", lot.product] += lot.sold
    booths = {booth.id: booth for booth in sales.all(Booth)}
    signals: dict[tuple[str, str], list[DemandSignalled]] = {}
    for signal in sales.kafka.bodies(DEMAND, DemandSignalled):
        signals.setdefault((signal.facility, signal.festival), []).append(signal)
    for demand in sales.all(FacilityDemand):
        published = signals.pop((demand.facility, demand.festival), [])
        assert [signal.revision for signal in published] == list(range(1, demand.revision + 1))
        if not demand.complete:
            assert not all(booths[line.booth].status is BoothStatus.SETTLED for line in demand.booths)
            continue
        lines = [line for product in published[-1].products for line in product.booths]
        here = [booths[line.booth] for line in demand.booths]
        now = [count_demand(booth, opening_hours(booth), demand.facility) for booth in here]
        by_place = {(line.booth, line.product): line for line in lines}
        assert by_place == {(line.booth, line.product): line for count in now for line in count.lines}
        for product in published[-1].products:
            assert product.sold == sold.pop((demand.facility, demand.festival, product.product), 0)
    assert not signals
    assert not (sold and all(booth.status is BoothStatus.SETTLED for booth in booths.values()))
