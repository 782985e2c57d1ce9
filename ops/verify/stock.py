"""Checks of lots: production's records, inventory's balances, festival's views and holdings."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from ops.verify.requests import whole_requests
from services.festival.domain import Booth, Command, Request, Shipment, Transfer
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.command import CommandStatus
from services.festival.domain.line import AllocationLine, LineStatus
from services.festival.domain.logistics.shipment import DispatchStatus, ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.domain.stock import StockView
from services.inventory.domain import Lot
from services.inventory.domain.lot import Reservation, ReservationStatus
from services.production.domain import entities as production
from services.sales.domain.booth import Booth as SellingBooth
from shared.wording import Message

# The state of a line's reservation in inventory at quiescence.
_STANDING = {
    LineStatus.RESERVED: ReservationStatus.HELD,
    LineStatus.DISPATCHED: ReservationStatus.DISPATCHED,
}
_UNANSWERED = frozenset({LineStatus.ASKED, LineStatus.RELEASING, LineStatus.DISPATCHING})
_ON_THE_WAY = frozenset({ShipmentStatus.SENDING, ShipmentStatus.SENT})


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of the pieces that inventory accounts for."""
    yield lot_balance(evidence)
    yield published_balances(evidence)
    yield lots_arrived(evidence)
    yield stock_views(evidence)
    yield reservations(evidence)
    yield reservations_answered(evidence)
    yield in_transit(evidence)
    yield counted_in(evidence)
    yield home_and_lost(evidence)
    yield returns(evidence)
    yield recalls(evidence)


def lot_balance(evidence: Evidence) -> Check:
    check = Check(
        "lot balance",
        "recorded + corrected = on hand + reserved + dispatched − returned + written off, none below zero",
    )
    for lot in evidence.of(Lot).values():
        received = lot.recorded + lot.corrected
        accounted = lot.on_hand + lot.reserved + lot.dispatched - lot.returned + lot.written_off
        check.expect_equal(
            received,
            accounted,
            "lot {lot}: {first} recorded and corrected, but the parts sum to {second}",
            lot=lot.id,
        )
        parts = {
            "on hand": lot.on_hand,
            "returned": lot.returned,
            "written off": lot.written_off,
            "recorded": lot.recorded,
            "still away": lot.away,
            "found": lot.found,
        }
        for name, qty in parts.items():
            if qty < 0:
                check.fail("lot {lot}: {qty:piece|pieces} {part:word}", lot=lot.id, qty=qty, part=name)
        if lot.withdrawn and received > lot.written_off:
            check.fail(
                "lot {lot} is withdrawn, but {remaining} of its reported pieces remain",
                lot=lot.id,
                remaining=received - lot.written_off,
            )
        if len({r.id for r in lot.reservations}) < len(lot.reservations):
            check.fail("lot {lot} holds a reservation twice", lot=lot.id)
    return check


def published_balances(evidence: Evidence) -> Check:
    """The last published balance of each lot is inventory's balance."""
    check = Check("balances said", "the last StockChanged of each lot is inventory's balance")
    names = (
        "revision",
        "on_hand",
        "reserved",
        "dispatched",
        "returned",
        "written_off",
        "corrected",
        "recalled",
        "found",
        "withdrawn",
    )
    for lot in evidence.of(Lot).values():
        published = evidence.published.balances.get(lot.id)
        if published is None:
            check.expect(False, "lot {lot}: no StockChanged was ever published", lot=lot.id)
            continue
        balance = {name: getattr(lot, name) for name in names}
        check.expect_equal(
            balance,
            {name: published[name] for name in names},
            "lot {lot}: {first} kept, but published was {second}",
            lot=lot.id,
        )
    return check


