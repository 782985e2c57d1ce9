"""The states of a sale: recorded as far as stock covers it, waiting for more stock, disputed or voided.

A sale becomes disputed when no more stock can come to cover it. A void is possible at any time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from services.sales.domain import drawer as drawers
from services.sales.domain import interim, pool
from services.sales.domain.accounting import book, receipt_in, sale_publications, with_sums
from services.sales.domain.booth import Booth, BoothLot, BoothStatus, EarlyVoid, RefusedOrder, add_lot
from services.sales.domain.device import Device
from services.sales.domain.drawer import Drawer
from services.sales.domain.receipt import Part, Receipt, Sale, entity_id, parse_sale_id, receipt_id
from shared.events import lot_number
from shared.events.festival import DisputeOutcome, DisputeResolved, VoidOrdered
from shared.events.language import Event, Publication
from shared.events.sales import (
    BOOTH_REPORTS,
    SALES,
    PartBasis,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    ResolutionApplied,
    ResolutionRefusal,
    ResolutionRefused,
    VoidRefused,
)
from shared.runtime.state import State

# Bounds the booth's document: voids of receipts that may never come, and refused orders, which only people read.
MOST_EARLY_VOIDS = 1000
MOST_REFUSED = 50

Change: TypeAlias = tuple[State, Booth, list[Publication]]


def issue_receipt(
    state: State, booth: Booth, body: ReceiptIssued, event: Event, devices: tuple[Device, ...]
) -> Change:
    """The booth after a till issued a receipt, with its devices as given.

    Of one receipt from two sources, the first is kept.
    """
    name = receipt_id(event)
    if receipt_in(state, booth, name) is not None:
        return state, replace(booth, devices=devices), []
    net = body.net_rupiah
    sales: list[Sale] = []
    for line, net_rupiah in zip(body.lines[:-1], net[:-1], strict=True):
        sale = _new_sale(booth, line, net_rupiah, body.sold_at)
        booth = with_sums(booth, body.sold_at, sale.product, [], sale.part_amounts)
        sales.append(sale)
    last = _new_sale(booth, body.lines[-1], net[-1], body.sold_at)
    sales.append(last)
    receipt = _new_receipt(booth, body, name, tuple(sales))
    disputed = [receipt.sale_id(sale) for sale in sales if sale.disputed]
    booth = with_sums(
        booth,
        body.sold_at,
        last.product,
        [],
        last.part_amounts,
        devices=devices,
        drawers=drawers.pay_in(
            booth.drawers, Drawer(receipt.drawer, body.till, body.device), receipt.payment, body.sold_at, sum(net)
        ),
        receipts=receipt.number,
        waiting=(*booth.waiting, name) if receipt.is_waiting else booth.waiting,
        disputed=(*booth.disputed, *disputed),
    )
    state = state.put(receipt)
    publications: list[Publication] = []
    for sale in sales:
        publications += sale_publications(booth, receipt, sale, [], sale.part_amounts)
    for product in dict.fromkeys(sale.product for sale in sales if sale.parts):
        booth, added = interim.publish_interim(booth, product, body.sold_at)
        publications += added
    if booth.early_voids:
        state, booth, added = _apply_early_voids(state, booth, name)
        publications += added
    return state, booth, publications


def void_receipt(state: State, booth: Booth, body: ReceiptVoided) -> Change:
    """The booth after a till voided pieces of one of the booth's receipts, also before the receipt has arrived.

    The pieces are in stock again and may cover a waiting sale.
    """
    if body.refund_rupiah:
        # The money has left the drawer even if the void is refused.
        paid_from = Drawer(body.drawer or body.device, body.till, body.device)
        drawers_after = drawers.refund(booth.drawers, paid_from, body.refund, body.voided_at, body.refund_rupiah)
        booth = replace(booth, drawers=drawers_after)
    publications: list[Publication] = []
    for line in body.lines:
        state, booth, added = _void_sale(state, booth, EarlyVoid(body.receipt, line.line, line.qty, body.till))
        publications += added
    return state, booth, publications


def void_by_order(state: State, booth: Booth, body: VoidOrdered) -> Change:
    """The booth after the organiser voided pieces of a sale. No drawer pays for it."""
    return _void_sale(state, booth, EarlyVoid(body.receipt, body.line, body.qty, till=None))


def resolve_dispute(state: State, booth: Booth, body: DisputeResolved) -> Change:
    """The booth after the organiser's decision on the disputed and waiting pieces of a sale. No other sale changes.

    Without a named lot, a facility is credited with at most the pieces that came from it to the booth. Pieces beyond
    that stay in doubt. Festival receives the answer to its order.
    """
    name, line = parse_sale_id(body.sale)
    receipt = receipt_in(state, booth, name)
    sale = receipt.sale(line) if receipt is not None else None
    if receipt is None or sale is None:
        return state, booth, _refused(booth, body, ResolutionRefusal.UNKNOWN_SALE)
    if not sale.in_doubt:
        return state, booth, _refused(booth, body, ResolutionRefusal.NOT_IN_DOUBT)
    if body.outcome is DisputeOutcome.REJECTED:
        rejected_sale = replace(sale, rejected=sale.rejected + sale.in_doubt, disputed=0, waiting=0)
        state, booth, snapshots = book(state, booth, receipt, rejected_sale)
        return state, booth, snapshots + _applied(booth, body, rejected=sale.in_doubt)
    publications: list[Publication] = []
    if body.lot is not None:
        booth_lot = _named_lot(booth, sale, body.lot)
        if booth_lot is None:
            return state, booth, _refused(booth, body, ResolutionRefusal.OTHER_PRODUCT)
        booth, publications = add_lot(booth, booth_lot)
        parts = [
            Part(booth_lot.lot, booth_lot.facility, sale.in_doubt, PartBasis.NAMED, booth_lot.withdrawn is not None)
        ]
    else:
        parts = _credited_parts(booth, receipt, sale)
    accepted_qty = sum(part.qty for part in parts)
    if not accepted_qty:
        return state, booth, publications + _refused(booth, body, ResolutionRefusal.NOT_CREDITABLE)
    of_disputed = min(sale.disputed, accepted_qty)
    accepted_sale = replace(
        sale, disputed=sale.disputed - of_disputed, waiting=sale.waiting - (accepted_qty - of_disputed)
    )
    for part in parts:
        accepted_sale = accepted_sale.with_part(part)
    state, booth, snapshots = book(state, booth, receipt, accepted_sale)
    answers = _applied(booth, body, accepted=accepted_qty, left=accepted_sale.in_doubt)
    return state, booth, publications + snapshots + answers


def _applied(
    booth: Booth, body: DisputeResolved, *, accepted: int = 0, rejected: int = 0, left: int = 0
) -> list[Publication]:
    """The answer to festival's order, if it is one."""
    if body.order is None or booth.festival is None:
        return []
    applied = ResolutionApplied(
        festival=booth.festival,
        booth=booth.id,
        order=body.order,
        sale=body.sale,
        accepted=accepted,
        rejected=rejected,
        left=left,
    )
    return [BOOTH_REPORTS.of(applied)]


