"""Which entities an event of sales may read or change."""

from collections.abc import Iterator

from services.sales.domain import Booth, FacilityDemand, FacilityFeed, Receipt, Settlement
from services.sales.domain.demand import demand_id
from services.sales.domain.receipt import entity_id, parse_sale_id, receipt_id
from services.sales.domain.settlement import settlement_id
from services.sales.store import sold_key
from shared.events.festival import DisputeResolved, VoidOrdered
from shared.events.language import Event
from shared.events.sales import (
    BoothCounted,
    BoothSettled,
    DemandCounted,
    PoolAdjusted,
    ReceiptIssued,
    ReceiptVoided,
    SaleShared,
    ShareOpened,
)
from shared.runtime.state import Hint, KeyRange, Read, Ref


def touches(event: Event) -> Iterator[Read]:
    """The booth, the receipt that the event is about, and the booth's receipts that wait: nearly any event can cover
    them or end their waiting. They lie in the booth's own lane, so that the hint finds them as they are. A count is
    about what was sold up to its moment, so it needs what was sold after it."""
    yield Ref(Booth, event.key)
    yield Hint(Receipt, "waiting", event.key)
    match event.body:
        case ReceiptIssued() as body:
            yield Ref(Receipt, entity_id(body.booth, receipt_id(event)))
        case ReceiptVoided() | VoidOrdered() as body:
            yield Ref(Receipt, entity_id(body.booth, body.receipt))
        case DisputeResolved() as body:
            yield Ref(Receipt, entity_id(body.booth, parse_sale_id(body.sale)[0]))
        case BoothCounted() as body:
            yield KeyRange(Receipt, "sold", sold_key(body.booth, body.counted_at), f"{body.booth}!")
        case _:
            return


def touches_facility(event: Event) -> Iterator[Read]:
    """All that a booth says is of one facility at one festival."""
    match event.body:
        case DemandCounted() as body:
            yield Ref(FacilityDemand, demand_id(body.facility, body.festival))
        case ShareOpened() as body:
            yield Ref(Settlement, settlement_id(body.facility, body.festival))
            yield Ref(FacilityDemand, demand_id(body.facility, body.festival))
        case SaleShared() | PoolAdjusted() as body:
            yield Ref(Settlement, settlement_id(body.facility, body.festival))
            yield Ref(FacilityFeed, body.facility)
        case BoothSettled() as body:
            yield Ref(Settlement, settlement_id(body.facility, body.festival))
        case _:
            return
