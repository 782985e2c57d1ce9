"""Lots: as production recorded them, as inventory balances them, as festivals see and hold them."""

from collections import Counter
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.festival.domain import Booth, Command, Request, Shipment, Transfer
from services.festival.domain.allocation.line import AllocationLine, LineStatus
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.command import CommandStatus
from services.festival.domain.logistics.shipment import DispatchStatus, ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.domain.stock import StockView
from services.inventory.domain import Lot
from services.inventory.domain.lot import Reservation, ReservationStatus
from services.production.domain import entities as production
from services.sales.domain.booth import Booth as SellingBooth

# What inventory must say of a line's reservation once all is quiet.
_STANDING = {
    LineStatus.RESERVED: ReservationStatus.HELD,
    LineStatus.DISPATCHED: ReservationStatus.DISPATCHED,
}
_UNANSWERED = frozenset({LineStatus.ASKED, LineStatus.RELEASING, LineStatus.DISPATCHING})
_ON_THE_WAY = frozenset({ShipmentStatus.SENDING, ShipmentStatus.SENT})


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about pieces in inventory's hands."""
    yield lot_balance(evidence)
    yield balances_said(evidence)
    yield lots_arrived(evidence)
    yield stock_views(evidence)
    yield reservations(evidence)
    yield reservations_answered(evidence)
    yield in_transit(evidence)
    yield home_and_lost(evidence)
    yield returns(evidence)
    yield recalls(evidence)


def lot_balance(evidence: Evidence) -> Check:
    check = Check(
        "lot balance",
        "recorded + corrected = on hand + reserved + dispatched − returned + written off, none below zero",
    )
    for lot in evidence.of(Lot).values():
        left = lot.recorded + lot.corrected
        right = lot.on_hand + lot.reserved + lot.dispatched - lot.returned + lot.written_off
        check.same(f"lot {lot.id}", left, right, "recorded and corrected, but the parts sum to")
        parts = {
            "on hand": lot.on_hand,
            "returned": lot.returned,
            "written off": lot.written_off,
            "recorded": lot.recorded,
            "still away": lot.dispatched - lot.returned,
        }
        for name, qty in parts.items():
            if qty < 0:
                check.wrong(f"lot {lot.id}: {qty} pieces {name}")
        if len({r.id for r in lot.reservations}) < len(lot.reservations):
            check.wrong(f"lot {lot.id} holds a reservation twice")
    return check


def balances_said(evidence: Evidence) -> Check:
    """What readers of the stream know must be what inventory knows."""
    check = Check("balances said", "the last StockChanged of each lot is inventory's balance")
    names = ("revision", "on_hand", "reserved", "dispatched", "returned", "written_off", "corrected", "recalled")
    for lot in evidence.of(Lot).values():
        said = evidence.heard.balances.get(lot.id)
        if said is None:
            check.expect(False, f"lot {lot.id}: no StockChanged was ever said")
            continue
        here = {name: getattr(lot, name) for name in names}
        check.same(f"lot {lot.id}", here, {name: said[name] for name in names}, "kept, but said was")
    return check


def lots_arrived(evidence: Evidence) -> Check:
    """A lot that production recorded is inventory's lot, with the same quantity, corrections and recall."""
    check = Check("lots arrived", "production's lots are inventory's lots, piece by piece")
    made, kept = evidence.of(production.Lot), evidence.of(Lot)
    for id in made.keys() | kept.keys():
        lot, there = made.get(id), kept.get(id)
        if lot is None or there is None:
            check.expect(False, f"lot {id} is known to {'inventory' if lot is None else 'production'} alone")
            continue
        check.same(
            f"lot {id}",
            (lot.facility, lot.product, lot.made_on, lot.best_before, lot.qty, lot.corrected, lot.recalled),
            (
                there.facility,
                there.product,
                there.made_on,
                there.best_before,
                there.recorded,
                there.corrected,
                there.recalled,
            ),
            "by production, by inventory",
        )
    return check


def stock_views(evidence: Evidence) -> Check:
    check = Check("stock views", "festival's view of each lot is inventory's balance")
    views = evidence.of(StockView)
    for lot in evidence.of(Lot).values():
        view = views.get(lot.id)
        seen = view and (view.revision, view.on_hand, view.recalled)
        check.same(f"lot {lot.id}", seen, (lot.revision, lot.on_hand, lot.recalled), "seen by festival, by inventory")
    for id in sorted(views.keys() - evidence.of(Lot).keys()):
        check.wrong(f"lot {id} is seen by festival, but inventory has none")
    return check


