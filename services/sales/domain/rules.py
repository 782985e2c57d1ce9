"""The rules of a booth: one event at a time, from what festival and tills say to what was sold and is owed.

The topics of a booth have no order between them: a sale may come before the stock that it was sold from, a void
before its receipt, a till's last word before the closing. What comes early is kept in the booth, or waits as a sale.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from services.sales.domain import booth as booths
from services.sales.domain import closing, counting, device, drawer, forwarding, pool, reopening, selling
from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.device import Device
from services.sales.domain.prices import PriceList, with_list
from shared.events.festival import (
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
from shared.events.language import Body, Deadline, DeadlineReached, Event, Publication
from shared.events.sales import (
    SALES,
    SALES_DEADLINES,
    AdjustmentCause,
    BoothCounted,
    CashCounted,
    CashDropped,
    DeviceForwarded,
    DeviceHeard,
    DrawerOpened,
    ForwardedAs,
    ForwardingContinued,
    PoolAdjusted,
    ReceiptIssued,
    ReceiptVoided,
    SaleShared,
    ShareHoldAnswered,
    TillClosed,
    TillRecord,
)
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State

B = TypeVar("B", bound=Body)
R = TypeVar("R", bound=TillRecord)
Change: TypeAlias = tuple[State, Booth, Sequence[Publication | Deadline]]
# A snapshot and a share are all that is said of most receipts.
_MOST_WITH_ONE_SHARE = 2


def at_booth(
    change: Callable[[State, Booth, B, Event], Change],
    cause: AdjustmentCause = AdjustmentCause.STOCK,
    *,
    again: bool = False,
) -> Rule[B]:
    """The rule that changes a booth and its receipts so, with all that follows from it.

    `cause`: what the shares of unlabelled sales then change for. `again`: festival receives the sales in dispute
    anew.
    """

    def rule(state: State, event: Event, body: B) -> Decision:
        before = state.get(Booth, event.key) or Booth(event.key)
        state, booth, changed = change(state, before, body, event)
        outputs = list(changed)
        if booth.status is BoothStatus.CLOSING and booth.complete:
            state, booth, publications = closing.settle(state, booth)
            outputs += publications
        if booth.pools and (booth.lots, booth.pools) != (before.lots, before.pools):
            booth, publications = _adjust(before, booth, cause)
            outputs += publications
        booth, publications = closing.report_settled(before, booth, force=again)
        return (state if booth == before else state.put(booth)), [*_linked(outputs), *publications]

    return rule


def of_till(
    change: Callable[[State, Booth, R, Event], Change], cause: AdjustmentCause = AdjustmentCause.STOCK
) -> Rule[R]:
    """The rule of a till's record. The record joins its device's sequence, and `change` applies it to the booth."""

    def recorded(state: State, booth: Booth, record: R, event: Event) -> Change:
        devices, greetings = _receive_device_record(booth, record, event)
        state, booth, outputs = change(state, replace(booth, devices=devices), record, event)
        return state, booth, [*greetings, *outputs]

    return at_booth(routed(recorded), cause)


def routed(change: Callable[[State, Booth, R, Event], Change]) -> Callable[[State, Booth, R, Event], Change]:
    """The change by a till's record, at a booth whose records may count elsewhere."""

    def rule(state: State, booth: Booth, record: R, event: Event) -> Change:
        effect = forwarding.effect(state, booth, record, event)
        if effect is None:
            state, booth, outputs = change(state, booth, record, event)
            if booth.status is BoothStatus.UNKNOWN:
                state = state.put(forwarding.original(booth, record, event))
            return state, booth, outputs
        if effect is ForwardedAs.WHOLE:
            devices, outputs = _receive_device_record(booth, record, event)
            booth = replace(booth, devices=devices)
        else:
            state, booth, outputs = change(state, booth, record, event)
        original = forwarding.original(booth, record, event)
        snapshots: Sequence[Publication | Deadline] = ()
        if effect is ForwardedAs.COPY:
            state, booth, snapshots = forwarding.mark_forwarded(state.put(original), booth)
        booth, publication = forwarding.forward(booth, original, effect)
        return state, booth, [*outputs, *snapshots, publication]

    return rule


def note_number(state: State, booth: Booth, record: TillRecord, event: Event) -> Change:
    """A record that counts at an earlier booth. Its device's sequence goes on here, and where this booth merged."""
    devices, outputs = _receive_device_record(booth, record, event)
    booth = replace(booth, devices=devices)
    if booth.forwarding is None:
        return state, booth, outputs
    original = forwarding.original(booth, record, event)
    booth, publication = forwarding.forward(booth, original, ForwardedAs.NUMBER)
    return state, booth, [*outputs, publication]


