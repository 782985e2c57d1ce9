"""What becomes of a sale: recorded as far as the booth's stock covers it, the rest waits; disputed when nothing can
come any more that would cover it; voided at any time.
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
from shared.events.sales import SALES, PartBasis, ReceiptIssued, ReceiptLine, ReceiptVoided, VoidRefused
from shared.runtime.state import State

# Voids of receipts that may never come must not fill a booth's document, nor must what is kept for people to read.
MOST_EARLY_VOIDS = 1000
MOST_REFUSED = 50

Change: TypeAlias = tuple[State, Booth, list[Publication]]


def issue_receipt(
    state: State, booth: Booth, body: ReceiptIssued, event: Event, devices: tuple[Device, ...]
) -> Change:
    """A till issued a receipt, after which the booth's devices stand like this. Of one receipt that comes from two
    sources the first word stands."""
    name = receipt_id(event)
    if receipt_in(state, booth, name) is not None:
        return state, replace(booth, devices=devices), []
    net = body.net_rupiah
    sales: list[Sale] = []
    for line, worth in zip(body.lines[:-1], net[:-1], strict=True):
        sale = _new_sale(booth, line, worth, body.sold_at)
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
    told: list[Publication] = []
    for sale in sales:
        told += sale_publications(booth, receipt, sale, [], sale.part_amounts)
    for product in dict.fromkeys(sale.product for sale in sales if sale.parts):
        booth, said = interim.publish_interim(booth, product, body.sold_at)
        told += said
    if booth.early_voids:
        state, booth, said = _apply_early_voids(state, booth, name)
        told += said
    return state, booth, told


def void_receipt(state: State, booth: Booth, body: ReceiptVoided) -> Change:
    """Pieces of a receipt of this booth did not stand: any till of it may say so, also before the receipt has come.
    The pieces are at the booth again, and may be what another sale waits for."""
    if body.refund_rupiah:
        # The money left the drawer, whatever becomes of the void.
        paid_from = Drawer(body.drawer or body.device, body.till, body.device)
        paid = drawers.refund(booth.drawers, paid_from, body.refund, body.voided_at, body.refund_rupiah)
        booth = replace(booth, drawers=paid)
    told: list[Publication] = []
    for line in body.lines:
        state, booth, said = _void_sale(state, booth, EarlyVoid(body.receipt, line.line, line.qty, body.till))
        told += said
    return state, booth, told


def void_by_order(state: State, booth: Booth, body: VoidOrdered) -> Change:
    """The organiser voids pieces of a sale. No drawer pays for it."""
    return _void_sale(state, booth, EarlyVoid(body.receipt, body.line, body.qty, till=None))


def resolve_dispute(state: State, booth: Booth, body: DisputeResolved) -> Change:
    """The organiser's word on the disputed pieces of a sale; it changes no other. Without a lot that is named, no
    facility is credited with more than came of it to the booth: pieces beyond that stay in dispute."""
    name, line = parse_sale_id(body.sale)
    receipt = receipt_in(state, booth, name)
    sale = receipt.sale(line) if receipt is not None else None
    if receipt is None or sale is None or not sale.disputed:
        return state, booth, []
    if body.outcome is DisputeOutcome.REJECTED:
        rejected = replace(sale, rejected=sale.rejected + sale.disputed, disputed=0)
        return book(state, booth, receipt, rejected)
    said: list[Publication] = []
    if body.lot is not None:
        named = _named_lot(booth, sale, body.lot)
        if named is None:
            return state, booth, []
        booth, said = add_lot(booth, named)
        parts = [Part(named.lot, named.facility, sale.disputed, PartBasis.NAMED, named.withdrawn is not None)]
    else:
        parts = _credited_parts(booth, receipt, sale)
    taken = sum(part.qty for part in parts)
    if not taken:
        return state, booth, said
    accepted = replace(sale, disputed=sale.disputed - taken)
    for part in parts:
        accepted = accepted.with_part(part)
    state, booth, told = book(state, booth, receipt, accepted)
    return state, booth, said + told


def cover_waiting(state: State, booth: Booth, product: str | None = None) -> Change:
    """Record what waits (of this product, or of all) and is covered now, the sales made first before the others."""
    told: list[Publication] = []
    for receipt in sorted(waiting_receipts(state, booth), key=lambda one: (one.sold_at, one.receipt)):
        for line in [sale.line for sale in receipt.sales if sale.waiting and product in (None, sale.product)]:
            receipt = _issued_receipt(state, booth, receipt.receipt)
            sale = receipt.sales[line - 1]
            state, booth, said = _cover(state, booth, receipt, sale)
            told += said
    return state, booth, told


def dispute_waiting(state: State, booth: Booth) -> Change:
    """Nothing known covers what waits, and nothing more will come: a person decides."""
    told: list[Publication] = []
    for receipt in list(waiting_receipts(state, booth)):
        for line in [sale.line for sale in receipt.sales if sale.waiting]:
            receipt = _issued_receipt(state, booth, receipt.receipt)
            sale = receipt.sales[line - 1]
            disputed = replace(sale, waiting=0, disputed=sale.disputed + sale.waiting)
            state, booth, said = book(state, booth, receipt, disputed)
            told += said
    return state, booth, told


def waiting_receipts(state: State, booth: Booth) -> Iterator[Receipt]:
    """The booth's receipts that wait, in the order in which they came."""
    for name in booth.waiting:
        yield _issued_receipt(state, booth, name)


