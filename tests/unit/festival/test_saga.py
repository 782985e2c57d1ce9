"""The life of a request in any order of delivery: no effect twice, no piece lost, every wait ended."""

from collections import Counter
from collections.abc import Callable
from datetime import date

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.festival.domain import Booth, Command, Festival, Request, Shipment
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.line import COUNTED, OPEN, LineStatus, pieces
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.inventory.domain.lot import ReservationStatus
from shared.events.festival import (
    AllocationConfirmed,
    AllocationFellShort,
    AllocationRevised,
    CancelFestival,
    CloseFestival,
    CountedLot,
    DisputeOutcome,
    DisputeResolved,
    FestivalClosed,
    LossPlace,
    ReceiveShipment,
    RecordLoss,
    ReopenBooth,
    ReopeningRequested,
    ResolveDispute,
    RevisionRequested,
)
from shared.events.language import Body
from shared.events.sales import (
    ReopeningGranted,
    ReopeningRefused,
    ResolutionRefusal,
    ResolutionRefused,
    SellThroughCounted,
    SoldThrough,
)
from tests.support.builders.festival import (
    LAST_DAY,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_closing,
    a_request,
    a_return,
    a_revision,
    a_shipment,
    an_accept,
    an_announcement,
    kinds,
)
from tests.support.examples import scaled

FESTIVALS = (ODOP, "PKB")
PRODUCTS = ("KTI", "KUE")
FACILITIES = ("LP-AAA", "LP-BBB", "LP-CCC")

festivals = st.sampled_from(FESTIVALS)
numbers = st.sampled_from(["B1", "B2"])
products = st.sampled_from(PRODUCTS)


def full_receipt(shipment: Shipment) -> ReceiveShipment:
    """The receipt of a shipment that arrived in full."""
    counted = tuple(CountedLot(lot=lot, qty=qty) for lot, qty in shipment.lots.items())
    return ReceiveShipment(festival=shipment.festival, shipment=shipment.name, booth=shipment.booth, counted=counted)


def check_given_back(before: Request, after: Request, without: set[str]) -> None:
    """A revision gives back only lines that their facility can't send or their booth can't take."""
    revision = after.revision
    assert revision is not None
    back = {line.reservation for line in revision.back}
    for former, line in zip(before.lines, after.lines, strict=False):
        unsent = former.status in (LineStatus.RESERVED, LineStatus.PLANNED)
        must_go = unsent and (former.booth in before.closed or former.facility in without)
        assert (line.reservation in back) == must_go
        if must_go and revision.carried_out:
            assert line.status in (LineStatus.RELEASING, LineStatus.RELEASED)
        elif former.status is LineStatus.PROPOSED:
            assert line.status is LineStatus.RELEASED
        elif line.status is not former.status:
            assert (former.status, line.status) == (LineStatus.PLANNED, LineStatus.ASKED)
    added = after.lines[len(before.lines) :]
    assert [line.reservation for line in added] == list(revision.added)
    assert not any(line.facility in without or line.booth in before.closed for line in added)


