"""All four services on one Kafka: terminals, organisers and tills say what they like, and everything adds up.

What the services say to each other is what they really say, as late, as often and in as odd an order as Kafka may
bring it. At the end people finish the festival, and what holds across the services' databases is checked.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import BoothSales, Command, Festival, Replenishment, Request, Shipment, Transfer
from services.festival.domain.allocation.lines import Lines, StoredLines
from services.festival.domain.allocation.request import PlanTerms, RequestStatus, shortfalls
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.line import COUNTED, LineStatus
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.handlers import PROCESSORS as FESTIVAL_PROCESSORS
from services.inventory.domain import Lot
from services.inventory.domain.lot import ReservationStatus
from services.inventory.handlers import PROCESSORS as INVENTORY_PROCESSORS
from services.production.domain.entities import Lot as MadeLot
from services.production.handlers import PROCESSORS as PRODUCTION_PROCESSORS
from services.sales.domain import Booth
from services.sales.domain.booth import BoothStatus as SalesStatus
from services.sales.handlers import PROCESSORS as SALES_PROCESSORS
from shared.events.catalogue import ENTRY_COMMANDS
from shared.events.festival import FESTIVAL as FESTIVAL_TOPIC
from shared.events.festival import (
    ORGANISER,
    AcceptPlan,
    AnnounceFestival,
    CancelFestival,
    CloseBooth,
    CloseFestival,
    CommandRefused,
    CountedLot,
    Demand,
    DisputeOutcome,
    LossPlace,
    MergeBooths,
    MoveStray,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    RecountReturn,
    RecountShipment,
    RecountTransfer,
    ReopenBooth,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    SendShipment,
    SendTransfer,
    ShipmentReceived,
    ShipmentRecounted,
)
from shared.events.language import Body
from shared.events.production import (
    TERMINAL,
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    WithdrawReport,
)
from shared.events.sales import (
    BOOTH_REPORTS,
    SALES,
    TILL,
    BoothCounted,
    BoothReopened,
    LotCount,
    Payment,
    PaymentKind,
    ProductCount,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    SellThroughSoFar,
    TillClosed,
    VoidedLine,
)
from tests.support.builders.production import seed_commands
from tests.support.examples import examples
from tests.support.invariants import inventory as of_inventory
from tests.support.invariants import production as of_production
from tests.support.invariants import sales as of_sales
from tests.support.machine import Machine, one_of, until, which
from tests.support.requests import whole_requests
from tests.support.shell import NOON, ServiceShell

FESTIVAL = "ODOP"
BOOTHS = ("ODOP.B1", "ODOP.B2")
PRODUCTS = ("KTI", "SVR", "KRJ")
MAKERS = {"PR-KPG": ("KTI", "SVR"), "LP-KPG": ("KRJ",), "RT-KPG": ("SVR",)}
PRICE = 333
# A till is set up for a booth that no festival opens.
STRAY = "odop.b1"
booths = st.sampled_from(BOOTHS)
products = st.sampled_from(PRODUCTS)
few = st.integers(1, 6)
wanted = st.tuples(booths, products, st.integers(1, 15))
demands = st.lists(wanted, min_size=1, max_size=5, unique_by=lambda demand: demand[:2])
# Which lot, pieces, with a label or not, price, and (not 0) which sale is voided instead.
RungUp: TypeAlias = tuple[int, int, bool, int, int]
rung_up: st.SearchStrategy[RungUp] = st.tuples(
    which, st.integers(1, 3), st.booleans(), st.sampled_from([0, 1, PRICE]), st.sampled_from([0, 0, 0, 1, 2])
)


DOINGS = ("make", "accept", "send", "send", "receive", "receive", "move", "move", "take in", "refill", "bring home")
FOR_A_REASON = (
    *("correct", "recall", "withdraw", "lose", "resolve", "revise", "revise", "close booth", "merge", "move stray"),
)
COUNTED_WRONG = ("recount", "recount", "recount return")
AT_TILLS = ("sell astray", "count", "close till", "come online", "come online", "close", "reopen")
# What is done, to which of those that are there, how many pieces, otherwise than usual, and waiting for its end.
Act: TypeAlias = tuple[str, int, int, bool, bool]
acts: st.SearchStrategy[Act] = st.tuples(
    st.sampled_from([*DOINGS, *FOR_A_REASON, *COUNTED_WRONG, *AT_TILLS]), which, few, st.booleans(), st.booleans()
)


class Chain(Machine):
    """Terminals, one organiser and two tills, who see what the services show them at that moment."""

    def setup(self) -> None:
        self.production = ServiceShell(self.kafka, PRODUCTION_PROCESSORS)
        self.inventory = ServiceShell(self.kafka, INVENTORY_PROCESSORS)
        self.festival = ServiceShell(self.kafka, FESTIVAL_PROCESSORS)
        self.sales = ServiceShell(self.kafka, SALES_PROCESSORS)
        self.services = [self.production, self.inventory, self.festival, self.sales]
        for command in seed_commands(MAKERS):
            self.kafka.say(ENTRY_COMMANDS, command, source="seed")
        self.spools: dict[str, list[tuple[str, Body]]] = {booth: [] for booth in (*BOOTHS, STRAY)}
        self.numbers: Counter[str] = Counter()
        self.rung_up: dict[str, list[str]] = {booth: [] for booth in BOOTHS}
        self.names: Counter[str] = Counter()

    def command(self, body: Body) -> None:
        self.kafka.say(ORGANISER, body, source="organiser")

    # terminals

    @initialize(
        lots=st.lists(st.tuples(st.sampled_from(sorted(MAKERS)), st.integers(3, 30), which), min_size=2, max_size=6),
        demands=demands,
        stage=st.sampled_from([0, 1, 2, 3, 4, 4, 4]),
    )
    def begin(self, lots: list[tuple[str, int, int]], demands: list[tuple[str, str, int]], stage: int) -> None:
        """A festival with two booths; by `stage` lots are made, a plan is real, shipments are sent, are received."""
        for facility, qty, n in lots:
            self.report(facility, qty, n)
        self.command(
            AnnounceFestival(
                festival=FESTIVAL,
                name="Festival",
                place="Kupang",
                zone="Asia/Makassar",
                first_day=NOON.date(),
                last_day=NOON.date(),
                confirmed=True,
            )
        )
        for booth in BOOTHS:
            prices = tuple(Price(product=product, price_rupiah=PRICE) for product in PRODUCTS)
            self.command(OpenBooth(festival=FESTIVAL, booth=booth, name=booth, prices=prices, tills=(booth,)))
        if stage > 0:
            self.settle()
        self.request(demands, True)
        if stage > 1:
            self.settle()
            for _ in range(4):
                self.send(0, 0, False)
                self.settle()
        if stage > 2:
            self.receive_what_was_sent()
        if stage > 3:
            self.settle()

    @rule(acts=st.lists(acts, min_size=1, max_size=6))
    def people_act(self, acts: list[Act]) -> None:
        """One after the other; who waits goes on when all that was said before is worked."""
        for act, n, qty, odd, waits in acts:
            ACTS[act](self, n, qty, odd)
            if waits:
                self.a_while(0)
                self.a_while(0)

    def make(self, n: int, qty: int, odd: bool) -> None:
        self.report(sorted(MAKERS)[n % len(MAKERS)], 3 * qty, n + odd)

    def report(self, facility: str, qty: int, n: int) -> None:
        product = MAKERS[facility][n % len(MAKERS[facility])]
        body = ProductionReported(
            facility=facility,
            terminal="T",
            product=product,
            qty=qty,
            made_on=(NOON - timedelta(days=n)).date(),
            maker=of_production.MAKER,
        )
        self.kafka.say(TERMINAL, body)

    def correct(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            body = ProductionCorrected(facility=lot.facility, terminal="T", lot=lot.id, change=-qty if odd else qty)
            self.kafka.say(TERMINAL, body)

    def recall(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            body = LiftRecall if lot.recalled else RecallLot
            self.kafka.say(TERMINAL, body(facility=lot.facility, terminal="T", lot=lot.id, reason="made up"))

    def withdraw(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            self.kafka.say(TERMINAL, WithdrawReport(facility=lot.facility, terminal="T", lot=lot.id))

    # the organiser

    @rule(demands=demands, consent=st.booleans(), percent=st.sampled_from([None, 1, 40]))
    def request(self, demands: list[tuple[str, str, int]], consent: bool, percent: int | None = None) -> None:
        wishes = tuple(Demand(booth=booth, product=product, qty=qty) for booth, product, qty in demands)
        name = self.next_name("R")
        self.command(
            RequestAllocation(
                festival=FESTIVAL, request=name, demands=wishes, consent=consent, revise_at_percent=percent
            )
        )

    def revise(self, n: int, qty: int, odd: bool) -> None:
        request = one_of(requests_of(self.festival), n)
        if request is not None:
            without = () if qty == 1 else (sorted(MAKERS)[qty % len(MAKERS)],)
            self.command(ReviseAllocation(festival=FESTIVAL, request=request.name, without=without, consent=odd))

    def close_booth(self, n: int, qty: int, odd: bool) -> None:
        if qty < 3:
            self.command(CloseBooth(festival=FESTIVAL, booth=BOOTHS[odd]))

    def merge(self, n: int, qty: int, odd: bool) -> None:
        if qty < 3:
            self.command(MergeBooths(festival=FESTIVAL, booth=BOOTHS[odd], to=BOOTHS[not odd]))

    def move_stray(self, n: int, qty: int, odd: bool) -> None:
        self.command(MoveStray(festival=FESTIVAL, booth=BOOTHS[odd], stray=STRAY))

    def accept(self, n: int, qty: int, odd: bool) -> None:
        waiting = [
            request
            for request in requests_of(self.festival)
            if request.status is RequestStatus.PROPOSED or request.pending_revision is not None
        ]
        request = one_of(waiting, n)
        if request is not None:
            self.command(AcceptPlan(festival=FESTIVAL, request=request.name))

    def send(self, n: int, qty: int, odd: bool) -> None:
        ready = {
            (request.name, line.facility, line.booth)
            for request in requests_of(self.festival)
            for line in request.lines
            if line.status is LineStatus.RESERVED
        }
        triple = one_of(sorted(ready), n)
        if triple is not None:
            request, facility, booth = triple
            name = self.next_name("S")
            self.command(
                SendShipment(festival=FESTIVAL, request=request, shipment=name, facility=facility, booth=booth)
            )

    def receive(self, n: int, qty: int, odd: bool) -> None:
        on_the_way = (ShipmentStatus.SENDING, ShipmentStatus.SENT)
        shipment = one_of([shipment for shipment in self.festival.all(Shipment) if shipment.status in on_the_way], n)
        if shipment is not None:
            self.receive_all(shipment, [0, 0, -1, 2][qty % 4])

    def receive_all(self, shipment: Shipment, wrong: int = 0) -> None:
        counted = tuple(CountedLot(lot=lot, qty=max(0, qty + wrong)) for lot, qty in shipment.lots.items())
        self.command(
            ReceiveShipment(festival=FESTIVAL, shipment=shipment.name, booth=shipment.booth, counted=counted)
        )

    def recount(self, n: int, qty: int, odd: bool) -> None:
        """A received shipment or transfer is counted again, by some pieces otherwise; now and then with a lot that
        it did not have."""
        shipments = [arrival for arrival in self.festival.all(Shipment) if arrival.status is ShipmentStatus.RECEIVED]
        transfers = [arrival for arrival in self.festival.all(Transfer) if arrival.status is TransferStatus.RECEIVED]
        choice = one_of([*shipments, *transfers], n)
        if choice is None:
            return
        lots = sorted({lot.id for lot in self.inventory.all(Lot)}) if odd else [lot for lot, _ in choice.stocked]
        lot = one_of(lots, n + qty)
        if lot is None:
            return
        counted = (CountedLot(lot=lot, qty=max(0, dict(choice.stocked).get(lot, 0) + [1, -1, 2, -3][n % 4])),)
        if isinstance(choice, Shipment):
            self.command(
                RecountShipment(festival=FESTIVAL, shipment=choice.name, booth=choice.booth, counted=counted)
            )
        else:
            self.command(RecountTransfer(festival=FESTIVAL, transfer=choice.name, booth=choice.to, counted=counted))

    def recount_return(self, n: int, qty: int, odd: bool) -> None:
        held = [(booth.id, lot) for booth in self.festival.all(FestivalBooth) for lot in booth.lots if lot.home]
        choice = one_of(held, n)
        if choice is not None:
            whole = max(0, choice[1].home + (qty if odd else -qty))
            self.command(RecountReturn(festival=FESTIVAL, booth=choice[0], lot=choice[1].lot, qty=whole))

    def move(self, n: int, qty: int, odd: bool) -> None:
        pairs = [(booth, lot) for booth in self.festival.all(FestivalBooth) for lot in booth.lots]
        pair = one_of(pairs, n)
        if pair is not None:
            booth, lot = pair
            to = next(other for other in BOOTHS if other != booth.id)
            # Now and then as many as ever came: some may be sold, and festival may know it or not.
            pieces = max(1, lot.received - lot.moved_out) if odd else qty
            self.command(
                SendTransfer(
                    festival=FESTIVAL,
                    transfer=self.next_name("T"),
                    booth=booth.id,
                    to=to,
                    lots=(CountedLot(lot=lot.lot, qty=pieces),),
                )
            )

    def take_in(self, n: int, qty: int, odd: bool) -> None:
        transfer = one_of(
            [transfer for transfer in self.festival.all(Transfer) if transfer.status is TransferStatus.SENT], n
        )
        if transfer is not None:
            self.take_all_in(transfer, [0, 0, -1, 2][qty % 4])

    def take_all_in(self, transfer: Transfer, wrong: int = 0) -> None:
        counted = tuple(CountedLot(lot=lot, qty=max(0, qty + wrong)) for lot, qty in transfer.sent)
        self.command(ReceiveTransfer(festival=FESTIVAL, transfer=transfer.name, booth=transfer.to, counted=counted))

    def refill(self, n: int, qty: int, odd: bool) -> None:
        self.command(
            Replenish(
                festival=FESTIVAL,
                request=self.next_name("R"),
                until=self.kafka.now + timedelta(hours=qty),
                products=PRODUCTS[: n % 4],
                consent=odd,
            )
        )

    def lose(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            booth = BOOTHS[n % 2] if odd else None
            place = LossPlace.BOOTH if odd else LossPlace.FACILITY
            self.command(RecordLoss(festival=FESTIVAL, lot=lot.id, place=place, booth=booth, qty=qty))

    def resolve(self, n: int, qty: int, odd: bool) -> None:
        # Festival lists what is in dispute, sales also what waits.
        waiting = [(booth.id, f"{receipt}/1") for booth in self.sales.all(Booth) for receipt in booth.waiting]
        sale = one_of(waiting if qty > 4 else self.disputed(), n)
        if sale is not None:
            outcome = DisputeOutcome.ACCEPTED if odd else DisputeOutcome.REJECTED
            self.command(ResolveDispute(festival=FESTIVAL, booth=sale[0], sale=sale[1], outcome=outcome))

    def reopen(self, n: int, qty: int, odd: bool) -> None:
        closed = [booth for booth in self.festival.all(FestivalBooth) if booth.status is not BoothStatus.OPEN]
        booth = one_of(closed, n)
        if booth is not None and qty < 4:
            self.command(ReopenBooth(festival=FESTIVAL, booth=booth.id))

    def bring_home(self, n: int, qty: int, odd: bool) -> None:
        pairs = [(booth.id, lot.lot) for booth in self.festival.all(FestivalBooth) for lot in booth.lots]
        pair = one_of(pairs, n)
        if pair is not None:
            self.command(ReceiveReturn(festival=FESTIVAL, booth=pair[0], lot=pair[1], qty=qty, final=odd))

    def close(self, n: int, qty: int, odd: bool) -> None:
        if qty == 1:
            self.command(CloseFestival(festival=FESTIVAL))
        elif qty == 2 and odd:
            self.command(CancelFestival(festival=FESTIVAL))

    # tills

    @rule(booth=booths, lines=st.lists(rung_up, min_size=1, max_size=5), at_once=st.booleans())
    def sell(self, booth: str, lines: list[RungUp], at_once: bool) -> None:
        lots = self.inventory.all(Lot)
        for n, qty, labelled, price, void in lines:
            receipt = one_of(self.rung_up[booth], void)
            if void and receipt is not None:
                # Now and then more than was sold.
                voided = (VoidedLine(line=1, qty=qty),)
                self.spool(booth, ReceiptVoided, receipt=receipt, lines=voided, voided_at=self.kafka.now)
                continue
            lot = one_of(lots, n)
            line = ReceiptLine(
                line=1,
                lot=lot.id if lot is not None and labelled else None,
                product=lot.product if lot is not None else PRODUCTS[n % len(PRODUCTS)],
                qty=qty,
                unit_price_rupiah=price,
            )
            paid = Payment(kind=PaymentKind.CASH)
            id = self.spool(booth, ReceiptIssued, lines=(line,), payment=paid, sold_at=self.kafka.now)
            self.rung_up[booth].append(id)
        if at_once:
            self.upload(booth, len(self.spools[booth]))

    def sell_astray(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            line = ReceiptLine(
                line=1, lot=lot.id if odd else None, product=lot.product, qty=qty, unit_price_rupiah=PRICE
            )
            paid = Payment(kind=PaymentKind.CASH)
            self.spool(STRAY, ReceiptIssued, lines=(line,), payment=paid, sold_at=self.kafka.now)
            self.upload(STRAY, qty)

    def count(self, n: int, qty: int, odd: bool) -> None:
        lot = one_of(self.inventory.all(Lot), n)
        if lot is not None:
            by_lot = (LotCount(lot=lot.id, qty=qty),) if qty % 2 else ()
            by_product = () if qty % 2 else (ProductCount(product=lot.product, qty=qty),)
            counted = {"lots": by_lot, "products": by_product, "final": n % 3 > 0}
            self.spool(BOOTHS[odd], BoothCounted, counted_at=self.kafka.now, **counted)

    def close_till(self, n: int, qty: int, odd: bool) -> None:
        booth = BOOTHS[odd]
        openings = [body.opening for body in self.kafka.bodies(SALES, BoothReopened) if body.booth == booth]
        self.spool(booth, TillClosed, last_seq=self.numbers[booth] + 1, opening=max(openings, default=1))

    def come_online(self, n: int, qty: int, odd: bool) -> None:
        self.upload(BOOTHS[odd], qty)

    def upload(self, booth: str, most: int) -> None:
        for id, body in self.spools[booth][:most]:
            self.kafka.say(TILL, body, id=id, source=f"till/{booth}")
        del self.spools[booth][:most]

    def spool(self, booth: str, kind: Callable[..., Body], **fields: object) -> str:
        before = self.numbers[booth]
        self.numbers[booth] += 1
        place: dict[str, object] = {"booth": booth, "till": booth, "device": booth, "seq": before + 1}
        if before:
            place["previous"] = f"{booth}.{before}"
        id = f"{booth}.{before + 1}"
        self.spools[booth].append((id, kind(**place, **fields)))
        return id

    def next_name(self, kind: str) -> str:
        self.names[kind] += 1
        return f"{kind}{self.names[kind]}"

    # the end

    def finish(self) -> None:
        """What is on its way is received, the festival closed, tills emptied, disputes resolved, all sent home."""
        self.ring_all()
        self.receive_what_was_sent()
        self.settle()
        if self.festival.all(Festival)[0].status is FestivalStatus.OPEN:
            self.command(CloseFestival(festival=FESTIVAL))
        for booth in BOOTHS:
            self.close_till(0, 0, booth == BOOTHS[1])
            self.upload(booth, len(self.spools[booth]))
        if self.numbers[STRAY]:
            self.spool(STRAY, TillClosed, last_seq=self.numbers[STRAY] + 1)
            self.upload(STRAY, len(self.spools[STRAY]))
            self.settle()
            self.move_stray(0, 0, False)
        self.settle()
        self.ring_all()
        self.resolve_all([DisputeOutcome.ACCEPTED, DisputeOutcome.REJECTED])
        # One that nobody can book stays in dispute though it is accepted.
        self.resolve_all([DisputeOutcome.REJECTED])
        assert not self.disputed()
        if self.festival.all(Festival)[0].status is not FestivalStatus.CANCELLED:
            until(self.all_home, self.bring_all_home)

    def receive_what_was_sent(self) -> None:
        for shipment in self.festival.all(Shipment):
            if shipment.status is ShipmentStatus.SENT:
                self.receive_all(shipment)
        for transfer in self.festival.all(Transfer):
            if transfer.status is TransferStatus.SENT:
                self.take_all_in(transfer)

    def disputed(self) -> list[tuple[str, str]]:
        return [(booth.id, sale) for booth in self.festival.all(FestivalBooth) for sale in booth.disputed]

    def resolve_all(self, outcomes: Sequence[DisputeOutcome]) -> None:
        """The organiser's words on all that is in dispute, in turns."""
        for n, (booth, sale) in enumerate(self.disputed()):
            outcome = outcomes[n % len(outcomes)]
            self.command(ResolveDispute(festival=FESTIVAL, booth=booth, sale=sale, outcome=outcome))
        self.settle()

    def all_home(self) -> bool:
        return self.festival.all(Festival)[0].status is FestivalStatus.CLOSED

    def bring_all_home(self) -> None:
        for booth in self.festival.all(FestivalBooth):
            for lot, account in booth.accounts().items():
                if booth.find_lot(lot) is not None and account.left:
                    # A piece less than the arithmetic rest: what is counted is what is true.
                    self.command(ReceiveReturn(festival=FESTIVAL, booth=booth.id, lot=lot, qty=account.left - 1))
        self.settle()

    # what holds

    def check(self) -> None:
        of_sales.check_issued(self.sales)
        of_production.check_lots(self.production)
        of_inventory.check_lots(self.inventory)
        check_festival(self.festival)
        of_sales.check_booths(self.sales)

    def check_at_rest(self) -> None:
        of_production.check_publications(self.production)
        of_production.check_nobody_learns_a_maker(self.kafka)
        of_inventory.check_publications(self.inventory)
        check_commands(self.festival)
        check_production_and_inventory(self.production, self.inventory)
        check_inventory_and_festival(self.inventory, self.festival)
        check_festival_and_sales(self.festival, self.sales)
        of_sales.check_answers(self.sales)
        of_sales.check_publications(self.sales)
        of_sales.check_money(self.sales)