def note_forwarded_device(state: State, booth: Booth, body: DeviceForwarded, _event: Event) -> Change:
    """A device of another booth goes on at this one, which may know some of its records already."""
    devices = device.join(booth.devices, forwarding.device_from(body))
    outputs: list[Publication] = []
    if len(devices) > len(booth.devices):
        outputs.append(SALES.of(DeviceHeard(booth=booth.id, till=body.till, device=body.device)))
    if booth.forwarding is not None:
        outputs.append(SALES_DEADLINES.of(body.model_copy(update={"key": booth.forwarding.to})))
    return state, replace(booth, devices=devices), outputs


def forward_booth(state: State, booth: Booth, body: BoothForwarded, _event: Event) -> Change:
    """The organiser lets the booth's records count at another one."""
    return forwarding.begin(state, booth, body)


def go_on_forwarding(state: State, booth: Booth, body: ForwardingContinued, _event: Event) -> Change:
    """The next part of a stray booth's records is forwarded."""
    return forwarding.go_on(state, booth, body)


def issue(state: State, booth: Booth, record: ReceiptIssued, event: Event) -> Change:
    """A till issued a receipt. Not `of_till`: a booth is copied once for its device and its sales."""
    devices, greetings = _receive_device_record(booth, record, event)
    state, booth, publications = selling.issue_receipt(state, booth, record, event, devices)
    return state, booth, greetings + publications


def void(state: State, booth: Booth, record: ReceiptVoided, _event: Event) -> Change:
    """A till voided pieces of a receipt."""
    return selling.void_receipt(state, booth, record)


def count(state: State, booth: Booth, record: BoothCounted, _event: Event) -> Change:
    """Somebody counted what lies at the booth."""
    return state, counting.count(state, booth, record), []


def open_drawer(state: State, booth: Booth, record: DrawerOpened, event: Event) -> Change:
    """A drawer begins with its float."""
    return state, replace(booth, drawers=drawer.open_drawer(booth.drawers, record, event.known_as)), []


def drop_cash(state: State, booth: Booth, record: CashDropped, _event: Event) -> Change:
    """Cash left a drawer."""
    return state, replace(booth, drawers=drawer.drop_cash(booth.drawers, record)), []


def count_cash(state: State, booth: Booth, record: CashCounted, _event: Event) -> Change:
    """Somebody counted a drawer."""
    return state, replace(booth, drawers=drawer.count_cash(booth.drawers, record)), []


def note_device(state: State, booth: Booth, _record: TillRecord, _event: Event) -> Change:
    """The device's record of itself. It changes nothing else at the booth."""
    return state, booth, []


def stock(state: State, booth: Booth, body: BoothStocked, event: Event) -> Change:
    """Pieces came to the booth, and may be what sales wait for."""
    booth, opened = booths.stock_lot(booth, body, event.time)
    state, booth, covered = selling.cover_waiting(state, pool.redistribute(booth, body.product), body.product)
    return state, booth, opened + covered


def recount(state: State, booth: Booth, body: LotRecounted, event: Event) -> Change:
    """A lot's arrivals were counted again, in any state of the booth. More stock may be what sales wait for, or what
    they are in dispute for."""
    booth, publications = booths.recount_lot(booth, body, event.time)
    booth = pool.redistribute(booth, body.product)
    state, booth, coverings = selling.cover_waiting(state, booth, body.product)
    state, booth, settlements = selling.cover_disputed(state, booth, body.product)
    return state, booth, publications + coverings + settlements


def open_booth(state: State, booth: Booth, body: BoothOpened, _event: Event) -> Change:
    """The booth is known by name, with its first prices."""
    state, booth, forwarded = forwarding.finish(state, booth)
    state, booth, covered = selling.cover_waiting(state, _opened(booth, body))
    return state, booth, [*forwarded, *covered]


def change_booth(state: State, booth: Booth, body: BoothChanged, _event: Event) -> Change:
    """The booth has another name, or its festival another zone."""
    return state, replace(booth, name=body.name, zone=body.zone), []


def lose_stock(state: State, booth: Booth, body: BoothStockLost, _event: Event) -> Change:
    """Pieces of a lot were lost at the booth."""
    return state, _level(booths.lose_stock(booth, body.lot, body.qty), body.lot), []


def move_stock(state: State, booth: Booth, body: BoothStockMoved, event: Event) -> Change:
    """Pieces of a lot left for another booth."""
    return state, _level(booths.move_stock(booth, body, event.time), body.lot), []


def withdraw_lot(state: State, booth: Booth, body: LotWithdrawn, _event: Event) -> Change:
    """A lot was recalled."""
    return state, _level(booths.withdraw_lot(booth, body.lot, body.reason), body.lot), []


