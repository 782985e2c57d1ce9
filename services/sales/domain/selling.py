"""What becomes of a sale: recorded when the booth's stock covers it, else it waits; disputed when nothing can come
any more that would cover it; voided at any time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from services.sales.domain import shelf, so_far
from services.sales.domain.booth import Booth, BoothLot, BoothStatus, changed, hear, take_in
from services.sales.domain.public import published, withdrawn
from services.sales.domain.sale import Sale, SaleStatus, entity_id, sale_id
from shared.events import lot_number
from shared.events.festival import DisputeOutcome, DisputeResolved
from shared.events.language import Event, Publication
from shared.events.sales import (
    SALE_SHARES,
    SALES,
    SaleDisputed,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    ShareEarned,
    ShareReversed,
)
from shared.state import State

Change: TypeAlias = tuple[State, Booth, list[Publication]]


def report(state: State, booth: Booth, body: SaleReported, event: Event) -> Change:
    """A till says that it sold something. Of one sale that comes from two sources the first word stands."""
    booth = hear(booth, body.till, body.seq)
    name = sale_id(event)
    id = entity_id(booth.id, name)
    if state.get(Sale, id) is not None:
        return state, booth, []
    sale = Sale(
        id=id,
        sale=name,
        booth=booth.id,
        till=body.till,
        lot=body.lot,
        product=body.product,
        qty=body.qty,
        unit_price_rupiah=body.unit_price_rupiah,
        sold_at=body.sold_at,
    )
    if name in booth.early_voids:
        return _never_stood(state, replace(booth, early_voids=_without(booth.early_voids, sale)), sale)
    lot = _cover(booth, sale)
    if lot is not None:
        return _record(state, booth, sale, lot)
    if booth.status is BoothStatus.SETTLED:
        return dispute(state, booth, sale)
    return state.put(sale), replace(booth, waiting=(*booth.waiting, name)), []


def void(state: State, booth: Booth, body: SaleVoided) -> Change:
    """A sale of this booth did not stand: any till of it may say so, also before the sale has come. The pieces are
    at the booth again, and may be what another sale waits for. A sale that is not this booth's never comes, so
    a void of it does nothing. The till is always answered, money moves only if it was earned."""
    booth = hear(booth, body.till, body.seq)
    sale = state.get(Sale, entity_id(booth.id, body.sale))
    if sale is None:
        if body.sale not in booth.early_voids:
            booth = replace(booth, early_voids=(*booth.early_voids, body.sale))
        return state, booth, []
    match sale.status:
        case SaleStatus.VOIDED:
            return state, booth, []
        case SaleStatus.RECORDED:
            return _take_back(state, booth, sale)
        case SaleStatus.WAITING:
            booth = replace(booth, waiting=_without(booth.waiting, sale))
        case SaleStatus.DISPUTED:
            booth = replace(booth, disputed=_without(booth.disputed, sale))
        case SaleStatus.REJECTED:
            pass
    return _never_stood(state, booth, sale)


def dispute(state: State, booth: Booth, sale: Sale) -> Change:
    """Nothing known covers the sale, and nothing more will come: a person decides."""
    sale = replace(sale, status=SaleStatus.DISPUTED, festival=booth.festival)
    said = SaleDisputed(
        booth=booth.id,
        sale=sale.sale,
        festival=booth.festival,
        till=sale.till,
        lot=sale.lot,
        product=sale.product,
        qty=sale.qty,
        amount_rupiah=sale.amount_rupiah,
        sold_at=sale.sold_at,
    )
    return state.put(sale), replace(booth, disputed=(*booth.disputed, sale.sale)), [SALES.of(said)]


def resolve(state: State, booth: Booth, body: DisputeResolved) -> Change:
    """The organiser's word on a disputed sale; it changes no other. One that is accepted but can't be booked, since
    nobody can tell which facility made the pieces, stays in dispute: it can only be rejected."""
    sale = state.get(Sale, entity_id(booth.id, body.sale))
    if sale is None or sale.status is not SaleStatus.DISPUTED:
        return state, booth, []
    if body.outcome is DisputeOutcome.REJECTED:
        booth = replace(booth, disputed=_without(booth.disputed, sale))
        return state.put(replace(sale, status=SaleStatus.REJECTED)), booth, []
    lot = _accepted_on(booth, sale)
    if lot is None:
        return state, booth, []
    booth, said = take_in(replace(booth, disputed=_without(booth.disputed, sale)), lot)
    state, booth, told = _record(state, booth, replace(sale, dispute_accepted=True), lot)
    return state, booth, said + told


def settle_waiting(state: State, booth: Booth, product: str | None = None) -> Change:
    """Record what waits (of this product, or of all) and is covered now, in the order in which it came."""
    said: list[Publication] = []
    still: list[str] = []
    for sale in waiting(state, booth):
        lot = _cover(booth, sale) if product in (None, sale.product) else None
        if lot is None:
            still.append(sale.sale)
            continue
        state, booth, told = _record(state, booth, sale, lot)
        said += told
    return state, replace(booth, waiting=tuple(still)), said


def waiting(state: State, booth: Booth) -> Iterator[Sale]:
    """The booth's sales that wait, in the order in which they came."""
    for name in booth.waiting:
        sale = state.get(Sale, entity_id(booth.id, name))
        assert sale is not None, "what waits was reported"
        yield sale


