"""Receipts: each is there as its till reported it, and each of its sales is told as it is kept."""

from collections import defaultdict
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.heard.tills import ToldLine, ToldReceipt
from ops.verify.report import Check
from services.sales.domain import Booth, Receipt
from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import Sale
from shared.events.amounts import value
from shared.events.sales import SaleAccounted


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about single sales."""
    yield reported_sales(evidence)
    yield sales_in_parts(evidence)
    yield sales_said(evidence)


def reported_sales(evidence: Evidence) -> Check:
    """Each receipt that a till reported is there once, as it was reported; nothing waits at a settled booth."""
    check = Check(
        "reported sales",
        "each reported receipt is there once, as its till said; its sales wait only at a booth that is not settled",
    )
    receipts, told = evidence.of(Receipt), evidence.heard.tills.receipts
    for id, reports in told.items():
        kept = receipts.get(id)
        if kept is None:
            check.expect(False, f"receipt {id} was reported by {reports[0].till}, but is not there")
            continue
        check.expect(_as_told(kept) in reports, f"receipt {id} is kept otherwise than any till reported it")
    for id in sorted(receipts.keys() - told.keys()):
        check.wrong(f"receipt {id} is there, but no till reported it")
    by_booth: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts.values():
        by_booth[receipt.booth].append(receipt)
    for booth in evidence.of(Booth).values():
        _lists(check, booth, by_booth.pop(booth.id, []))
    for id, lost in sorted(by_booth.items()):
        check.wrong(f"booth {id} has {len(lost)} receipts, but is not there")
    return check


def sales_in_parts(evidence: Evidence) -> Check:
    """Every piece of a sale is somewhere, and so is every rupiah."""
    check = Check(
        "sales in parts",
        "per sale: pieces = parts + waiting + disputed + rejected + voided; net rupiah = parts + open + returned",
    )
    for receipt in evidence.of(Receipt).values():
        for sale in receipt.sales:
            _adds_up(check, f"sale {receipt.sale_id(sale)} at {receipt.booth}", sale)
    return check


def sales_said(evidence: Evidence) -> Check:
    """What readers know of a sale is what sales keeps, to the rupiah."""
    check = Check(
        "sales said", "the last SaleAccounted of each sale is the sale that is kept, each revision said once"
    )
    booths, snapshots = evidence.of(Booth), dict(evidence.heard.sales.snapshots)
    for receipt in evidence.of(Receipt).values():
        booth = booths.get(receipt.booth)
        for sale in receipt.sales:
            what = f"sale {receipt.sale_id(sale)} at {receipt.booth}"
            said = snapshots.pop((receipt.booth, receipt.sale_id(sale)), None)
            if said is None:
                check.expect(False, f"{what} was never said")
                continue
            check.same(
                what, (said.revision, said.often), (sale.revision, sale.revision), "revision and times said, kept"
            )
            last = SaleAccounted.model_validate_json(said.value)
            here = (receipt.receipt, receipt.till, receipt.sold_at, *_pieces(sale))
            there = (last.receipt, last.till, last.sold_at, *_said_pieces(last))
            check.expect(here == there, f"{what} is kept otherwise than it was said last: {here}, said {there}")
            if sale.parts and booth is not None:
                check.same(what, last.festival, booth.festival, "said of festival, but its booth is of")
            whole = sum(part.amount_rupiah for part in last.parts) + last.open_rupiah + last.returned_rupiah
            check.same(what, whole, last.net_rupiah, "rupiah said in parts, open and returned, but net")
    for booth_id, id in sorted(snapshots):
        check.wrong(f"sale {id} at {booth_id} was said, but is not there")
    return check


def _as_told(receipt: Receipt) -> ToldReceipt:
    return ToldReceipt(
        receipt.till,
        receipt.device,
        receipt.seq,
        receipt.drawer,
        receipt.payment,
        receipt.discount_rupiah,
        receipt.price_list,
        receipt.sold_at,
        tuple(
            ToldLine(sale.lot, sale.product, sale.qty, sale.unit_price_rupiah, sale.net_rupiah, sale.price_reason)
            for sale in receipt.sales
        ),
    )


def _lists(check: Check, booth: Booth, receipts: list[Receipt]) -> None:
    """The booth's own lists of its receipts."""
    numbers = sorted(receipt.number for receipt in receipts)
    check.expect(
        numbers == list(range(1, booth.receipts + 1)),
        f"booth {booth.id} has counted {booth.receipts} receipts, but has {len(numbers)}, or their numbers have gaps",
    )
    waiting = sorted(receipt.receipt for receipt in receipts if any(sale.waiting for sale in receipt.sales))
    disputed = sorted(receipt.sale_id(sale) for receipt in receipts for sale in receipt.sales if sale.disputed)
    check.same(
        f"booth {booth.id}",
        (sorted(booth.waiting), sorted(booth.disputed)),
        (waiting, disputed),
        "waiting and disputed, by its receipts",
    )
    if booth.status is BoothStatus.SETTLED:
        for receipt in waiting:
            check.wrong(f"receipt {receipt} still waits, though booth {booth.id} is settled")


def _adds_up(check: Check, what: str, sale: Sale) -> None:
    pieces = [part.qty for part in sale.parts]
    rest = (sale.waiting, sale.disputed, sale.rejected, sale.voided)
    check.same(what, sale.qty, sum(pieces) + sum(rest), "pieces, but its parts and what is in doubt sum to")
    if min(pieces, default=1) < 1 or min(rest) < 0:
        check.wrong(f"{what}: parts {pieces}, waiting, disputed, rejected and voided {rest}")
        return
    amounts = [rupiah for _, rupiah in sale.part_amounts]
    worth = value(sale.net_rupiah, sale.qty, sum(pieces)) if sale.qty else 0
    check.same(what, sum(amounts), worth, "rupiah in its parts, but the recorded pieces are worth")
    whole = sum(amounts) + sale.open_rupiah + sale.returned_rupiah
    check.same(what, whole, sale.net_rupiah, "rupiah in parts, open and returned, but net")
    if min(*amounts, sale.open_rupiah, sale.returned_rupiah, 0) < 0:
        check.wrong(f"{what}: rupiah below zero: {amounts}, open {sale.open_rupiah}, returned {sale.returned_rupiah}")


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
        (sale.waiting, sale.disputed, sale.rejected, sale.voided),
        (sale.open_rupiah, sale.returned_rupiah),
    )


def _said_pieces(said: SaleAccounted) -> tuple[object, ...]:
    return (
        said.lot,
        said.product,
        said.qty,
        said.unit_price_rupiah,
        said.net_rupiah,
        tuple(
            (part.lot, part.facility, part.qty, part.amount_rupiah, part.basis.value, part.recalled)
            for part in said.parts
        ),
        (said.waiting, said.disputed, said.rejected, said.voided),
        (said.open_rupiah, said.returned_rupiah),
    )