def reinstate_lot(state: State, booth: Booth, body: LotReinstated, _event: Event) -> Change:
    """The recall of a lot was lifted. Sales made meanwhile keep their mark."""
    return state, _level(booths.reinstate_lot(booth, body.lot), body.lot), []


def resolve(state: State, booth: Booth, body: DisputeResolved, _event: Event) -> Change:
    """The organiser decided on a sale in dispute."""
    return selling.resolve_dispute(state, booth, body)


def void_ordered(state: State, booth: Booth, body: VoidOrdered, _event: Event) -> Change:
    """The organiser voided pieces of a sale."""
    return selling.void_by_order(state, booth, body)


def change_prices(state: State, booth: Booth, body: PricesChanged, _event: Event) -> Change:
    """The booth sells by another price list from a moment on."""
    prices = tuple((price.product, price.price_rupiah) for price in body.prices)
    new = PriceList(body.revision, body.valid_from, prices)
    return state, replace(booth, price_lists=with_list(booth.price_lists, new)), []


def add_till(state: State, booth: Booth, body: TillAdded, _event: Event) -> Change:
    """The booth sells from one more till."""
    struck = tuple(till for till in booth.struck_tills if till != body.till)
    return state, replace(booth, tills=(*booth.tills, body.till), struck_tills=struck), []


def strike_till(state: State, booth: Booth, body: TillStruck, _event: Event) -> Change:
    """A till, a device or a branch of its records is no longer waited for."""
    return state, _struck(booth, body), []


def close(state: State, booth: Booth, body: BoothClosing, _event: Event) -> Change:
    """Nothing more comes to the booth."""
    booth, deadlines = closing.close(booth, body)
    return state, booth, deadlines


def reopen(state: State, booth: Booth, body: ReopeningRequested, event: Event) -> Change:
    """The organiser wants to sell again."""
    return reopening.request(state, booth, body, event)


def hear_hold(state: State, booth: Booth, body: ShareHoldAnswered, event: Event) -> Change:
    """A facility's settlement is held for the booth, or was issued."""
    return reopening.hear(state, booth, body, event)


def time_is_up(state: State, booth: Booth, body: DeadlineReached, _event: Event) -> Change:
    """The tills had until now."""
    return closing.reach_deadline(state, booth, body)


def _receive_device_record(
    booth: Booth, record: TillRecord, event: Event
) -> tuple[tuple[Device, ...], list[Publication]]:
    """The booth's devices after the record, and DeviceHeard for a new one."""
    # A device that closed before it heard that the booth sells again may sell on.
    closed = isinstance(record, TillClosed) and record.opening >= booth.opening
    last_seq = record.last_seq if isinstance(record, TillClosed) and closed else None
    devices, new = device.receive_record(booth.devices, record, event.known_as, last_seq)
    if new is None:
        return devices, []
    if record.device in booth.early_strikes:
        devices = device.strike(devices, record.till, record.device, None)
    return devices, [SALES.of(new)]


def _linked(outputs: list[Publication | Deadline]) -> list[Publication | Deadline]:
    """The outputs, with every change of a facility but its last marked as continued. Only together they are a sum."""
    if len(outputs) <= _MOST_WITH_ONE_SHARE:
        return outputs
    places: dict[str, list[int]] = {}
    for place, output in enumerate(outputs):
        if isinstance(output, Publication) and isinstance(output.body, SaleShared | PoolAdjusted):
            places.setdefault(output.body.facility, []).append(place)
    if all(len(of_facility) == 1 for of_facility in places.values()):
        return outputs
    linked = list(outputs)
    for of_facility in places.values():
        for place in of_facility[:-1]:
            change = linked[place]
            assert isinstance(change, Publication), "only publications have a place"
            linked[place] = Publication(change.topic, change.body.model_copy(update={"continued": True}))
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
        # Records that come from now on are this booth's own.
        forwarding=None if booth.status is BoothStatus.UNKNOWN else booth.forwarding,
    )


def _struck(booth: Booth, body: TillStruck) -> Booth:
    if body.device is not None and all(known_device.device != body.device for known_device in booth.devices):
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
    """The booth after its pools published the shares of unlabelled sales that changed."""
    publications: list[Publication] = []
    finals = {lot.lot: lot.final for lot in before.lots}
    recounted = {lot.product for lot in after.lots if lot.final != finals.get(lot.lot)}
    former = {shares.product: shares.final for shares in before.pools}
    recounted |= {shares.product for shares in after.pools if shares.final != former.get(shares.product)}
    for product in [shares.product for shares in after.pools]:
        after, published = pool.publish_adjustments(before, after, product, cause, recounted=product in recounted)
        publications += published
    return after, publications