ACTS: dict[str, Callable[[Chain, int, int, bool], None]] = {
    "make": Chain.make,
    "correct": Chain.correct,
    "recall": Chain.recall,
    "withdraw": Chain.withdraw,
    "accept": Chain.accept,
    "revise": Chain.revise,
    "close booth": Chain.close_booth,
    "merge": Chain.merge,
    "move stray": Chain.move_stray,
    "sell astray": Chain.sell_astray,
    "send": Chain.send,
    "receive": Chain.receive,
    "recount": Chain.recount,
    "recount return": Chain.recount_return,
    "move": Chain.move,
    "take in": Chain.take_in,
    "refill": Chain.refill,
    "lose": Chain.lose,
    "resolve": Chain.resolve,
    "bring home": Chain.bring_home,
    "reopen": Chain.reopen,
    "close": Chain.close,
    "count": Chain.count,
    "close till": Chain.close_till,
    "come online": Chain.come_online,
}


def requests_of(festival: ServiceShell) -> list[Request]:
    return whole_requests(festival.all(Request), festival.all(PlanTerms), festival.all(StoredLines))


def check_festival(festival: ServiceShell) -> None:
    """Nothing is below zero, no line is answered twice, no demand is covered twice."""
    for booth in festival.all(FestivalBooth):
        for lot in booth.lots:
            assert min(lot.in_transit, lot.received, lot.lost_on_the_way, lot.recorded_lost) >= 0, lot
            assert min(lot.home, lot.returned, lot.found, lot.moved_out) >= 0, lot
            assert lot.most_home + lot.moved_out <= lot.received, lot
        for account in booth.accounts().values():
            departed = account.sold + account.lost + account.returned + account.returning + account.moved_out
            assert account.received + account.surplus == departed + account.misbooked + account.left, account
    moved: Counter[tuple[str, str]] = Counter()
    for transfer in festival.all(Transfer):
        for lot_id, qty in transfer.sent:
            moved[transfer.booth, lot_id] += qty
    assert moved == {
        (b.id, lot.lot): lot.moved_out for b in festival.all(FestivalBooth) for lot in b.lots if lot.moved_out
    }
    for request in requests_of(festival):
        counted = Lines.of(request.lines)
        assert {s: t for s, t in request.lines.tallies.items() if t.lines} == counted.tallies, request
        assert request.short == sum(gap.short for gap in shortfalls(request)), request
        covered: Counter[tuple[str, str]] = Counter()
        for line in request.lines:
            if line.status in COUNTED:
                covered[line.booth, line.product] += line.qty - line.lost
        asked = Counter({(want.booth, want.product): want.qty for want in request.demands})
        # What was lost may have been replaced, and then found after all.
        most = asked + _found_again(festival, request)
        assert all(qty <= most[pair] for pair, qty in covered.items()), request


