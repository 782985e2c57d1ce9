"""The rules of a booth: one event at a time, from what festival and tills say to what was sold and is owed.

The topics of a booth have no order between them: a sale may come before the stock that it was sold from, a void
before its receipt, a till's last word before the closing. What comes early is kept in the booth, or waits as a sale.
"""

from dataclasses import replace

from services.sales.domain import booth as booths
from services.sales.domain import closing, counting, device, drawer, pool, selling
from services.sales.domain.booth import Booth, BoothStatus, StrayMove
from services.sales.domain.prices import PriceList, with_list
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    DisputeResolved,
    LotWithdrawn,
    PricesChanged,
    TillAdded,
    TillStruck,
    VoidOrdered,
)
from shared.events.language import Deadline, DeadlineReached, Event, Publication
from shared.events.sales import (
    SALES,
    AdjustmentCause,
    BoothCounted,
    CashCounted,
    CashDropped,
    DeviceIntroduced,
    DrawerOpened,
    PoolAdjusted,
    ReceiptIssued,
    ReceiptVoided,
    SaleShared,
    StrayMoved,
    TillClosed,
    TillRecord,
)
from shared.runtime.family import Decision
from shared.runtime.state import State

_CAUSES = {
    ReceiptIssued: AdjustmentCause.SALE,
    ReceiptVoided: AdjustmentCause.VOID,
    VoidOrdered: AdjustmentCause.VOID,
    BoothCounted: AdjustmentCause.COUNT,
    DisputeResolved: AdjustmentCause.DISPUTE,
}
# A snapshot and a share are all that is said of most receipts.
_MOST_WITH_ONE_SHARE = 2


def decide(state: State, event: Event) -> Decision:
    """The booth and its receipts after the event, and what is said about them."""
    before = state.get(Booth, event.key) or Booth(event.key)
    booth = before
    said: list[Publication | Deadline] = []
    match event.body:
        case TillRecord() as body:
            state, booth, told = _recorded(state, booth, body, event)
            said += told
        case BoothClosing() as body:
            booth, deadlines = closing.close(booth, body)
            said += deadlines
        case _:
            state, booth, told = _change(state, booth, event)
            said += told
    if booth.status is BoothStatus.CLOSING and booth.complete:
        state, booth, told = closing.settle(state, booth)
        said += told
    if booth.pools and (booth.lots, booth.pools) != (before.lots, before.pools):
        booth, told = _adjust(before, booth, _CAUSES.get(type(event.body), AdjustmentCause.STOCK))
        said += told
    # Festival has struck a resolved sale from its list: it hears again which are in dispute.
    booth, told = closing.report_settled(before, booth, force=isinstance(event.body, DisputeResolved))
    return (state if booth == before else state.put(booth)), [*_linked(said), *told]


def _recorded(state: State, booth: Booth, record: TillRecord, event: Event) -> selling.Change:
    """What a till recorded, and that its device was heard."""
    last_seq = record.last_seq if isinstance(record, TillClosed) else None
    devices, new = device.receive_record(booth.devices, record, event.id, last_seq)
    heard = [SALES.of(new)] if new is not None else []
    if new is not None and record.device in booth.early_strikes:
        devices = device.strike(devices, record.till, record.device, None)
    if isinstance(record, ReceiptIssued):
        state, booth, said = selling.issue_receipt(state, booth, record, event, devices)
        return state, booth, heard + said
    booth = replace(booth, devices=devices)
    match record:
        case ReceiptVoided():
            state, booth, said = selling.void_receipt(state, booth, record)
            return state, booth, heard + said
        case DrawerOpened():
            booth = replace(booth, drawers=drawer.open_drawer(booth.drawers, record, event.id))
        case CashDropped():
            booth = replace(booth, drawers=drawer.drop_cash(booth.drawers, record))
        case CashCounted():
            booth = replace(booth, drawers=drawer.count_cash(booth.drawers, record))
        case BoothCounted():
            booth = counting.count(state, booth, record)
        case TillClosed() | DeviceIntroduced():
            pass
        case other:
            raise TypeError(f"sales has no rule for {type(other).__name__}")
    return state, booth, heard