def _refused(booth: Booth, body: DisputeResolved, reason: ResolutionRefusal) -> list[Publication]:
    if body.order is None or booth.festival is None:
        return []
    refusal = ResolutionRefused(
        festival=booth.festival, booth=booth.id, order=body.order, sale=body.sale, reason=reason
    )
    return [BOOTH_REPORTS.of(refusal)]


def cover_waiting(state: State, booth: Booth, product: str | None = None) -> Change:
    """Record the waiting sales (of this product, or of all) that stock covers now, in the order of their sale."""
    publications: list[Publication] = []
    for receipt in sorted(
        waiting_receipts(state, booth), key=lambda waiting_receipt: (waiting_receipt.sold_at, waiting_receipt.receipt)
    ):
        for line in [sale.line for sale in receipt.sales if sale.waiting and product in (None, sale.product)]:
            receipt = _issued_receipt(state, booth, receipt.receipt)
            sale = receipt.sales[line - 1]
            state, booth, added = _cover(state, booth, receipt, sale)
            publications += added
    return state, booth, publications


def cover_disputed(state: State, booth: Booth, product: str) -> Change:
    """Record the disputed sales of this product that a recount covers, in the order of their sale.

    They were in dispute only because the booth was not known to hold the pieces. What a person rejected stays so.
    """
    publications: list[Publication] = []
    names = dict.fromkeys(parse_sale_id(sale)[0] for sale in booth.disputed)
    receipts = [_issued_receipt(state, booth, name) for name in names]
    for receipt in sorted(receipts, key=lambda disputed: (disputed.sold_at, disputed.receipt)):
        for line in [sale.line for sale in receipt.sales if sale.disputed and product == sale.product]:
            receipt = _issued_receipt(state, booth, receipt.receipt)
            sale = receipt.sales[line - 1]
            covered_sale = sale
            for part in _parts(booth, sale.lot, sale.product, sale.disputed, receipt.sold_at):
                covered_sale = replace(covered_sale.with_part(part), disputed=covered_sale.disputed - part.qty)
            if covered_sale != sale:
                state, booth, bookings = book(state, booth, receipt, covered_sale)
                publications += bookings
    return state, booth, publications