def _found_again(festival: ServiceShell, request: Request) -> Counter[tuple[str, str]]:
    """Pieces that a count of the request's shipments missed and a later one found, by booth and product."""
    missed: dict[str, dict[str, int]] = defaultdict(dict)
    bodies = [
        *festival.kafka.bodies(FESTIVAL_TOPIC, ShipmentReceived),
        *festival.kafka.bodies(FESTIVAL_TOPIC, ShipmentRecounted),
    ]
    for count in bodies:
        for gap in count.discrepancies:
            lots = missed[count.shipment]
            lots[gap.lot] = max(lots.get(gap.lot, 0), gap.sent - gap.counted)
    products = {line.lot: line.product for line in request.lines}
    surplus: Counter[tuple[str, str]] = Counter()
    for shipment in festival.all(Shipment):
        if shipment.request != request.id:
            continue
        for lot, sent in shipment.lots.items():
            lost = max(0, sent - dict(shipment.stocked).get(lot, 0))
            surplus[shipment.booth, products[lot]] += max(0, missed[shipment.name].get(lot, 0) - lost)
    return surplus


def check_commands(festival: ServiceShell) -> None:
    """Every command ended, and those that were refused were said to be, once."""
    commands = {command.id: command for command in festival.all(Command)}
    assert commands.keys() == {event.id for event in festival.kafka.events(ORGANISER)}
    assert not [command for command in commands.values() if command.outcome is CommandStatus.WAITING]
    refused = Counter(body.command for body in festival.kafka.bodies(FESTIVAL_TOPIC, CommandRefused))
    assert refused == {id: 1 for id, command in commands.items() if command.outcome is CommandStatus.REFUSED}