def lots_arrived(evidence: Evidence) -> Check:
    """A lot that production recorded is inventory's lot, with the same quantity, corrections and recall."""
    check = Check("lots arrived", "production's lots are inventory's lots, piece by piece")
    recorded, balanced = evidence.of(production.Lot), evidence.of(Lot)
    for id in recorded.keys() | balanced.keys():
        lot, stock_lot = recorded.get(id), balanced.get(id)
        if lot is None or stock_lot is None:
            check.expect(
                False,
                "lot {lot} is known to {service} alone",
                lot=id,
                service="inventory" if lot is None else "production",
            )
            continue
        check.expect_equal(
            (
                lot.facility,
                lot.product,
                lot.made_on,
                lot.best_before,
                lot.qty,
                lot.corrected,
                lot.recalled,
                lot.withdrawn,
            ),
            (
                stock_lot.facility,
                stock_lot.product,
                stock_lot.made_on,
                stock_lot.best_before,
                stock_lot.recorded,
                stock_lot.corrected,
                stock_lot.recalled,
                stock_lot.withdrawn,
            ),
            "lot {lot}: {first} by production, by inventory {second}",
            lot=id,
        )
    return check


def stock_views(evidence: Evidence) -> Check:
    check = Check("stock views", "festival's view of each lot is inventory's balance")
    views = evidence.of(StockView)
    for lot in evidence.of(Lot).values():
        view = views.get(lot.id)
        viewed = view and (view.revision, view.on_hand, view.recalled)
        check.expect_equal(
            viewed,
            (lot.revision, lot.on_hand, lot.recalled),
            "lot {lot}: {first} seen by festival, by inventory {second}",
            lot=lot.id,
        )
    for id in sorted(views.keys() - evidence.of(Lot).keys()):
        check.fail("lot {lot} is seen by festival, but inventory has none", lot=id)
    return check


def reservations(evidence: Evidence) -> Check:
    """Compare every line of every request with its reservation in inventory."""
    check = Check("reservations", "each line of a request is held, sent or released in inventory as in festival")
    remaining = dict(_reservations(evidence))
    for request, line in _lines(evidence):
        reservation_entry = remaining.pop(line.reservation, None)
        subject = Message(
            "reservation {reservation} ({qty} of {lot} for {booth})",
            reservation=line.reservation,
            qty=line.qty,
            lot=line.lot,
            booth=line.booth,
        )
        check.looked_at += 1
        if line.status in _UNANSWERED:
            check.fail(
                "{subject} is {status:word}: inventory's answer is missing", subject=subject, status=line.status.value
            )
        elif reservation_entry is None:
            if line.status in _STANDING:
                check.fail(
                    "{subject} is {status:word}, but inventory has no such reservation",
                    subject=subject,
                    status=line.status.value,
                )
        elif line.status in (LineStatus.PLANNED, LineStatus.REFUSED):
            check.fail(
                "{subject} is {status:word}, but inventory has it as {status2:word}",
                subject=subject,
                status=line.status.value,
                status2=reservation_entry[1].status.value,
            )
        else:
            lot, r = reservation_entry
            expected = _STANDING.get(line.status, ReservationStatus.RELEASED)
            check.expect_equal(
                (line.lot, line.booth, line.qty, expected.value, request.festival, request.name),
                (lot, r.booth, r.qty, r.status.value, r.festival, r.request),
                "{subject}: {first} by festival, by inventory {second}",
                subject=subject,
            )
    for id, (lot, r) in sorted(remaining.items()):
        check.expect(
            False,
            "inventory has {qty} of {lot} {status:word} for {reservation}, which is no line of festival",
            qty=r.qty,
            lot=lot,
            status=r.status.value,
            reservation=id,
        )
    return check


