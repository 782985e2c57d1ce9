"""The two processors of sales: a booth with its receipts, and from it a facility's settlements, demand and public
events."""

from functools import partial
from typing import Any

from services.sales.domain import Booth, FacilityDemand, FacilityFeed, Receipt, Settlement, facility, rules
from services.sales.domain.demand import demand_id
from services.sales.domain.forwarding import MOST_AT_ONCE, forwarded_record, kept_after, kept_at
from services.sales.domain.receipt import (
    disputed_at,
    entity_id,
    parse_sale_id,
    receipt_id,
    sold_after,
    waiting_at,
)
from services.sales.domain.rules import at_booth, of_till
from services.sales.domain.settlement import FromBooth, Percentages, settlement_id
from services.sales.store import BOOTHS, DEMANDS, FEEDS, KEPT_RECORDS, RECEIPTS, SETTLEMENTS
from shared.errors import BadSettings
from shared.events.festival import (
    BOOTH_STOCK,
    BoothChanged,
    BoothClosing,
    BoothForwarded,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    DisputeResolved,
    LotRecounted,
    LotReinstated,
    LotWithdrawn,
    PricesChanged,
    ReopeningRequested,
    TillAdded,
    TillStruck,
    VoidOrdered,
)
from shared.events.language import Body, DeadlineReached, Event
from shared.events.sales import (
    SALE_SHARES,
    SALES_DEADLINES,
    TILL,
    AdjustmentCause,
    BoothCounted,
    BoothSettled,
    CashCounted,
    CashDropped,
    DemandCounted,
    DeviceForwarded,
    DeviceIntroduced,
    DrawerOpened,
    ForwardedAs,
    ForwardingContinued,
    PoolAdjusted,
    ReceiptIssued,
    ReceiptVoided,
    RecordForwarded,
    RecordTakenOut,
    SaleShared,
    ShareHoldAnswered,
    ShareHoldRequested,
    ShareOpened,
    ShareReopened,
    TillClosed,
)
from shared.runtime.processor import Decision, Processor, Rule, on
from shared.runtime.state import Read, Ref, State
from shared.settings import Settings
from shared.wording import Message


def _booth(event: Event, _body: Body) -> tuple[Read, ...]:
    """The booth and its receipts that wait: nearly any event can cover them or end their waiting."""
    return Ref(Booth, event.key), waiting_at(event.key)


def _issued(event: Event, body: ReceiptIssued) -> tuple[Read, ...]:
    return *_booth(event, body), Ref(Receipt, entity_id(body.booth, receipt_id(event)))


def _voided(event: Event, body: ReceiptVoided | VoidOrdered) -> tuple[Read, ...]:
    return *_booth(event, body), Ref(Receipt, entity_id(body.booth, body.receipt))


def _resolved(event: Event, body: DisputeResolved) -> tuple[Read, ...]:
    return *_booth(event, body), Ref(Receipt, entity_id(body.booth, parse_sale_id(body.sale)[0]))


def _recounted(event: Event, body: LotRecounted) -> tuple[Read, ...]:
    # More stock than was known may settle what was in dispute.
    return *_booth(event, body), disputed_at(body.booth)


def _reopened(event: Event, body: ReopeningRequested | ShareHoldAnswered) -> tuple[Read, ...]:
    # Disputed sales wait again at an open booth.
    return *_booth(event, body), disputed_at(event.key)


def _counted(event: Event, body: BoothCounted) -> tuple[Read, ...]:
    # A count is about what was sold up to its moment.
    return *_booth(event, body), sold_after(body.booth, body.counted_at)


def _opened(event: Event, body: BoothOpened) -> tuple[Read, ...]:
    # What strayed and should count elsewhere may not have been forwarded yet.
    return *_booth(event, body), kept_at(event.key)


def _forwarding(event: Event, body: BoothForwarded) -> tuple[Read, ...]:
    # A stray booth may have any number of receipts that wait.
    return _booth(event, body) if body.merge else (Ref(Booth, event.key), kept_after(event.key, 0, MOST_AT_ONCE))


def _going_on(event: Event, body: ForwardingContinued) -> tuple[Read, ...]:
    receipts = (Ref(Receipt, entity_id(event.key, receipt)) for receipt in body.receipts)
    return Ref(Booth, event.key), kept_after(event.key, body.after, body.until + MOST_AT_ONCE), *receipts


# The same rules whether a till's record came to its booth or was forwarded to it.
_OF_TILLS = (
    on(DeviceIntroduced, of_till(rules.note_device), reads=_booth),
    on(ReceiptIssued, at_booth(rules.routed(rules.issue), AdjustmentCause.SALE), reads=_issued),
    on(ReceiptVoided, of_till(rules.void, AdjustmentCause.VOID), reads=_voided),
    on(BoothCounted, of_till(rules.count, AdjustmentCause.COUNT), reads=_counted),
    on(DrawerOpened, of_till(rules.open_drawer), reads=_booth),
    on(CashDropped, of_till(rules.drop_cash), reads=_booth),
    on(CashCounted, of_till(rules.count_cash), reads=_booth),
    on(TillClosed, of_till(rules.note_device), reads=_booth),
    on(RecordTakenOut, of_till(rules.note_device), reads=_booth),
)
_OF_TILL = {handler.body: handler for handler in _OF_TILLS}
_NUMBER_ONLY = at_booth(rules.note_number)