def check_production_and_inventory(production: ServiceShell, inventory: ServiceShell) -> None:
    """Both know the same lots, with the same corrections and recalls."""
    made = {(lot.id, lot.qty, lot.corrected, lot.recalled, lot.withdrawn) for lot in production.all(MadeLot)}
    assert made == {(lot.id, lot.recorded, lot.corrected, lot.recalled, lot.withdrawn) for lot in inventory.all(Lot)}


def check_inventory_and_festival(inventory: ServiceShell, festival: ServiceShell) -> None:
    """Every line stands as its reservation does, and what was sent is on the way, at booths, lost or home."""
    standing = {r.id: r.status for lot in inventory.all(Lot) for r in lot.reservations}
    lines = {line.reservation: line for request in requests_of(festival) for line in request.lines}
    assert standing.keys() <= lines.keys()
    for id, line in lines.items():
        assert line.status in ENDS, f"{line.status} for ever"
        assert standing.get(id) in ENDS[line.status], (line, standing.get(id))
    for request in requests_of(festival):
        assert not (request.lapsed and any(line.status is LineStatus.RESERVED for line in request.lines)), request
    sent: Counter[tuple[str, str]] = Counter()
    for line in lines.values():
        if line.status is LineStatus.DISPATCHED:
            sent[line.booth, line.lot] += line.qty
    for transfer in festival.all(Transfer):
        for moved, qty in transfer.sent:
            sent[transfer.to, moved] += qty
    home: Counter[str] = Counter()
    surplus: Counter[str] = Counter()
    for booth in festival.all(FestivalBooth):
        for lot in booth.lots:
            assert sent[booth.id, lot.lot] + lot.found == lot.in_transit + lot.received + lot.lost_on_the_way
            surplus[lot.lot] += lot.found
            assert lot.returning == 0
            home[lot.lot] += lot.returned
    assert all(lot.returned == home[lot.id] for lot in inventory.all(Lot))
    assert all(lot.found == surplus[lot.id] and lot.away >= 0 for lot in inventory.all(Lot))
    recalled = {lot.id for lot in inventory.all(Lot) if lot.recalled}
    for booth in festival.all(FestivalBooth):
        for lot in booth.lots:
            assert (lot.withdrawn is not None) == (lot.lot in recalled), lot