def reservations(evidence: Evidence) -> Check:
    """Every line of every request against what inventory holds for it."""
    check = Check(
        "reservations", "each line of a request is held, sent or released by inventory as festival believes"
    )
    held = dict(_reservations(evidence))
    for request, line in _lines(evidence):
        kept = held.pop(line.reservation, None)
        what = f"reservation {line.reservation} ({line.qty} of {line.lot} for {line.booth})"
        check.looked_at += 1
        if line.status in _UNANSWERED:
            check.wrong(f"{what} is {line.status.value}: inventory's answer is missing")
        elif kept is None:
            if line.status in _STANDING:
                check.wrong(f"{what} is {line.status.value}, but inventory has no such reservation")
        elif line.status in (LineStatus.PLANNED, LineStatus.REFUSED):
            check.wrong(f"{what} is {line.status.value}, but inventory has it as {kept[1].status.value}")
        else:
            lot, r = kept
            wanted = _STANDING.get(line.status, ReservationStatus.RELEASED)
            check.same(
                what,
                (line.lot, line.booth, line.qty, wanted.value, request.festival, request.name),
                (lot, r.booth, r.qty, r.status.value, r.festival, r.request),
                "by festival, by inventory",
            )
    for id, (lot, r) in sorted(held.items()):
        check.expect(False, f"inventory has {r.qty} of {lot} {r.status.value} for {id}, which is no line of festival")
    return check


def reservations_answered(evidence: Evidence) -> Check:
    """By what inventory said: a reservation is confirmed or refused once, and let go or sent at most once."""
    check = Check(
        "answers to orders", "each reservation was confirmed or refused once, then let go or sent at most once"
    )
    said = evidence.heard.said
    reserved, refused = said["StockReserved"], said["ReservationRefused"]
    gone = said["ReservationReleased"] + said["StockDispatched"]
    for id in reserved.keys() | refused.keys():
        check.same(f"reservation {id}", reserved[id] + refused[id], 1, "times answered, not")
    for id, times in gone.items():
        check.expect(
            times <= reserved[id],
            f"reservation {id} was let go or sent {times} times, confirmed {reserved[id]} times",
        )
    for id, (_, r) in _reservations(evidence):
        went = 0 if r.status is ReservationStatus.HELD else 1
        check.same(f"reservation {id}", (reserved[id], gone[id]), (1, went), "times said confirmed and gone, not")
    return check


def in_transit(evidence: Evidence) -> Check:
    """What left the facilities or other booths is on its way, at the booths or lost on the way."""
    check = Check(
        "sent", "sent and moved to a booth = on the way + received + lost on the way; moved away as transfers say"
    )
    sent: Counter[tuple[str, str]] = Counter()
    for _, (lot, r) in _reservations(evidence):
        if r.status is ReservationStatus.DISPATCHED:
            sent[r.booth, lot] += r.qty
    under_way: Counter[tuple[str, str]] = Counter()
    for shipment in evidence.of(Shipment).values():
        if shipment.status in _ON_THE_WAY:
            for parcel in shipment.parcels:
                if parcel.leg is DispatchStatus.LEFT:
                    under_way[shipment.booth, parcel.lot] += parcel.qty
                elif parcel.leg is DispatchStatus.ORDERED:
                    check.wrong(f"shipment {shipment.id}: the dispatch of {parcel.lot} was never answered")
    moved: Counter[tuple[str, str]] = Counter()
    for transfer in evidence.of(Transfer).values():
        for lot, qty in transfer.sent:
            moved[transfer.booth, lot] += qty
            sent[transfer.to, lot] += qty
            if transfer.status is TransferStatus.SENT:
                under_way[transfer.to, lot] += qty
    for booth, held in _held(evidence):
        pair, what = (booth.id, held.lot), f"lot {held.lot} for {booth.id}"
        check.same(f"lot {held.lot} of {booth.id}", moved.pop(pair, 0), held.moved_out, "in transfers, moved away")
        come = held.in_transit + held.received + held.lost_on_the_way
        check.same(what, sent.pop(pair, 0), come, "sent by inventory and other booths, by festival")
        check.same(what, under_way.pop(pair, 0), held.in_transit, "in shipments and transfers, on the way")
    for (booth_id, lot_id), qty in sorted((sent + under_way).items()):
        check.expect(False, f"{qty} of {lot_id} were sent to {booth_id}, which does not know of them")
    for (booth_id, lot_id), qty in sorted((+moved).items()):
        check.expect(False, f"{qty} of {lot_id} were moved away from {booth_id}, which does not know of them")
    return check