def _issued_receipt(state: State, booth: Booth, name: str) -> Receipt:
    receipt = receipt_in(state, booth, name)
    assert receipt is not None, "it was issued"
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
    """Record the waiting pieces that are there. What is not waits on; once the booth is settled, it is in dispute."""
    covered = sale
    for part in _parts(booth, sale.lot, sale.product, sale.waiting, receipt.sold_at):
        covered = replace(covered.with_part(part), waiting=covered.waiting - part.qty)
    if covered == sale:
        return state, booth, []
    state, booth, told = book(state, booth, receipt, covered)
    booth, said = interim.publish_interim(booth, covered.product, receipt.sold_at)
    return state, booth, told + said


def _parts(booth: Booth, lot: str | None, product: str, qty: int, sold_at: datetime) -> tuple[Part, ...]:
    """As many of `qty` pieces as can be recorded now: of the lot on the label; without one, a fair share of all."""
    if lot is not None:
        named = booth.find_lot(lot)
        if named is None or named.product != product:
            return ()
        # Only unlabelled sales can have taken pieces of the product that the lot itself does not tell of.
        there = min(named.unlabelled_stock, booth.available(product)) if booth.pools else named.unlabelled_stock
        qty = min(qty, there)
        return (Part(lot, named.facility, qty, PartBasis.LABEL, named.withdrawn is not None),) if qty else ()
    qty = min(qty, booth.available(product))
    return tuple(_share_parts(pool.allocate_sale(booth, product, qty, sold_at))) if qty else ()


def _share_parts(dealt: Iterable[tuple[BoothLot, int]]) -> Iterator[Part]:
    for lot, qty in dealt:
        yield Part(lot.lot, lot.facility, qty, PartBasis.SHARE, lot.withdrawn is not None)


def _named_lot(booth: Booth, sale: Sale, typed: str) -> BoothLot | None:
    """The lot that the organiser named, if it is of the sale's product; also one that was never stocked here."""
    number = lot_number.parse(typed)
    held = booth.find_lot(typed if number is None else str(number))
    if held is not None:
        return held if held.product == sale.product else None
    if number is None or number.product != sale.product:
        return None
    return BoothLot(str(number), number.facility, number.product, number.made_on)


def _credited_parts(booth: Booth, receipt: Receipt, sale: Sale) -> list[Part]:
    """Where disputed pieces are recorded when no lot is named: as far as more came than was sold, also if it counts
    as lost."""
    lots = booth.lots_of(sale.product)
    most = sum(lot.net_received - lot.sold for lot in lots)
    if sale.lot is not None:
        named = booth.find_lot(sale.lot)
        if named is None or named.product != sale.product:
            return []
        qty = min(sale.disputed, max(0, named.net_received - named.label_qty), max(0, most))
        return [Part(named.lot, named.facility, qty, PartBasis.LABEL, named.withdrawn is not None)] if qty else []
    qty = min(sale.disputed, max(0, most))
    return list(_share_parts(pool.allocate_sale(booth, sale.product, qty, receipt.sold_at))) if qty else []


def _apply_early_voids(state: State, booth: Booth, receipt: str) -> Change:
    told: list[Publication] = []
    mine = [one for one in booth.early_voids if one.receipt == receipt]
    booth = replace(booth, early_voids=tuple(one for one in booth.early_voids if one.receipt != receipt))
    for wanted in mine:
        state, booth, said = _void_sale(state, booth, wanted)
        told += said
    return state, booth, told


def _void_sale(state: State, booth: Booth, wanted: EarlyVoid) -> Change:
    receipt = receipt_in(state, booth, wanted.receipt)
    if receipt is None:
        if len(booth.early_voids) >= MOST_EARLY_VOIDS:
            return _refuse_void(state, booth, wanted, left=0)
        return state, replace(booth, early_voids=(*booth.early_voids, wanted)), []
    sale = receipt.sale(wanted.line)
    left = sale.qty - sale.voided if sale is not None else 0
    if sale is None or wanted.qty > left:
        return _refuse_void(state, booth, wanted, left)
    voided = sale.with_voided(wanted.qty)
    state, booth, told = book(state, booth, receipt, voided)
    state, booth, said = cover_waiting(state, booth, sale.product)
    return state, booth, told + said


def _refuse_void(state: State, booth: Booth, wanted: EarlyVoid, left: int) -> Change:
    refused = VoidRefused(
        booth=booth.id, receipt=wanted.receipt, line=wanted.line, till=wanted.till, qty=wanted.qty, left=left
    )
    if wanted.till is None:
        order = RefusedOrder(wanted.receipt, wanted.line, wanted.qty, left)
        booth = replace(booth, refused_orders=(*booth.refused_orders, order)[-MOST_REFUSED:])
    return state, booth, [SALES.of(refused)]