ENDS = {
    LineStatus.RESERVED: (ReservationStatus.HELD,),
    LineStatus.DISPATCHED: (ReservationStatus.DISPATCHED,),
    LineStatus.REFUSED: (None,),
    LineStatus.RELEASED: (None, ReservationStatus.RELEASED),
    LineStatus.PLANNED: (None,),
}


def check_festival_and_sales(festival: ServiceShell, sales: ServiceShell) -> None:
    """Both count a booth's pieces alike; a closed festival's booths are settled and nothing is in dispute."""
    booths = {booth.id: booth for booth in sales.all(Booth)}
    for booth in festival.all(FestivalBooth):
        other = booths[booth.id]
        lots = {lot.lot: lot for lot in booth.lots if lot.received}
        stocked = {lot.lot: lot for lot in other.lots if lot.stocked}
        assert {
            id: (lot.received, lot.recorded_lost, lot.moved_out + lot.returned_before, lot.withdrawn)
            for id, lot in lots.items()
        } == {id: (lot.stocked, lot.lost, lot.moved, lot.withdrawn) for id, lot in stocked.items()}
        assert {lot.lot: lot.recounts for lot in booth.lots if lot.recounts} == {
            lot.lot: lot.recount for lot in other.lots if lot.recount
        }
        assert (booth.opening, booth.reopening) == (other.opening, None)
        assert (booth.status is BoothStatus.SETTLED) == (other.status is SalesStatus.SETTLED)
        if booth.status is BoothStatus.SETTLED:
            assert booth.revision == other.revision
            assert dict(booth.sold) == {lot.lot: lot.sold for lot in other.lots if lot.sold}
            assert booth.disputed == other.disputed
    reports = {report.booth: report for report in sales.kafka.bodies(BOOTH_REPORTS, SellThroughSoFar)}
    counts = {interim.id: (interim.revision, dict(interim.sold)) for interim in festival.all(BoothSales)}
    assert counts == {
        id: (report.revision, {lot.lot: lot.sold for lot in report.lots}) for id, report in reports.items()
    }
    for replenishment in festival.all(Replenishment):
        sent_pieces: Counter[tuple[str, str]] = Counter()
        for move in replenishment.moves:
            sent_pieces[move.booth, move.lot] += move.qty
            assert move.booth != move.to
        received = {(b.id, lot.lot): lot.received for b in festival.all(FestivalBooth) for lot in b.lots}
        assert all(qty <= received[place] for place, qty in sent_pieces.items()), "more was to leave than ever came"
    by_status: dict[FestivalStatus, list[str]] = defaultdict(list)
    for market in festival.all(Festival):
        by_status[market.status].append(market.id)
    assert not by_status[FestivalStatus.CLOSING]
    assert not by_status[FestivalStatus.OPEN]


TestChain = Chain.TestCase
TestChain.settings = examples(30, steps=60)
