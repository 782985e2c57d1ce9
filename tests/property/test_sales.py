"""Sales under anything that festival and tills say: each piece of a sale is somewhere, each rupiah counted once."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from services.sales.domain import Booth
from services.sales.domain.booth import BoothStatus
from services.sales.handlers import PROCESSORS
from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    CountedLot,
    DisputeOutcome,
    DisputeResolved,
    LotReinstated,
    LotWithdrawn,
    Price,
    ReopeningRequested,
    TillStruck,
    VoidOrdered,
)
from shared.events.language import Body
from shared.events.sales import (
    BOOTH_REPORTS,
    TILL,
    BoothCounted,
    LotCount,
    Payment,
    PaymentKind,
    ProductCount,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    ReopeningGranted,
    ReopeningRefused,
    SellThroughCounted,
    TillClosed,
    VoidedLine,
)
from tests.support.examples import examples
from tests.support.invariants.sales import (
    check_answers,
    check_booths,
    check_demand,
    check_issued,
    check_money,
    check_publications,
)
from tests.support.machine import Machine, one_of, which
from tests.support.shell import NOON, ServiceShell

FESTIVAL = "ODOP"
BOOTHS = ("ODOP.B1", "ODOP.B2")
TILLS = ("T1", "T2")
LOTS = {"L1": ("LP-A", "KTI"), "L2": ("LP-B", "KTI"), "K1": ("LP-A", "KUE")}
booths = st.sampled_from(BOOTHS)
tills = st.sampled_from(TILLS)
lots = st.sampled_from(sorted(LOTS))
few = st.integers(1, 6)
# Lot, pieces, price of a line.
RungUp: TypeAlias = tuple[str | None, int, int]
rung_up: st.SearchStrategy[RungUp] = st.tuples(
    st.sampled_from([*sorted(LOTS), "L1", None, None, None, "ELSE"]), few, st.sampled_from([0, 1, 9_999])
)
baskets = st.lists(rung_up, min_size=1, max_size=3)
line_and_pieces = st.tuples(st.sampled_from([1, 1, 1, 2, 3]), st.sampled_from([1, 1, 2, 3]))


class SalesMachine(Machine):
    """Festival says of each booth what it may say, in its order; each till its records, in its order; a till without
    a network keeps its records to itself for a while."""

    def setup(self) -> None:
        self.sales = ServiceShell(self.kafka, PROCESSORS)
        self.services = [self.sales]
        self.closed: set[str] = set()
        self.openings = dict.fromkeys(BOOTHS, 1)
        self.asked: dict[str, str] = {}
        self.home: Counter[tuple[str, str]] = Counter()
        self.decisions = 0
        self.spools: dict[tuple[str, str], list[tuple[str, Body]]] = {(b, t): [] for b in BOOTHS for t in TILLS}
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.rung_up: dict[str, list[str]] = {booth: [] for booth in BOOTHS}

    # festival

    @initialize(stocked=st.lists(st.tuples(booths, lots, st.integers(1, 20)), max_size=6))
    def open(self, stocked: list[tuple[str, str, int]]) -> None:
        for booth in BOOTHS:
            prices = tuple(Price(product=product, price_rupiah=10) for product in ("KTI", "KUE"))
            self.kafka.say(
                BOOTH_STOCK, BoothOpened(booth=booth, festival=FESTIVAL, name="Booth", prices=prices, tills=TILLS)
            )
        self.stock(stocked)

    @rule(stocked=st.lists(st.tuples(booths, lots, few), min_size=1, max_size=3))
    def stock(self, stocked: list[tuple[str, str, int]]) -> None:
        for booth, lot, qty in stocked:
            facility, product = LOTS[lot]
            body = BoothStocked(
                booth=booth,
                festival=FESTIVAL,
                lot=lot,
                facility=facility,
                product=product,
                made_on=date(2026, 4, ord(lot[1]) - ord("0")),
                qty=qty,
            )
            if booth not in self.closed:
                self.kafka.say(BOOTH_STOCK, body)

    @rule(booth=booths, lot=lots, qty=few)
    def lose(self, booth: str, lot: str, qty: int) -> None:
        if lot in self.stocked(booth):
            self.kafka.say(BOOTH_STOCK, BoothStockLost(booth=booth, lot=lot, qty=qty))

    @rule(booth=booths, lot=lots, qty=few)
    def move(self, booth: str, lot: str, qty: int) -> None:
        """Festival lets go no more than came and is not moved already; what is sold it may not know."""
        moved = sum(
            move.qty
            for move in self.kafka.bodies(BOOTH_STOCK, BoothStockMoved)
            if (move.booth, move.lot) == (booth, lot)
        )
        stocked_qty = sum(
            stocking.qty
            for stocking in self.kafka.bodies(BOOTH_STOCK, BoothStocked)
            if (stocking.booth, stocking.lot) == (booth, lot)
        )
        if moved + self.home[booth, lot] + qty <= stocked_qty and booth not in self.asked:
            to = next(other for other in BOOTHS if other != booth)
            self.kafka.say(BOOTH_STOCK, BoothStockMoved(booth=booth, lot=lot, qty=qty, to=to))

    @rule(booth=booths, lot=lots)
    def withdraw(self, booth: str, lot: str) -> None:
        self.kafka.say(BOOTH_STOCK, LotWithdrawn(booth=booth, lot=lot, reason="made up"))

    @rule(booth=booths, lot=lots)
    def reinstate(self, booth: str, lot: str) -> None:
        self.kafka.say(BOOTH_STOCK, LotReinstated(booth=booth, lot=lot, reason="made up"))

    @rule(booth=booths, n=which)
    def close(self, booth: str, n: int) -> None:
        self.hear_answers()
        if booth not in self.closed and n < 3:
            self.closed.add(booth)
            deadline = self.kafka.now + timedelta(hours=48)
            closing = BoothClosing(booth=booth, festival=FESTIVAL, deadline=deadline, opening=self.openings[booth])
            self.kafka.say(BOOTH_STOCK, closing)

    @rule(booth=booths, lot=lots, n=which)
    def reopen(self, booth: str, lot: str, n: int) -> None:
        """Festival asks no second time before it has an answer; a piece may have gone home."""
        self.hear_answers()
        if booth not in self.closed or booth in self.asked or n > 4:
            return
        came = sum(
            body.qty
            for body in self.kafka.bodies(BOOTH_STOCK, BoothStocked)
            if (body.booth, body.lot) == (booth, lot)
        )
        moved_qty = sum(
            body.qty
            for body in self.kafka.bodies(BOOTH_STOCK, BoothStockMoved)
            if (body.booth, body.lot) == (booth, lot)
        )
        qty = 1 if n % 2 and came - moved_qty - self.home[booth, lot] > 0 else 0
        self.asked[booth] = f"reopen-{len(self.kafka.bodies(BOOTH_STOCK, ReopeningRequested))}"
        self.kafka.say(
            BOOTH_STOCK,
            ReopeningRequested(
                booth=booth,
                festival=FESTIVAL,
                order=self.asked[booth],
                opening=self.openings[booth] + 1,
                home=(CountedLot(lot=lot, qty=qty),) if qty else (),
            ),
        )

    def hear_answers(self) -> None:
        for granted in self.kafka.bodies(BOOTH_REPORTS, ReopeningGranted):
            if self.asked.get(granted.booth) == granted.order:
                del self.asked[granted.booth]
                self.closed.discard(granted.booth)
                self.openings[granted.booth] = granted.opening
                for request in self.kafka.bodies(BOOTH_STOCK, ReopeningRequested):
                    if request.order == granted.order:
                        self.home.update({(granted.booth, home.lot): home.qty for home in request.home})
        for refused in self.kafka.bodies(BOOTH_REPORTS, ReopeningRefused):
            if self.asked.get(refused.booth) == refused.order:
                del self.asked[refused.booth]

    @rule(booth=booths, n=which, outcome=st.sampled_from(DisputeOutcome), lot=st.none() | lots)
    def resolve(self, booth: str, n: int, outcome: DisputeOutcome, lot: str | None) -> None:
        reports = [report for report in self.kafka.bodies(BOOTH_REPORTS, SellThroughCounted) if report.booth == booth]
        sale = one_of(reports[-1].disputed, n) if reports else None
        # Before the booth is settled the organiser sees what waits, and sales answers.
        receipt = one_of(self.rung_up[booth], n)
        order = None
        if sale is None and receipt is not None:
            sale, order = f"{receipt}/{1 + n % 3}", f"decide-{self.decisions}"
            self.decisions += 1
        if sale is not None:
            decided = DisputeResolved(booth=booth, sale=sale, outcome=outcome, lot=lot, order=order)
            self.kafka.say(BOOTH_STOCK, decided)

    @rule(booth=booths, n=which, qty=few)
    def order_a_void(self, booth: str, n: int, qty: int) -> None:
        receipt = one_of(self.rung_up[booth], n)
        if receipt is not None:
            self.kafka.say(BOOTH_STOCK, VoidOrdered(booth=booth, receipt=receipt, line=1 + n % 3, qty=qty))

    @rule(booth=booths, till=tills, n=which)
    def strike(self, booth: str, till: str, n: int) -> None:
        if n < 2:
            device = f"{booth}.{till}" if n else None
            self.kafka.say(BOOTH_STOCK, TillStruck(booth=booth, till=till, device=device))

    def stocked(self, booth: str) -> set[str]:
        return {stocking.lot for stocking in self.kafka.bodies(BOOTH_STOCK, BoothStocked) if stocking.booth == booth}

    # tills

    @rule(
        booth=booths,
        baskets_by_till=st.lists(st.tuples(tills, baskets), min_size=1, max_size=4),
        at_once=st.booleans(),
    )
    def sell(self, booth: str, baskets_by_till: list[tuple[str, list[RungUp]]], at_once: bool) -> None:
        for till, basket in baskets_by_till:
            # Times that are neither in order nor all of one day.
            at = NOON + timedelta(minutes=len(self.rung_up[booth]) * 37 % 400 + 900 * (len(basket) > 2))
            lines = tuple(
                ReceiptLine(
                    line=line,
                    lot=lot,
                    product=LOTS[lot][1] if lot in LOTS else ("KTI", "KUE")[qty % 2],
                    qty=qty,
                    unit_price_rupiah=price,
                )
                for line, (lot, qty, price) in enumerate(basket, 1)
            )
            issued = {"lines": lines, "payment": Payment(kind=PaymentKind.CASH), "sold_at": at}
            # A discount that lines can't share evenly.
            discount = min(sum(line.gross_rupiah for line in lines), 7)
            self.rung_up[booth].append(self.spool(booth, till, ReceiptIssued, discount_rupiah=discount, **issued))
        if at_once:
            self.upload_all(booth)

    @rule(
        booth=booths, till=tills, n=which, lines=st.lists(st.tuples(st.integers(1, 3), few), min_size=1, max_size=2)
    )
    def void(self, booth: str, till: str, n: int, lines: list[tuple[int, int]]) -> None:
        """Any till of the booth may void a sale, so a void may be heard before its receipt; it may be too much."""
        receipt = one_of(self.rung_up[booth], n)
        if receipt is not None:
            voided = tuple(VoidedLine(line=line, qty=qty) for line, qty in lines)
            self.spool(booth, till, ReceiptVoided, receipt=receipt, lines=voided, voided_at=NOON)

    @rule(booth=booths, till=tills, lot=lots, qty=st.integers(0, 4), n=which)
    def count(self, booth: str, till: str, lot: str, qty: int, n: int) -> None:
        fields: dict[str, object] = {"counted_at": NOON + timedelta(minutes=n * 40), "final": bool(n % 2)}
        if n % 3:
            fields["lots"] = (LotCount(lot=lot, qty=qty),)
        else:
            fields["products"] = (ProductCount(product=LOTS[lot][1], qty=qty),)
        # Of a lot that is not here yet nobody could tell the product: these are no lot numbers.
        if lot in self.stocked(booth):
            self.spool(booth, till, BoothCounted, **fields)

    @rule(booth=booths, till=tills)
    def close_till(self, booth: str, till: str) -> None:
        last_seq = self.numbers[booth, till] + 1
        self.spool(booth, till, TillClosed, last_seq=last_seq, opening=self.openings[booth])

    @rule(booth=booths, till=tills, most=few)
    def upload(self, booth: str, till: str, most: int) -> None:
        spool = self.spools[booth, till]
        for id, body in spool[:most]:
            self.kafka.say(TILL, body, id=id, source=f"till/{booth}/{till}")
        del spool[:most]

    def upload_all(self, booth: str) -> None:
        for till in TILLS:
            self.upload(booth, till, len(self.spools[booth, till]))

    @rule(booth=booths, n=which)
    def a_receipt_from_another_source(self, booth: str, n: int) -> None:
        sales = [event for event in self.kafka.events(TILL) if isinstance(event.body, ReceiptIssued)]
        sale = one_of([event for event in sales if event.key == booth], n)
        if sale is not None and n < 4:
            self.kafka.say(TILL, sale.body, id=sale.id, source="a copy")

    def spool(self, booth: str, till: str, kind: Callable[..., Body], **fields: object) -> str:
        device, before = f"{booth}.{till}", self.numbers[booth, till]
        self.numbers[booth, till] += 1
        place: dict[str, object] = {"booth": booth, "till": till, "device": device, "seq": before + 1}
        if before:
            place["previous"] = f"{device}.{before}"
        id = f"{device}.{before + 1}"
        self.spools[booth, till].append((id, kind(**place, **fields)))
        return id

    # the end

    def finish(self) -> None:
        """One booth is settled and to be reopened, while the other may complete its settlements."""
        self.settle()
        first, other = BOOTHS
        self.close(first, 0)
        self.settle()
        self.ring_all()
        self.reopen(first, "L1", len(self.rung_up[first]) % 5)
        if len(self.rung_up[other]) % 2:
            self.close(other, 0)
            self.ring_all()
        self.settle()
        self.check()
        for booth in BOOTHS:
            self.close(booth, 0)
        self.settle()
        self.ring_all()
        for booth, till in self.spools:
            self.upload(booth, till, len(self.spools[booth, till]))

    def check(self) -> None:
        check_booths(self.sales)
        check_issued(self.sales)

    def check_at_rest(self) -> None:
        assert {booth.status for booth in self.sales.all(Booth)} == {BoothStatus.SETTLED}
        check_answers(self.sales)
        check_publications(self.sales)
        check_money(self.sales)
        check_demand(self.sales)


TestSales = SalesMachine.TestCase
TestSales.settings = examples(100)