def dispute_waiting(state: State, booth: Booth) -> Change:
    """Move all waiting pieces into dispute, since no more stock will come. A person decides on them."""
    publications: list[Publication] = []
    for receipt in list(waiting_receipts(state, booth)):
        for line in [sale.line for sale in receipt.sales if sale.waiting]:
            receipt = _issued_receipt(state, booth, receipt.receipt)
            sale = receipt.sales[line - 1]
            disputed = replace(sale, waiting=0, disputed=sale.disputed + sale.waiting)
            state, booth, added = book(state, booth, receipt, disputed)
            publications += added
    return state, booth, publications


def wait_again(state: State, booth: Booth) -> Change:
    """Let all disputed pieces of a reopened booth wait for stock again, in the order in which they came into
    dispute."""
    publications: list[Publication] = []
    for id in booth.disputed:
        name, line = parse_sale_id(id)
        receipt = _issued_receipt(state, booth, name)
        sale = receipt.sales[line - 1]
        waiting_sale = replace(sale, waiting=sale.waiting + sale.disputed, disputed=0)
        state, booth, bookings = book(state, booth, receipt, waiting_sale)
        publications += bookings
    return state, booth, publications


def waiting_receipts(state: State, booth: Booth) -> Iterator[Receipt]:
    """The booth's receipts with waiting sales, in order of arrival."""
    for name in booth.waiting:
        yield _issued_receipt(state, booth, name)


def _issued_receipt(state: State, booth: Booth, name: str) -> Receipt:
    receipt = receipt_in(state, booth, name)
    assert receipt is not None, "a waiting receipt was issued"
    return receipt


def _new_receipt(booth: Booth, body: ReceiptIssued, name: str, sales: tuple[Sale, ...]) -> Receipt:
    return Receipt(
        id=entity_id(booth.id, name),
        receipt=name,
        booth=booth.id,
        number=booth.receipts + 1,
        till=body.till,
        device=body.device,
        seq=body.seq,
        drawer=body.drawer or body.device,
        payment=body.payment.kind,
        discount_rupiah=body.discount_rupiah,
        price_list=body.price_list,
        sold_at=body.sold_at,
        sales=sales,
    )


def _new_sale(booth: Booth, line: ReceiptLine, net: int, sold_at: datetime) -> Sale:
    parts = _parts(booth, line.lot, line.product, line.qty, sold_at)
    over = line.qty - sum([part.qty for part in parts])
    settled = booth.status is BoothStatus.SETTLED
    return Sale(
        line=line.line,
        lot=line.lot,
        product=line.product,
        qty=line.qty,
        unit_price_rupiah=line.unit_price_rupiah,
        net_rupiah=net,
        price_reason=line.price_reason,
        parts=parts,
        waiting=0 if settled else over,
        disputed=over if settled else 0,
        revision=1,
    )


def _cover(state: State, booth: Booth, receipt: Receipt, sale: Sale) -> Change:
    """Record the waiting pieces that are in stock. The other pieces stay waiting."""
    covered = sale
    for part in _parts(booth, sale.lot, sale.product, sale.waiting, receipt.sold_at):
        covered = replace(covered.with_part(part), waiting=covered.waiting - part.qty)
    if covered == sale:
        return state, booth, []
    state, booth, publications = book(state, booth, receipt, covered)
    booth, reports = interim.publish_interim(booth, covered.product, receipt.sold_at)
    return state, booth, publications + reports


