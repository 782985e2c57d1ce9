"""Checks of receipts: each is kept as reported, and each of its sales is published as kept."""

from collections import defaultdict
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from ops.verify.topic_evidence.tills import ReportedLine, ReportedReceipt
from services.sales.domain import Booth, Receipt
from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import Sale
from shared.events.amounts import value
from shared.events.sales import SaleAccounted
from shared.wording import Message


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of single sales."""
    yield reported_sales(evidence)
    yield sales_in_parts(evidence)
    yield published_sales(evidence)


def reported_sales(evidence: Evidence) -> Check:
    """Each reported receipt is kept once, as reported. No sale waits at a settled booth."""
    check = Check(
        "reported sales",
        "each reported receipt exists once, as reported; its sales wait only at a booth that is not settled",
    )
    receipts, reported = evidence.of(Receipt), evidence.published.tills.receipts
    for id, reports in reported.items():
        receipt = receipts.get(id)
        if receipt is None:
            check.expect(
                False,
                "receipt {receipt} was reported by {till}, but sales does not have it",
                receipt=id,
                till=reports[0].till,
            )
            continue
        check.expect(
            _as_reported(receipt) in reports, "receipt {receipt} differs from every report of it", receipt=id
        )
    for id in sorted(receipts.keys() - reported.keys()):
        check.fail("receipt {receipt} exists, but no till reported it", receipt=id)
    by_booth: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts.values():
        by_booth[receipt.booth].append(receipt)
    for booth in evidence.of(Booth).values():
        _compare_lists(check, booth, by_booth.pop(booth.id, []))
    for id, lost in sorted(by_booth.items()):
        check.fail("booth {booth} has {count} receipts, but sales does not have it", booth=id, count=len(lost))
    return check


def sales_in_parts(evidence: Evidence) -> Check:
    """The pieces and rupiah of a sale are the sums of its parts."""
    check = Check(
        "sales in parts",
        "per sale: pieces = parts + waiting, disputed, rejected, voided, forwarded; net = parts + open + returned",
    )
    for receipt in evidence.of(Receipt).values():
        for sale in receipt.sales:
            _compare_sums(check, f"sale {receipt.sale_id(sale)} at {receipt.booth}", sale)
    return check


def published_sales(evidence: Evidence) -> Check:
    """The last published snapshot of a sale is the kept sale, to the rupiah."""
    check = Check("sales said", "the last SaleAccounted of each sale is the kept sale, each revision published once")
    booths, snapshots = evidence.of(Booth), dict(evidence.published.sales.snapshots)
    for receipt in evidence.of(Receipt).values():
        booth = booths.get(receipt.booth)
        for sale in receipt.sales:
            subject = Message("sale {sale} at {booth}", sale=receipt.sale_id(sale), booth=receipt.booth)
            snapshot = snapshots.pop((receipt.booth, receipt.sale_id(sale)), None)
            if snapshot is None:
                check.expect(False, "{subject} was never published", subject=subject)
                continue
            check.expect_equal(
                (snapshot.revision, snapshot.often),
                (sale.revision, sale.revision),
                "{subject}: {first} revision and times published, kept {second}",
                subject=subject,
            )
            last = SaleAccounted.model_validate_json(snapshot.value)
            kept_fields = (receipt.receipt, receipt.till, receipt.sold_at, *_pieces(sale))
            published_fields = (last.receipt, last.till, last.sold_at, *_published_pieces(last))
            check.expect(
                kept_fields == published_fields,
                "{subject} differs from its last publication: {kept_fields}, published {published_fields}",
                subject=subject,
                kept_fields=kept_fields,
                published_fields=published_fields,
            )
            if sale.parts and booth is not None:
                check.expect_equal(
                    last.festival,
                    booth.festival,
                    "{subject}: {first} published of festival, but its booth is of {second}",
                    subject=subject,
                )
            parts_rupiah = sum(part.amount_rupiah for part in last.parts) + last.open_rupiah + last.returned_rupiah
            check.expect_equal(
                parts_rupiah,
                last.net_rupiah,
                "{subject}: {first} rupiah published in parts, open and returned, but net {second}",
                subject=subject,
            )
    for booth_id, id in sorted(snapshots):
        check.fail("sale {sale} at {booth} was published, but sales does not have it", sale=id, booth=booth_id)
    return check


def _as_reported(receipt: Receipt) -> ReportedReceipt:
    return ReportedReceipt(
        receipt.till,
        receipt.device,
        receipt.seq,
        receipt.drawer,
        receipt.payment,
        receipt.discount_rupiah,
        receipt.price_list,
        receipt.sold_at,
        tuple(
            ReportedLine(sale.lot, sale.product, sale.qty, sale.unit_price_rupiah, sale.net_rupiah, sale.price_reason)
            for sale in receipt.sales
        ),
    )


def _compare_lists(check: Check, booth: Booth, receipts: list[Receipt]) -> None:
    """Compare the booth's counts and lists with its receipts."""
    numbers = sorted(receipt.number for receipt in receipts)
    check.expect(
        numbers == list(range(1, booth.receipts + 1)),
        "booth {booth} has counted {receipts} receipts, but has {count}, or their numbers have gaps",
        booth=booth.id,
        receipts=booth.receipts,
        count=len(numbers),
    )
    waiting = sorted(receipt.receipt for receipt in receipts if any(sale.waiting for sale in receipt.sales))
    disputed = sorted(receipt.sale_id(sale) for receipt in receipts for sale in receipt.sales if sale.disputed)
    check.expect_equal(
        (sorted(booth.waiting), sorted(booth.disputed)),
        (waiting, disputed),
        "booth {booth}: {first} waiting and disputed, by its receipts {second}",
        booth=booth.id,
    )
    if booth.status is BoothStatus.SETTLED:
        for receipt in waiting:
            check.fail(
                "receipt {receipt} still waits, though booth {booth} is settled", receipt=receipt, booth=booth.id
            )