def home_and_lost(evidence: Evidence) -> Check:
    """What came home and what was lost at facilities, by festival's commands and by inventory."""
    check = Check(
        "home and lost", "returned and written off: the same by festival and by inventory; every command ended"
    )
    returned: Counter[str] = Counter()
    for booth, lot in _held(evidence):
        returned[lot.lot] += lot.returned
        check.expect(
            lot.returning == 0, f"lot {lot.lot}: {lot.returning} from {booth.id} are on their way home, unanswered"
        )
    lost: Counter[str] = Counter()
    for command in evidence.of(Command).values():
        check.expect(
            command.outcome is not CommandStatus.WAITING,
            f"command {command.id} ({command.name}) still waits for inventory",
        )
        if (
            (command.name, command.outcome) == ("RecordLoss", CommandStatus.DONE)
            and command.lot
            and not command.booth
        ):
            lost[command.lot] += command.qty
    for stock in evidence.of(Lot).values():
        check.same(
            f"lot {stock.id}",
            (returned[stock.id], lost[stock.id]),
            (stock.returned, stock.written_off),
            "returned and lost by festival, by inventory",
        )
    return check


def returns(evidence: Evidence) -> Check:
    """What is sold or moved can't come home: a bound for each product, since sales may be booked on another of its
    lots than people counted. Of one lot no more can than came. What a sale that was heard late took is a note: it was
    not known when people counted what came home."""
    check = Check("returns", "per booth: of a lot, come home ≤ received − moved away; of a product, ≤ that − sold")
    sold, least = _sold_by_product(evidence)
    home: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for place, held in _held(evidence):
        back, came = held.returned + held.returning, held.received - held.moved_out
        home[place.id, held.product] += back
        most[place.id, held.product] += came
        check.expect(
            back <= came,
            f"lot {held.lot}: {back} come home from {place.id}, where {came} can have been "
            f"({held.received} received, {held.moved_out} moved away)",
        )
    for product, back in sorted(home.items()):
        left = max(0, most[product] - least[product])
        check.expect(back <= left, f"{back} of {product[1]} come home from {product[0]}, where {left} can be left")
        late = back - max(0, most[product] - sold[product])
        if late > 0 and back <= left:
            check.notes.append(f"{late} of {product[1]} that came home from {product[0]} were heard later as sold")
    return check


def _sold_by_product(evidence: Evidence) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Pieces sold by booth and product: now, and the fewest that festival was ever told of since the booth was
    settled."""
    now: Counter[tuple[str, str]] = Counter()
    least: Counter[tuple[str, str]] = Counter()
    for booth in evidence.of(SellingBooth).values():
        products = {lot.lot: lot.product for lot in booth.lots}
        told = [{lot.lot: lot.sold for lot in booth.lots}, *evidence.heard.sold_told.get(booth.id, ())]
        sums: list[Counter[str]] = []
        for sold in told:
            by_product: Counter[str] = Counter()
            for lot, qty in sold.items():
                by_product[products.get(lot, "")] += qty
            sums.append(by_product)
        for product in set(products.values()):
            now[booth.id, product] = sums[0][product]
            least[booth.id, product] = min(by_product[product] for by_product in sums)
    return now, least


def recalls(evidence: Evidence) -> Check:
    """A recalled lot is promised to nobody, and withdrawn wherever it lies."""
    check = Check("recalls", "a recalled lot is held for nobody and withdrawn at every booth that has it")
    recalled = {lot.id for lot in evidence.of(Lot).values() if lot.recalled}
    recalled |= {lot.id for lot in evidence.of(production.Lot).values() if lot.recalled}
    for id, (lot, r) in _reservations(evidence):
        if lot in recalled:
            check.expect(
                r.status is not ReservationStatus.HELD, f"lot {lot} is recalled, but {r.qty} are held for {id}"
            )
    for _, line in _lines(evidence):
        if line.lot in recalled:
            check.expect(
                line.status is not LineStatus.RESERVED,
                f"lot {line.lot} is recalled, but reserved: {line.reservation}",
            )
    for booth, held in _held(evidence):
        if held.lot in recalled:
            check.expect(held.withdrawn is not None, f"lot {held.lot} is recalled, but not withdrawn at {booth.id}")
    return check


def _reservations(evidence: Evidence) -> Iterator[tuple[str, tuple[str, Reservation]]]:
    for lot in evidence.of(Lot).values():
        for reservation in lot.reservations:
            yield reservation.id, (lot.id, reservation)


def _lines(evidence: Evidence) -> Iterator[tuple[Request, AllocationLine]]:
    for request in evidence.of(Request).values():
        for line in request.lines:
            yield request, line


def _held(evidence: Evidence) -> Iterator[tuple[Booth, BoothLot]]:
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            yield booth, lot