def _change(state: State, booth: Booth, event: Event) -> selling.Change:
    match event.body:
        case BoothStocked() as body:
            booth, opened = booths.stock_lot(booth, body, event.time)
            state, booth, said = selling.cover_waiting(state, pool.redistribute(booth, body.product), body.product)
            return state, booth, opened + said
        case BoothOpened() as body:
            return selling.cover_waiting(state, _opened(booth, body))
        case BoothStockLost() as body:
            return state, _level(booths.lose_stock(booth, body.lot, body.qty), body.lot), []
        case BoothStockMoved() as body:
            return state, _level(booths.move_stock(booth, body, event.time), body.lot), []
        case LotWithdrawn() as body:
            return state, _level(booths.withdraw_lot(booth, body.lot, body.reason), body.lot), []
        case DisputeResolved() as body:
            return selling.resolve_dispute(state, booth, body)
        case VoidOrdered() as body:
            return selling.void_by_order(state, booth, body)
        case PricesChanged() as body:
            prices = tuple((price.product, price.price_rupiah) for price in body.prices)
            new = PriceList(body.revision, body.valid_from, prices)
            return state, replace(booth, price_lists=with_list(booth.price_lists, new)), []
        case TillAdded() as body:
            struck = tuple(till for till in booth.struck_tills if till != body.till)
            return state, replace(booth, tills=(*booth.tills, body.till), struck_tills=struck), []
        case TillStruck() as body:
            return state, _struck(booth, body), []
        case StrayMoved() as body:
            return state, replace(booth, moved=StrayMove(body.to, body.records)), []
        case DeadlineReached() as body:
            return closing.reach_deadline(state, booth, body)
        case other:
            raise TypeError(f"sales has no rule for {type(other).__name__}")


def _linked(said: list[Publication | Deadline]) -> list[Publication | Deadline]:
    """The same, with all changes of one facility but the last marked as continued: only together are they its sum."""
    if len(said) <= _MOST_WITH_ONE_SHARE:
        return said
    places: dict[str, list[int]] = {}
    for place, one in enumerate(said):
        if isinstance(one, Publication) and isinstance(one.body, SaleShared | PoolAdjusted):
            places.setdefault(one.body.facility, []).append(place)
    if all(len(mine) == 1 for mine in places.values()):
        return said
    linked = list(said)
    for mine in places.values():
        for place in mine[:-1]:
            one = linked[place]
            assert isinstance(one, Publication), "it was found above"
            linked[place] = Publication(one.topic, one.body.model_copy(update={"continued": True}))
    return linked


def _opened(booth: Booth, body: BoothOpened) -> Booth:
    first = PriceList(1, None, tuple((price.product, price.price_rupiah) for price in body.prices))
    return replace(
        booth,
        festival=body.festival,
        name=body.name,
        zone=body.zone,
        price_lists=with_list(booth.price_lists, first),
        tills=body.tills,
        status=BoothStatus.OPEN if booth.status is BoothStatus.UNKNOWN else booth.status,
    )


def _struck(booth: Booth, body: TillStruck) -> Booth:
    if body.device is not None and all(known.device != body.device for known in booth.devices):
        # The topics of festival and tills have no order between them.
        return replace(booth, early_strikes=(*booth.early_strikes, body.device))
    booth = replace(booth, devices=device.strike(booth.devices, body.till, body.device, body.branch))
    if body.device is not None or body.till in booth.struck_tills:
        return booth
    tills = tuple(till for till in booth.tills if till != body.till)
    return replace(booth, tills=tills, struck_tills=(*booth.struck_tills, body.till))


def _level(booth: Booth, lot: str) -> Booth:
    held = booth.find_lot(lot)
    return pool.redistribute(booth, held.product) if held is not None else booth


def _adjust(before: Booth, after: Booth, cause: AdjustmentCause) -> tuple[Booth, list[Publication]]:
    """What is said of unlabelled sales whose shares changed."""
    said: list[Publication] = []
    finals = {lot.lot: lot.final for lot in before.lots}
    recounted = {lot.product for lot in after.lots if lot.final != finals.get(lot.lot)}
    known = {one.product: one.final for one in before.pools}
    recounted |= {one.product for one in after.pools if one.final != known.get(one.product)}
    for one in after.pools:
        after, told = pool.publish_adjustments(before, after, one.product, cause, recounted=one.product in recounted)
        said += told
    return after, said