def reservations_answered(evidence: Evidence) -> Check:
    """By inventory's events, each reservation is confirmed or refused once, then released or sent at most once."""
    check = Check(
        "answers to orders", "each reservation was confirmed or refused once, then released or sent at most once"
    )
    answers = evidence.published.order_answers
    reserved, refused = answers["StockReserved"], answers["ReservationRefused"]
    ended = answers["ReservationReleased"] + answers["StockDispatched"]
    for id in reserved.keys() | refused.keys():
        check.expect_equal(
            reserved[id] + refused[id],
            1,
            "reservation {reservation}: {first} times answered, not {second}",
            reservation=id,
        )
    for id, times in ended.items():
        check.expect(
            times <= reserved[id],
            "reservation {reservation} was released or sent {times} times, confirmed {reserved} times",
            reservation=id,
            times=times,
            reserved=reserved[id],
        )
    for id, (_, r) in _reservations(evidence):
        expected_ends = 0 if r.status is ReservationStatus.HELD else 1
        check.expect_equal(
            (reserved[id], ended[id]),
            (1, expected_ends),
            "reservation {reservation}: {first} times confirmed and ended, not {second}",
            reservation=id,
        )
    return check


def in_transit(evidence: Evidence) -> Check:
    """Pieces sent to a booth are on the way, received, or lost on the way."""
    check = Check(
        "sent",
        "sent and moved to a booth + found there = on the way + received + lost on the way; moved away = transfers",
    )
    dispatched: Counter[tuple[str, str]] = Counter()
    for _, (lot, r) in _reservations(evidence):
        if r.status is ReservationStatus.DISPATCHED:
            dispatched[r.booth, lot] += r.qty
    under_way: Counter[tuple[str, str]] = Counter()
    for shipment in evidence.of(Shipment).values():
        if shipment.status in _ON_THE_WAY:
            for parcel in shipment.parcels:
                if parcel.leg is DispatchStatus.LEFT:
                    under_way[shipment.booth, parcel.lot] += parcel.qty
                elif parcel.leg is DispatchStatus.ORDERED:
                    check.fail(
                        "shipment {shipment}: the dispatch of {lot} was never answered",
                        shipment=shipment.id,
                        lot=parcel.lot,
                    )
    moved: Counter[tuple[str, str]] = Counter()
    for transfer in evidence.of(Transfer).values():
        for lot, qty in transfer.sent:
            moved[transfer.booth, lot] += qty
            dispatched[transfer.to, lot] += qty
            if transfer.status is TransferStatus.SENT:
                under_way[transfer.to, lot] += qty
    for booth, booth_lot in _booth_lots(evidence):
        pair, subject = (booth.id, booth_lot.lot), f"lot {booth_lot.lot} for {booth.id}"
        check.expect_equal(
            moved.pop(pair, 0),
            booth_lot.moved_out,
            "lot {lot} of {booth}: {first} in transfers, moved away {second}",
            lot=booth_lot.lot,
            booth=booth.id,
        )
        arrived_qty = booth_lot.in_transit + booth_lot.received + booth_lot.lost_on_the_way - booth_lot.found
        check.expect_equal(
            dispatched.pop(pair, 0),
            arrived_qty,
            "{subject}: {first} sent by inventory and other booths, by festival {second}",
            subject=subject,
        )
        check.expect_equal(
            under_way.pop(pair, 0),
            booth_lot.in_transit,
            "{subject}: {first} in shipments and transfers, on the way {second}",
            subject=subject,
        )
    for (booth_id, lot_id), qty in sorted((dispatched + under_way).items()):
        check.expect(
            False,
            "{qty} of {lot} were sent to {booth}, which does not know of them",
            qty=qty,
            lot=lot_id,
            booth=booth_id,
        )
    for (booth_id, lot_id), qty in sorted((+moved).items()):
        check.expect(
            False,
            "{qty} of {lot} were moved away from {booth}, which does not know of them",
            qty=qty,
            lot=lot_id,
            booth=booth_id,
        )
    return check