class Saga(RuleBasedStateMachine):
    """Two festivals ask for the same lots, and a third party takes some. Queues are emptied in any order."""

    @initialize(data=st.data(), lots=st.integers(1, 6), begun=st.booleans())
    def start(self, data: st.DataObject, lots: int, begun: bool) -> None:
        self.world = FestivalWorld()
        self.steps = 0
        for festival in FESTIVALS:
            self.world.give(an_announcement(festival))
            for number in ("B1", "B2"):
                self.world.give(a_booth(f"{festival}.{number}", *PRODUCTS))
        for _ in range(lots):
            self.make(
                data.draw(st.sampled_from(FACILITIES)), data.draw(products), data.draw(st.integers(1, 15)), None
            )
        if begun:
            self.steps = 10
            for festival in FESTIVALS:
                self.world.give(
                    a_request(*((f"{festival}.{b}", p, 4) for b in ("B1", "B2") for p in PRODUCTS), festival=festival)
                )
            self.world.settle()
            for nth, (request, facility, booth) in enumerate(self.to_send()):
                self.world.give(a_shipment(f"begun{nth}", facility, booth, request=request))
            self.world.settle()
            for shipment in self.world.all(Shipment):
                self.world.give(full_receipt(shipment))

    # organisers

    @rule(
        festival=festivals,
        asked=st.dictionaries(st.tuples(numbers, products), st.integers(1, 12), min_size=1, max_size=4),
        consent=st.sampled_from([True, True, False]),
        percent=st.sampled_from([None, None, 1, 30]),
    )
    def request(self, festival: str, asked: dict[tuple[str, str], int], consent: bool, percent: int | None) -> None:
        name = f"R{sum(request.festival == festival for request in self.world.all(Request)) % 5}"
        demands = [(f"{festival}.{number}", product, qty) for (number, product), qty in asked.items()]
        body = a_request(*demands, request=name, festival=festival, consent=consent, revise_at_percent=percent)
        self.world.give(body)

    @precondition(lambda self: self.to_accept())
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.to_accept()))
        self.world.give(an_accept(request.name, request.festival))

    @precondition(lambda self: self.world.all(Request))
    @rule(data=st.data(), without=st.sets(st.sampled_from(FACILITIES), max_size=2), consent=st.booleans())
    def revise(self, data: st.DataObject, without: set[str], consent: bool) -> None:
        request = data.draw(st.sampled_from(self.world.all(Request)))
        self.world.give(
            a_revision(*sorted(without), request=request.name, festival=request.festival, consent=consent)
        )

    @precondition(lambda self: self.steps > 12)
    @rule(festival=festivals, number=numbers)
    def close_booth(self, festival: str, number: str) -> None:
        self.world.give(a_booth_closing(f"{festival}.{number}"))

    @precondition(lambda self: self.to_send())
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        request, facility, booth = data.draw(st.sampled_from(self.to_send()))
        self.world.give(a_shipment(f"S{len(self.world.all(Shipment))}", facility, booth, request=request))

    @precondition(lambda self: self.world.all(Shipment))
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        shipment = data.draw(st.sampled_from(self.world.all(Shipment)))
        counted = tuple(
            CountedLot(lot=lot, qty=max(0, qty + data.draw(st.sampled_from([0, 0, -1, -3, 2]))))
            for lot, qty in shipment.lots.items()
            if data.draw(st.sampled_from([True, True, True, False]))
        )
        self.world.give(
            ReceiveShipment(festival=shipment.festival, shipment=shipment.name, booth=shipment.booth, counted=counted)
        )

    @precondition(lambda self: self.steps > 15)
    @rule(festival=festivals, order=st.sampled_from([CloseFestival, CloseFestival, CancelFestival]))
    def end(self, festival: str, order: type[CloseFestival] | type[CancelFestival]) -> None:
        self.world.give(order(festival=festival))

    @precondition(lambda self: self.held())
    @rule(data=st.data(), qty=st.integers(0, 5), final=st.booleans())
    def bring_home(self, data: st.DataObject, qty: int, final: bool) -> None:
        booth, lot = data.draw(st.sampled_from(self.held()))
        self.world.give(a_return(lot, qty, booth, final=final))

    @precondition(lambda self: self.held())
    @rule(data=st.data(), qty=st.integers(1, 4), place=st.sampled_from(LossPlace))
    def lose(self, data: st.DataObject, qty: int, place: LossPlace) -> None:
        booth, lot = data.draw(st.sampled_from(self.held()))
        festival = booth.partition(".")[0]
        self.world.give(RecordLoss(festival=festival, lot=lot, place=place, booth=booth, qty=qty))

    @rule(festival=festivals, number=numbers, name=st.sampled_from(["R0", "S0", "none"]))
    def clumsy(self, festival: str, number: str, name: str) -> None:
        """Commands that are mostly wrong."""
        booth = f"{festival}.{number}"
        self.world.give(an_accept(name, festival))
        self.world.give(a_shipment(name, "LP-AAA", booth, request=name))
        self.world.give(a_return("L0", 1, booth))
        self.world.give(RecordLoss(festival=festival, lot="L0", place=LossPlace.FACILITY, qty=2))
        self.world.give(ResolveDispute(festival=festival, booth=booth, sale="d1", outcome=DisputeOutcome.ACCEPTED))

    # stock

    @rule(
        facility=st.sampled_from(FACILITIES),
        product=products,
        qty=st.integers(1, 15),
        best_before=st.sampled_from([None, None, LAST_DAY, date(2023, 6, 1)]),
    )
    def make(self, facility: str, product: str, qty: int, best_before: date | None) -> None:
        self.world.make(f"L{len(self.world.lots)}", qty, facility, product, best_before=best_before)

    @rule(data=st.data(), qty=st.integers(1, 9))
    def somebody_else_takes(self, data: st.DataObject, qty: int) -> None:
        self.world.take(data.draw(st.sampled_from(sorted(self.world.lots))), qty)

    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        self.world.recall(data.draw(st.sampled_from(sorted(self.world.lots))))

    @rule(data=st.data())
    def lift_recall(self, data: st.DataObject) -> None:
        self.world.lift_recall(data.draw(st.sampled_from(sorted(self.world.lots))))

    # deliveries in any order

    @precondition(lambda self: self.world.wishes)
    @rule()
    def festival_hears_itself(self) -> None:
        wish = self.world.wishes[0]
        assert isinstance(wish, RevisionRequested)
        before = {request.id: request for request in self.world.all(Request)}
        bodies = self.world.hear_itself()
        revised = any(isinstance(body, AllocationRevised) for body in bodies)
        for request in self.world.all(Request):
            if revised and request.id == f"{wish.key}/{wish.request}":
                check_given_back(before[request.id], request, set(wish.without))
            else:
                assert request.lines == before[request.id].lines

    @precondition(lambda self: any(self.world.orders.values()))
    @rule(data=st.data(), most=st.integers(1, 8))
    def inventory_works(self, data: st.DataObject, most: int) -> None:
        for _ in range(most):
            waiting = sorted(lot for lot, orders in self.world.orders.items() if orders)
            if waiting:
                self.world.carry_out(data.draw(st.sampled_from(waiting)))

    @precondition(lambda self: any(self.world.answers.values()))
    @rule(data=st.data(), most=st.integers(1, 8))
    def festival_hears(self, data: st.DataObject, most: int) -> None:
        for _ in range(most):
            waiting = sorted(lot for lot, answers in self.world.answers.items() if answers)
            if waiting:
                self.world.hear(data.draw(st.sampled_from(waiting)))

    @precondition(lambda self: any(self.world.balances.values()))
    @rule(data=st.data())
    def festival_sees(self, data: st.DataObject) -> None:
        self.world.see(data.draw(st.sampled_from(sorted(self.world.lots))))

    @rule()
    def all_arrives(self) -> None:
        self.world.settle()

    @precondition(lambda self: self.steps > 10 and self.world.deadlines)
    @rule(data=st.data())
    def deadline(self, data: st.DataObject) -> None:
        self.world.fire(data.draw(st.sampled_from(sorted(self.world.deadlines))))

    @precondition(lambda self: self.closing())
    @rule(data=st.data(), revision=st.integers(1, 4))
    def sales_count(self, data: st.DataObject, revision: int) -> None:
        booth = data.draw(st.sampled_from(self.closing()))
        self.world.give(self.sell_through(booth, revision, lambda most: data.draw(st.integers(0, most))))

    @precondition(lambda self: self.steps > 15 and self.closing())
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        booth = data.draw(st.sampled_from(self.closing()))
        self.world.give(ReopenBooth(festival=booth.festival, booth=booth.id))

    @precondition(lambda self: self.world.asked_of_sales)
    @rule(granted=st.booleans())
    def sales_answers(self, granted: bool) -> None:
        self.answer(self.world, self.world.asked_of_sales.popleft(), granted)

    @staticmethod
    def answer(world: FestivalWorld, body: Body, granted: bool) -> None:
        if isinstance(body, ReopeningRequested):
            answer = {"festival": body.festival, "booth": body.booth, "order": body.order}
            lots = {lot.lot: lot for lot in world.one(Booth, body.booth).lots}
            for home in body.home:
                assert home.qty == lots[home.lot].returned - lots[home.lot].returned_before > 0
            world.give(
                ReopeningGranted(opening=body.opening, **answer)
                if granted
                else ReopeningRefused(facility="LP-AAA", **answer)
            )
        else:
            assert isinstance(body, DisputeResolved)
            assert body.order is not None
            world.give(
                ResolutionRefused(
                    festival=body.booth.partition(".")[0],
                    booth=body.booth,
                    order=body.order,
                    sale=body.sale,
                    reason=ResolutionRefusal.UNKNOWN_SALE,
                )
            )

    @staticmethod
    def sell_through(booth: Booth, revision: int, sold: Callable[[int], int]) -> SellThroughCounted:
        lots = tuple(
            SoldThrough(lot=lot.lot, stocked=lot.received, sold=sold(lot.received), lost=0, unsold=0, counted=None)
            for lot in booth.lots
        )
        return SellThroughCounted(
            festival=booth.festival, booth=booth.id, revision=revision, lots=lots, disputed=("d1",)
        )

    # choices

    def requests(self, status: RequestStatus) -> list[Request]:
        return [request for request in self.world.all(Request) if request.status is status]

    def to_accept(self) -> list[Request]:
        waiting = [request for request in self.world.all(Request) if request.pending_revision is not None]
        return self.requests(RequestStatus.PROPOSED) + waiting

    def to_send(self) -> list[tuple[str, str, str]]:
        return sorted(
            {
                (request.name, line.facility, line.booth)
                for request in self.world.all(Request)
                for line in request.lines
                if line.status is LineStatus.RESERVED
            }
        )

    def closing(self) -> list[Booth]:
        return [booth for booth in self.world.all(Booth) if booth.status is not BoothStatus.OPEN]

    def held(self) -> list[tuple[str, str]]:
        return [(booth.id, lot.lot) for booth in self.world.all(Booth) for lot in booth.lots if lot.received]

    # invariants

    @invariant()
    def time_goes_on(self) -> None:
        self.steps += 1

    @invariant()
    def lines_cover_no_more_than_was_asked(self) -> None:
        for request in self.world.all(Request):
            covered: Counter[tuple[str, str]] = Counter()
            for line in request.lines:
                if line.status in COUNTED:
                    covered[line.booth, line.product] += line.qty - line.lost
            requested = {(want.booth, want.product): want.qty for want in request.demands}
            assert all(qty <= requested[pair] for pair, qty in covered.items())
            assert (request.status is RequestStatus.RESERVING) <= any(line.status in OPEN for line in request.lines)
            assert (request.status is RequestStatus.PROPOSED) <= all(
                line.status in (LineStatus.PLANNED, LineStatus.RELEASED) for line in request.lines
            )

    @invariant()
    def every_booth_adds_up(self) -> None:
        lines = [line for request in self.world.all(Request) for line in request.lines]
        for booth in self.world.all(Booth):
            for lot in booth.lots:
                remaining = sum(
                    line.qty
                    for line in lines
                    if (line.booth, line.lot, line.status) == (booth.id, lot.lot, LineStatus.DISPATCHED)
                )
                assert remaining == lot.in_transit + lot.received + lot.lost_on_the_way
                assert min(lot.in_transit, lot.received, lot.lost_on_the_way, lot.returning, lot.returned) >= 0
            for account in booth.accounts().values():
                assert account.received + account.surplus - account.misbooked == (
                    account.sold + account.lost + account.returned + account.returning + account.left
                )
                assert min(account.left, account.surplus) == 0

    @invariant()
    def a_closed_festival_is_accounted_for(self) -> None:
        for festival in self.world.all(Festival):
            booths = [booth for booth in self.world.all(Booth) if booth.festival == festival.id]
            if festival.status in (FestivalStatus.CLOSED, FestivalStatus.CLOSING):
                is_accounted = all(booth.accounted for booth in booths)
                assert (festival.status is FestivalStatus.CLOSED) == is_accounted
            closings = [body for body in self.world.bodies(FestivalClosed) if body.festival == festival.id]
            assert [closing.revision for closing in closings] == list(range(1, len(closings) + 1))
            for closing in closings:
                assert closing.received + closing.surplus == closing.sold + closing.returned + closing.lost

    # the end: every event arrives, and the state agrees with inventory

    def teardown(self) -> None:
        world = getattr(self, "world", None)
        if world is None:
            return
        while world.asked_of_sales:
            self.answer(world, world.asked_of_sales.popleft(), granted=True)
        assert all(booth.reopening is None for booth in world.all(Booth))
        world.settle()
        for shipment in world.all(Shipment):
            assert shipment.status is not ShipmentStatus.SENDING
        self.check_against_inventory(world)
        while world.deadlines:
            world.fire(min(world.deadlines))
            world.settle()
        self.check_against_inventory(world)
        self.everything_was_answered(world)
        self.festivals_can_be_closed(world)

    @staticmethod
    def check_against_inventory(world: FestivalWorld) -> None:
        lines = {line.reservation: line for request in world.all(Request) for line in request.lines}
        reservations = [r for lot in world.lots.values() for r in lot.reservations if r.festival in FESTIVALS]
        assert len({r.id for r in reservations}) == len(reservations)
        expected = {
            LineStatus.RESERVED: ReservationStatus.HELD,
            LineStatus.RELEASED: ReservationStatus.RELEASED,
            LineStatus.DISPATCHED: ReservationStatus.DISPATCHED,
        }
        for reservation in reservations:
            assert expected[lines[reservation.id].status] is reservation.status
            assert lines[reservation.id].qty == reservation.qty
        for id, line in lines.items():
            if line.status in (LineStatus.RESERVED, LineStatus.DISPATCHED):
                assert any(reservation.id == id for reservation in reservations)
        for lot in world.lots.values():
            at_booths = [
                booth_lot for booth in world.all(Booth) for booth_lot in booth.lots if booth_lot.lot == lot.id
            ]
            dispatched = sum(
                booth_lot.in_transit + booth_lot.received + booth_lot.lost_on_the_way for booth_lot in at_booths
            )
            assert dispatched == lot.dispatched
            assert sum(booth_lot.returned for booth_lot in at_booths) == lot.returned
            assert all(booth_lot.returning == 0 for booth_lot in at_booths)
            assert all((booth_lot.withdrawn is not None) == lot.recalled for booth_lot in at_booths)

    @staticmethod
    def everything_was_answered(world: FestivalWorld) -> None:
        assert all(command.outcome is not CommandStatus.WAITING for command in world.all(Command))
        for request in world.all(Request):
            assert request.status is not RequestStatus.RESERVING
            answers = [
                body
                for body in world.published
                if isinstance(body, AllocationConfirmed | AllocationFellShort)
                and (body.festival, body.request) == (request.festival, request.name)
            ]
            if request.status is not RequestStatus.SETTLED:
                assert not answers
                continue
            sent = [line for line in request.lines if line.status is LineStatus.DISPATCHED]
            reserved = [body.reserved for body in answers]
            # Pieces lost after the last answer are in none.
            most, least = sum(line.qty for line in sent), pieces(sent)
            assert least <= reserved[-1] <= most, "after every deadline, what is held has been sent"
            revisions = [(body.festival, body.request) for body in world.bodies(AllocationRevised)]
            if (request.festival, request.name) not in revisions:
                assert sorted(set(reserved), reverse=True) == reserved, (
                    "published once, and again only for fewer pieces"
                )
            assert not request.revising
            requested = sum(want.qty for want in request.demands)
            for body in answers:
                short = body.short if isinstance(body, AllocationFellShort) else 0
                assert body.reserved + short == requested

    def festivals_can_be_closed(self, world: FestivalWorld) -> None:
        for shipment in world.all(Shipment):
            if shipment.status is ShipmentStatus.SENT:
                world.give(full_receipt(shipment))
        for festival in FESTIVALS:
            world.give(a_closing(festival))
        for booth in world.all(Booth):
            if booth.status is not BoothStatus.OPEN:
                world.give(self.sell_through(booth, 9, lambda most: most // 2))
        for booth in world.all(Booth):
            accounts = booth.accounts()
            for lot in booth.lots:
                assert booth.status is BoothStatus.SETTLED
                bodies = world.give(a_return(lot.lot, accounts[lot.lot].left, booth.id, final=True))
                assert "CommandRefused" not in kinds(bodies), "all that is left can come home"
        world.settle()
        self.check_against_inventory(world)
        for festival in world.all(Festival):
            assert festival.status in (FestivalStatus.CLOSED, FestivalStatus.CANCELLED)


Saga.TestCase.settings = settings(
    max_examples=scaled(80), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSaga = Saga.TestCase