def _compare_sums(check: Check, subject: str, sale: Sale) -> None:
    pieces = [part.qty for part in sale.parts]
    doubtful = (sale.waiting, sale.disputed, sale.rejected, sale.voided, sale.forwarded)
    check.expect_equal(
        sale.qty,
        sum(pieces) + sum(doubtful),
        "{subject}: {first} pieces, but its parts and what is in doubt sum to {second}",
        subject=subject,
    )
    if min(pieces, default=1) < 1 or min(doubtful) < 0:
        check.fail(
            "{subject}: parts {pieces}, waiting, disputed, rejected, voided and forwarded {doubtful}",
            subject=subject,
            pieces=pieces,
            doubtful=doubtful,
        )
        return
    amounts = [rupiah for _, rupiah in sale.part_amounts]
    worth = value(sale.net_rupiah, sale.qty, sum(pieces)) if sale.qty else 0
    check.expect_equal(
        sum(amounts),
        worth,
        "{subject}: {first} rupiah in its parts, but the recorded pieces are worth {second}",
        subject=subject,
    )
    total = sum(amounts) + sale.open_rupiah + sale.returned_rupiah
    check.expect_equal(
        total,
        sale.net_rupiah,
        "{subject}: {first} rupiah in parts, open and returned, but net {second}",
        subject=subject,
    )
    if min(*amounts, sale.open_rupiah, sale.returned_rupiah, 0) < 0:
        check.fail(
            "{subject}: rupiah below zero: {amounts}, open {open_rupiah}, returned {returned_rupiah}",
            subject=subject,
            amounts=amounts,
            open_rupiah=sale.open_rupiah,
            returned_rupiah=sale.returned_rupiah,
        )


def _pieces(sale: Sale) -> tuple[object, ...]:
    return (
        sale.lot,
        sale.product,
        sale.qty,
        sale.unit_price_rupiah,
        sale.net_rupiah,
        tuple(
            (part.lot, part.facility, part.qty, rupiah, part.basis.value, part.recalled)
            for part, rupiah in sale.part_amounts
        ),
        (sale.waiting, sale.disputed, sale.rejected, sale.voided, sale.forwarded),
        (sale.open_rupiah, sale.returned_rupiah),
    )


def _published_pieces(sale: SaleAccounted) -> tuple[object, ...]:
    return (
        sale.lot,
        sale.product,
        sale.qty,
        sale.unit_price_rupiah,
        sale.net_rupiah,
        tuple(
            (part.lot, part.facility, part.qty, part.amount_rupiah, part.basis.value, part.recalled)
            for part in sale.parts
        ),
        (sale.waiting, sale.disputed, sale.rejected, sale.voided, sale.forwarded),
        (sale.open_rupiah, sale.returned_rupiah),
    )