def _original(event: Event, body: RecordForwarded, opening: int = 1) -> Event:
    """The till's record inside, as if it had come to this booth in this opening."""
    return Event(body.id, body.source, event.key, body.time, event.logged_at, forwarded_record(body, opening))


def _forwarded(event: Event, body: RecordForwarded) -> tuple[Read, ...]:
    original = _original(event, body)
    return tuple(_OF_TILL[type(original.body)].reads(original, original.body))


def take_forwarded(state: State, event: Event, body: RecordForwarded) -> Decision:
    """A till's record for another booth counts at this one."""
    booth = state.get(Booth, event.key)
    original = _original(event, body, booth.opening if booth is not None else 1)
    rule: Rule[Any] = _NUMBER_ONLY if body.effect is ForwardedAs.NUMBER else _OF_TILL[type(original.body)].rule
    return rule(state, original, original.body)


BOOTH = Processor(
    service="sales",
    key="booth",
    topics=(BOOTH_STOCK, TILL, SALES_DEADLINES),
    collections=(BOOTHS, RECEIPTS, KEPT_RECORDS),
    handlers=(
        on(BoothOpened, at_booth(rules.open_booth), reads=_opened),
        on(BoothChanged, at_booth(rules.change_booth), reads=_booth),
        on(PricesChanged, at_booth(rules.change_prices), reads=_booth),
        on(TillAdded, at_booth(rules.add_till), reads=_booth),
        on(TillStruck, at_booth(rules.strike_till), reads=_booth),
        on(BoothStocked, at_booth(rules.stock), reads=_booth),
        on(LotRecounted, at_booth(rules.recount), reads=_recounted),
        on(BoothStockLost, at_booth(rules.lose_stock), reads=_booth),
        on(BoothStockMoved, at_booth(rules.move_stock), reads=_booth),
        on(LotWithdrawn, at_booth(rules.withdraw_lot), reads=_booth),
        on(LotReinstated, at_booth(rules.reinstate_lot), reads=_booth),
        # Festival has struck a resolved sale from its list: it receives those in dispute anew.
        on(DisputeResolved, at_booth(rules.resolve, AdjustmentCause.DISPUTE, again=True), reads=_resolved),
        on(VoidOrdered, at_booth(rules.void_ordered, AdjustmentCause.VOID), reads=_voided),
        on(BoothClosing, at_booth(rules.close), reads=_booth),
        on(ReopeningRequested, at_booth(rules.reopen), reads=_reopened),
        on(ShareHoldAnswered, at_booth(rules.hear_hold), reads=_reopened),
        on(DeadlineReached, at_booth(rules.time_is_up), reads=_booth),
        *_OF_TILLS,
        on(BoothForwarded, at_booth(rules.forward_booth), reads=_forwarding),
        on(ForwardingContinued, at_booth(rules.go_on_forwarding), reads=_going_on),
        on(RecordForwarded, take_forwarded, reads=_forwarded),
        on(DeviceForwarded, at_booth(rules.note_forwarded_device), reads=_booth),
    ),
    deadlines=SALES_DEADLINES,
)


def _settlement(_event: Event, body: FromBooth | ShareHoldRequested) -> tuple[Ref, ...]:
    return (Ref(Settlement, settlement_id(body.facility, body.festival)),)


def _demand(_event: Event, body: FromBooth | ShareHoldRequested | DemandCounted) -> tuple[Ref, ...]:
    return (Ref(FacilityDemand, demand_id(body.facility, body.festival)),)


def _both(event: Event, body: ShareOpened | ShareHoldRequested | ShareReopened | BoothSettled) -> tuple[Ref, ...]:
    return *_settlement(event, body), *_demand(event, body)


def _shared(event: Event, body: SaleShared | PoolAdjusted) -> tuple[Ref, ...]:
    return *_settlement(event, body), Ref(FacilityFeed, body.facility)


def by_facility(by: Percentages) -> Processor:
    """The processor by facility, sharing by these percentages."""
    return Processor(
        service="sales",
        key="facility",
        topics=(SALE_SHARES,),
        collections=(SETTLEMENTS, DEMANDS, FEEDS),
        handlers=(
            on(ShareOpened, partial(facility.open_share, by), reads=_both),
            on(SaleShared, partial(facility.change_share, by), reads=_shared),
            on(PoolAdjusted, partial(facility.change_share, by), reads=_shared),
            on(ShareHoldRequested, facility.hold_share, reads=_both),
            on(ShareReopened, partial(facility.reopen_share, by), reads=_both),
            on(BoothSettled, partial(facility.settle_booth, by), reads=_both),
            on(DemandCounted, facility.count_demand, reads=_demand),
        ),
    )


def percentages(settings: Settings) -> Percentages:
    """How sales are shared. Raises BadSettings unless it adds up to the whole."""
    by = Percentages(settings.facility_percent, settings.maker_percent, settings.programme_percent)
    if not by.whole:
        raise BadSettings(
            Message(
                "KARYA_FACILITY_PERCENT, KARYA_MAKER_PERCENT and KARYA_PROGRAMME_PERCENT are {facility}, {maker} and "
                "{programme}. Please change them so that they add up to 100.",
                facility=by.facility,
                maker=by.maker,
                programme=by.programme,
            )
        )
    return by


# Shares that don't add up stop the service here, before any money is shared by them.
PROCESSORS = (BOOTH, by_facility(percentages(Settings())))