def counted_in(evidence: Evidence) -> Check:
    """A booth's pieces of a lot are those of its arrivals, as counted last, and inventory knows what was found."""
    check = Check(
        "counted in",
        "received, lost and found of each lot at a booth = its shipments and transfers; found: as in inventory",
    )
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for booth_id, sent_lots, stocked in _arrivals(evidence):
        for lot in sent_lots.keys() | stocked.keys():
            difference = stocked.get(lot, 0) - sent_lots.get(lot, 0)
            sums[booth_id, lot] += Counter(
                received=stocked.get(lot, 0), lost=max(0, -difference), found=max(0, difference)
            )
    finds = {
        (find.booth, lot.id): (find.festival, find.qty) for lot in evidence.of(Lot).values() for find in lot.finds
    }
    for booth, booth_lot in _booth_lots(evidence):
        pair, subject = (booth.id, booth_lot.lot), f"lot {booth_lot.lot} at {booth.id}"
        counted = sums.pop(pair, Counter())
        check.expect_equal(
            (booth_lot.received, booth_lot.lost_on_the_way, booth_lot.found),
            (counted["received"], counted["lost"], counted["found"]),
            "{subject}: {first} received, lost and found, but its shipments and transfers sum to {second}",
            subject=subject,
        )
        expectation = finds.pop(pair, (booth.festival, 0))
        check.expect_equal(
            (booth.festival, booth_lot.found),
            expectation,
            "{subject}: {first} found by festival, by inventory {second}",
            subject=subject,
        )
    for (booth_id, lot_id), counted in sorted(sums.items()):
        check.expect(
            not counted.total(),
            "{received} of {lot} were counted at {booth}, which has no such lot",
            received=counted["received"],
            lot=lot_id,
            booth=booth_id,
        )
    for (booth_id, lot_id), (_, qty) in sorted(finds.items()):
        check.expect(
            False,
            "inventory knows of {qty} of {lot} found at {booth}, which does not",
            qty=qty,
            lot=lot_id,
            booth=booth_id,
        )
    return check


def home_and_lost(evidence: Evidence) -> Check:
    """Pieces returned home and lost at facilities are the same in festival and in inventory."""
    check = Check(
        "home and lost", "returned and written off: the same in festival and in inventory; every command ended"
    )
    returned: Counter[str] = Counter()
    for booth, booth_lot in _booth_lots(evidence):
        returned[booth_lot.lot] += booth_lot.returned
        check.expect(
            booth_lot.returning == 0,
            "lot {lot}: {returning} from {booth} are on their way home, unanswered",
            lot=booth_lot.lot,
            returning=booth_lot.returning,
            booth=booth.id,
        )
    lost: Counter[str] = Counter()
    for command in evidence.of(Command).values():
        check.expect(
            command.outcome is not CommandStatus.WAITING,
            "command {command} ({name}) still waits for inventory",
            command=command.id,
            name=command.name,
        )
        if (
            (command.name, command.outcome) == ("RecordLoss", CommandStatus.DONE)
            and command.lot
            and not command.booth
        ):
            lost[command.lot] += command.qty
    for stock in evidence.of(Lot).values():
        check.expect_equal(
            (returned[stock.id], lost[stock.id]),
            (stock.returned, stock.written_off),
            "lot {lot}: {first} returned and lost by festival, by inventory {second}",
            lot=stock.id,
        )
    return check


def returns(evidence: Evidence) -> Check:
    """Returned pieces are bounded: sold or moved pieces can't come home. The bound of sales is per product, since a
    sale may be booked on another lot of the product. A sale that arrived after the count of returns gives a note."""
    check = Check("returns", "per booth: of a lot, come home ≤ received − moved away; of a product, ≤ that − sold")
    sold, least = _sold_by_product(evidence)
    home: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for place, booth_lot in _booth_lots(evidence):
        returned, available = booth_lot.returned + booth_lot.returning, booth_lot.received - booth_lot.moved_out
        home[place.id, booth_lot.product] += returned
        most[place.id, booth_lot.product] += available
        check.expect(
            returned <= available,
            "lot {lot}: {returned} come home from {booth}, where {available} can have been "
            "({received} received, {moved_out} moved away)",
            lot=booth_lot.lot,
            returned=returned,
            booth=place.id,
            available=available,
            received=booth_lot.received,
            moved_out=booth_lot.moved_out,
        )
    for product, returned in sorted(home.items()):
        remaining = max(0, most[product] - least[product])
        check.expect(
            returned <= remaining,
            "{returned} of {product} come home from {booth}, where {remaining} can be left",
            returned=returned,
            product=product[1],
            booth=product[0],
            remaining=remaining,
        )
        late = returned - max(0, most[product] - sold[product])
        if late > 0 and returned <= remaining:
            check.note(
                "{late} of {product} that came home from {booth} were heard later as sold",
                late=late,
                product=product[1],
                booth=product[0],
            )
    return check