def _parts(booth: Booth, lot: str | None, product: str, qty: int, sold_at: datetime) -> tuple[Part, ...]:
    """As many of `qty` pieces as stock covers: of the labelled lot, or without a label a fair share of all lots."""
    if lot is not None:
        booth_lot = booth.find_lot(lot)
        if booth_lot is None or booth_lot.product != product:
            return ()
        # Without a pool nothing but the lot's own sales reduces its stock.
        available_qty = (
            min(booth_lot.unlabelled_stock, booth.available(product)) if booth.pools else booth_lot.unlabelled_stock
        )
        qty = min(qty, available_qty)
        return (Part(lot, booth_lot.facility, qty, PartBasis.LABEL, booth_lot.withdrawn is not None),) if qty else ()
    qty = min(qty, booth.available(product))
    return tuple(_share_parts(pool.allocate_sale(booth, product, qty, sold_at))) if qty else ()


def _share_parts(dealt: Iterable[tuple[BoothLot, int]]) -> Iterator[Part]:
    for lot, qty in dealt:
        yield Part(lot.lot, lot.facility, qty, PartBasis.SHARE, lot.withdrawn is not None)


def _named_lot(booth: Booth, sale: Sale, typed: str) -> BoothLot | None:
    """The lot that the organiser named, if it has the sale's product. It need not have been stocked here."""
    number = lot_number.parse(typed)
    booth_lot = booth.find_lot(typed if number is None else str(number))
    if booth_lot is not None:
        return booth_lot if booth_lot.product == sale.product else None
    if number is None or number.product != sale.product:
        return None
    return BoothLot(str(number), number.facility, number.product, number.made_on)


def _credited_parts(booth: Booth, receipt: Receipt, sale: Sale) -> list[Part]:
    """The parts of pieces in doubt when no lot is named.

    The limit is the number of pieces received and not sold, lost ones included.
    """
    lots = booth.lots_of(sale.product)
    creditable = sum(lot.net_received - lot.sold for lot in lots)
    if sale.lot is not None:
        booth_lot = booth.find_lot(sale.lot)
        if booth_lot is None or booth_lot.product != sale.product:
            return []
        qty = min(sale.in_doubt, max(0, booth_lot.net_received - booth_lot.label_qty), max(0, creditable))
        return (
            [Part(booth_lot.lot, booth_lot.facility, qty, PartBasis.LABEL, booth_lot.withdrawn is not None)]
            if qty
            else []
        )
    qty = min(sale.in_doubt, max(0, creditable))
    return list(_share_parts(pool.allocate_sale(booth, sale.product, qty, receipt.sold_at))) if qty else []


def _apply_early_voids(state: State, booth: Booth, receipt: str) -> Change:
    publications: list[Publication] = []
    early_voids = [early_void for early_void in booth.early_voids if early_void.receipt == receipt]
    booth = replace(
        booth, early_voids=tuple(early_void for early_void in booth.early_voids if early_void.receipt != receipt)
    )
    for request in early_voids:
        state, booth, added = _void_sale(state, booth, request)
        publications += added
    return state, booth, publications


def _void_sale(state: State, booth: Booth, request: EarlyVoid) -> Change:
    receipt = receipt_in(state, booth, request.receipt)
    if receipt is None:
        if len(booth.early_voids) >= MOST_EARLY_VOIDS:
            return _refuse_void(state, booth, request, voidable=0)
        return state, replace(booth, early_voids=(*booth.early_voids, request)), []
    sale = receipt.sale(request.line)
    voidable = sale.qty - sale.voided if sale is not None else 0
    if sale is None or request.qty > voidable:
        return _refuse_void(state, booth, request, voidable)
    voided = sale.with_voided(request.qty)
    state, booth, publications = book(state, booth, receipt, voided)
    state, booth, covered = cover_waiting(state, booth, sale.product)
    return state, booth, publications + covered


def _refuse_void(state: State, booth: Booth, request: EarlyVoid, voidable: int) -> Change:
    refused = VoidRefused(
        booth=booth.id, receipt=request.receipt, line=request.line, till=request.till, qty=request.qty, left=voidable
    )
    if request.till is None:
        order = RefusedOrder(request.receipt, request.line, request.qty, voidable)
        booth = replace(booth, refused_orders=(*booth.refused_orders, order)[-MOST_REFUSED:])
    return state, booth, [SALES.of(refused)]