def _cover(booth: Booth, sale: Sale) -> BoothLot | None:
    """The lot with enough unsold pieces: the one on the label; without a label the product's oldest, and one that
    was recalled only if no other will do, since its pieces were set aside."""
    if sale.lot is not None:
        named = booth.holds(sale.lot)
        return named if named and named.product == sale.product and named.unsold >= sale.qty else None
    return _oldest(lot for lot in booth.lots if lot.product == sale.product and lot.unsold >= sale.qty)


def _accepted_on(booth: Booth, sale: Sale) -> BoothLot | None:
    """Where an accepted sale is booked: on the lot of its label, even if festival never stocked the booth with it
    (the label says who made it); else on the product's oldest that has the pieces, or just its oldest."""
    labelled = booth.holds(sale.lot) if sale.lot is not None else None
    if labelled is not None:
        return labelled
    number = lot_number.parse(sale.lot) if sale.lot is not None else None
    if number is not None and number.product == sale.product:
        return booth.holds(str(number)) or BoothLot(str(number), number.facility, number.product, number.made_on)
    here = [lot for lot in booth.lots if lot.product == sale.product]
    return _oldest(lot for lot in here if lot.unsold >= sale.qty) or _oldest(here)


def _oldest(lots: Iterable[BoothLot]) -> BoothLot | None:
    return min(lots, key=lambda lot: (lot.withdrawn is not None, lot.made_on, lot.lot), default=None)


def _record(state: State, booth: Booth, sale: Sale, lot: BoothLot) -> Change:
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    sale = replace(
        sale,
        status=SaleStatus.RECORDED,
        festival=booth.festival,
        lot=lot.lot,
        facility=lot.facility,
        product=lot.product,
        lot_attributed=sale.lot != lot.lot,
        lot_recalled=lot.withdrawn is not None,
    )
    lot = replace(lot, sold=lot.sold + sale.qty, sold_rupiah=lot.sold_rupiah + sale.amount_rupiah)
    recorded = SaleRecorded(
        booth=booth.id,
        sale=sale.sale,
        festival=booth.festival,
        till=sale.till,
        lot=lot.lot,
        facility=lot.facility,
        product=lot.product,
        qty=sale.qty,
        unit_price_rupiah=sale.unit_price_rupiah,
        amount_rupiah=sale.amount_rupiah,
        sold_at=sale.sold_at,
        lot_attributed=sale.lot_attributed,
        lot_recalled=sale.lot_recalled,
        dispute_accepted=sale.dispute_accepted,
    )
    earned = ShareEarned(
        facility=lot.facility,
        festival=booth.festival,
        booth=booth.id,
        sale=sale.sale,
        product=lot.product,
        qty=sale.qty,
        amount_rupiah=sale.amount_rupiah,
    )
    said = [SALES.of(recorded), SALE_SHARES.of(earned), published(sale, lot, booth.festival)]
    shelves = shelf.sold(booth.shelves, lot.facility, lot.product, sale.sold_at, sale.qty)
    booth, told = so_far.tell(changed(replace(booth, shelves=shelves), lot), lot, sale.sold_at)
    return state.put(sale), booth, said + told


def _take_back(state: State, booth: Booth, sale: Sale) -> Change:
    lot = booth.holds(sale.lot) if sale.lot is not None else None
    assert lot is not None, "a recorded sale is booked on a lot of its booth"
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    lot = replace(lot, sold=lot.sold - sale.qty, sold_rupiah=lot.sold_rupiah - sale.amount_rupiah)
    reversal = ShareReversed(
        facility=lot.facility,
        festival=booth.festival,
        booth=booth.id,
        sale=sale.sale,
        product=lot.product,
        qty=sale.qty,
        amount_rupiah=sale.amount_rupiah,
    )
    said = [_voided(sale, stood=True), SALE_SHARES.of(reversal), withdrawn(sale, lot, booth.festival)]
    shelves = shelf.sold(booth.shelves, lot.facility, lot.product, sale.sold_at, -sale.qty)
    booth = changed(replace(booth, shelves=shelves), lot)
    state = state.put(replace(sale, status=SaleStatus.VOIDED))
    state, booth, told = settle_waiting(state, booth, lot.product)
    return state, booth, said + told


def _never_stood(state: State, booth: Booth, sale: Sale) -> Change:
    sale = replace(sale, status=SaleStatus.VOIDED, festival=booth.festival)
    return state.put(sale), booth, [_voided(sale, stood=False)]


def _voided(sale: Sale, *, stood: bool) -> Publication:
    return SALES.of(
        SaleVoidRecorded(
            booth=sale.booth,
            sale=sale.sale,
            festival=sale.festival,
            lot=sale.lot,
            facility=sale.facility,
            product=sale.product,
            qty=sale.qty,
            amount_rupiah=sale.amount_rupiah,
            stood=stood,
        )
    )


def _without(names: tuple[str, ...], sale: Sale) -> tuple[str, ...]:
    return tuple(name for name in names if name != sale.sale)