def _sold_by_product(evidence: Evidence) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Pieces sold by booth and product: the present number, and the least number ever published after settlement."""
    now: Counter[tuple[str, str]] = Counter()
    least: Counter[tuple[str, str]] = Counter()
    for booth in evidence.of(SellingBooth).values():
        products = {lot.lot: lot.product for lot in booth.lots}
        histories = [{lot.lot: lot.sold for lot in booth.lots}, *evidence.published.sold_history.get(booth.id, ())]
        sums: list[Counter[str]] = []
        for sold in histories:
            by_product: Counter[str] = Counter()
            for lot, qty in sold.items():
                by_product[products.get(lot, "")] += qty
            sums.append(by_product)
        for product in set(products.values()):
            now[booth.id, product] = sums[0][product]
            least[booth.id, product] = min(by_product[product] for by_product in sums)
    return now, least


def recalls(evidence: Evidence) -> Check:
    """A recalled lot is never held or reserved, and is withdrawn at every booth. No other lot is."""
    check = Check("recalls", "a recalled lot is never held, and is withdrawn at every booth that has it; no other is")
    recalled = {lot.id for lot in evidence.of(Lot).values() if lot.recalled}
    recalled |= {lot.id for lot in evidence.of(production.Lot).values() if lot.recalled}
    for id, (lot, r) in _reservations(evidence):
        if lot in recalled:
            check.expect(
                r.status is not ReservationStatus.HELD,
                "lot {lot} is recalled, but {qty} are held for {reservation}",
                lot=lot,
                qty=r.qty,
                reservation=id,
            )
    for _, line in _lines(evidence):
        if line.lot in recalled:
            check.expect(
                line.status is not LineStatus.RESERVED,
                "lot {lot} is recalled, but reserved: {reservation}",
                lot=line.lot,
                reservation=line.reservation,
            )
    for booth, booth_lot in _booth_lots(evidence):
        if booth_lot.lot in recalled:
            check.expect(
                booth_lot.withdrawn is not None,
                "lot {lot} is recalled, but not withdrawn at {booth}",
                lot=booth_lot.lot,
                booth=booth.id,
            )
        else:
            check.expect(
                booth_lot.withdrawn is None,
                "lot {lot} is not recalled, but withdrawn at {booth}",
                lot=booth_lot.lot,
                booth=booth.id,
            )
    return check


def _reservations(evidence: Evidence) -> Iterator[tuple[str, tuple[str, Reservation]]]:
    for lot in evidence.of(Lot).values():
        for reservation in lot.reservations:
            yield reservation.id, (lot.id, reservation)


def _lines(evidence: Evidence) -> Iterator[tuple[Request, AllocationLine]]:
    for request in whole_requests(evidence):
        for line in request.lines.loaded:
            yield request, line


def _arrivals(evidence: Evidence) -> Iterator[tuple[str, Mapping[str, int], Mapping[str, int]]]:
    """The booth, and the pieces sent and stocked by lot, of each shipment and transfer that was received."""
    for shipment in evidence.of(Shipment).values():
        if shipment.status is ShipmentStatus.RECEIVED:
            yield shipment.booth, shipment.lots, dict(shipment.stocked)
    for transfer in evidence.of(Transfer).values():
        if transfer.status is TransferStatus.RECEIVED:
            yield transfer.to, dict(transfer.sent), dict(transfer.stocked)


def _booth_lots(evidence: Evidence) -> Iterator[tuple[Booth, BoothLot]]:
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            yield booth, lot
