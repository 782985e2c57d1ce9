"""Production under any reports: every report ends once, every lot has a number of its own, nobody learns a maker."""

from datetime import timedelta
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from services.production.handlers import PROCESSORS
from shared.events.catalogue import ENTRY_COMMANDS, RetireEntry, SetFacility, SetProduct
from shared.events.production import (
    LOT_ANSWERS,
    PRODUCTION,
    TERMINAL,
    CorrectionRefused,
    CorrectionRequested,
    LiftRecall,
    LotCorrected,
    LotRecorded,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawalRequested,
    WithdrawReport,
)
from tests.support.builders.production import seed_commands
from tests.support.examples import examples
from tests.support.invariants.production import (
    MAKER,
    check_catalogue,
    check_lots,
    check_nobody_learns_a_maker,
    check_publications,
)
from tests.support.machine import Machine, one_of, which
from tests.support.shell import NOON, ServiceShell

MADE = {"PR-KPG": ("KTI", "KBS", "SVR"), "LP-KPG": ("KRJ",), "RT-KPG": ("SVR",)}
facilities = st.sampled_from(["PR-KPG", "LP-KPG", "RT-KPG", "XX-XXX"])  # the last is not in the seed
products = st.sampled_from(["KTI", "KRJ", "SVR", "KBS", "NIX"])
sources = st.sampled_from(["T1", "T2"])
Made: TypeAlias = tuple[str, str, int, int, int | None]
reports: st.SearchStrategy[Made] = st.one_of(
    st.tuples(st.just("PR-KPG"), st.just("KTI"), st.integers(1, 20), st.integers(0, 1), st.none()),
    st.tuples(
        facilities,
        products,
        st.sampled_from([1, 5, 20, 0, -3, 10**9]),
        st.sampled_from([0, 0, 1, 2, -1, 399, 401, 10**5]),
        st.sampled_from([None, None, 1, -1, 400]),
    ),
)


class ProductionMachine(Machine):
    """Terminals say anything; inventory answers each correction once, and somebody says what nobody asked."""

    def setup(self) -> None:
        self.production = ServiceShell(self.kafka, PROCESSORS)
        self.services = [self.production]
        self.answered: set[str] = set()
        for command in seed_commands(MADE):
            self.kafka.say(ENTRY_COMMANDS, command, source="seed")

    @initialize(made=st.lists(reports, min_size=1, max_size=6), worked=st.booleans())
    def begin(self, made: list[Made], worked: bool) -> None:
        self.report(made)
        if worked:
            self.a_while(0)

    @rule(made=st.lists(reports, min_size=1, max_size=4))
    def report(self, made: list[Made]) -> None:
        for facility, product, qty, days, keeps in made:
            made_on = (NOON - timedelta(days=days)).date()
            body = ProductionReported(
                facility=facility,
                terminal="T",
                product=product,
                qty=qty,
                made_on=made_on,
                best_before=None if keeps is None else made_on + timedelta(days=keeps),
                maker=MAKER,
            )
            self.kafka.say(TERMINAL, body, source="T1")

    @rule(facility=facilities, n=which, source=sources)
    def an_id_of_another_terminal(self, facility: str, n: int, source: str) -> None:
        report_id = one_of([event.id for event in self.kafka.events(TERMINAL)], n)
        if report_id is not None:
            made_on = NOON.date()
            body = ProductionReported(facility=facility, terminal="T", product="SVR", qty=7, made_on=made_on)
            self.kafka.say(TERMINAL, body, id=report_id, source=f"other-{source}-{self.kafka.next_id()}")

    @rule(facility=facilities, products=st.sets(products, max_size=3), retired=st.booleans())
    def staff_change_a_facility(self, facility: str, products: set[str], retired: bool) -> None:
        """Also one that is not there yet, or that names a product which is not there."""
        entry = f"facility/{facility}"
        body = SetFacility(
            entry=entry, facility_kind="lapas", name="A", zone="Asia/Makassar", products=tuple(sorted(products))
        )
        self.kafka.say(ENTRY_COMMANDS, RetireEntry(entry=entry) if retired else body, source="staff")

    @rule(product=products, retired=st.booleans(), max_qty=st.sampled_from([5, 500]))
    def staff_change_a_product(self, product: str, retired: bool, max_qty: int) -> None:
        entry = f"product/{product}"
        body = SetProduct(entry=entry, name="A", category="kayu", unit="buah", max_qty=max_qty, seed=True)
        self.kafka.say(ENTRY_COMMANDS, RetireEntry(entry=entry) if retired else body, source="staff")

    @rule(wanted=st.lists(st.tuples(facilities, which, st.integers(-9, 9)), min_size=1, max_size=4))
    def correct(self, wanted: list[tuple[str, int, int]]) -> None:
        for facility, n, change in wanted:
            lot = one_of(self.lots, n) or "no lot"
            at = lot[:6] if n % 4 and lot in self.lots else facility
            self.kafka.say(TERMINAL, ProductionCorrected(facility=at, terminal="T", lot=lot, change=change))

    @rule(facility=facilities, n=which)
    def recall(self, facility: str, n: int) -> None:
        lot = one_of(self.lots, n) or "no lot"
        facility = lot[:6] if n % 4 and lot in self.lots else facility
        body = (RecallLot, LiftRecall, WithdrawReport)[n % 3]
        self.kafka.say(TERMINAL, body(facility=facility, terminal="T", lot=lot, reason="made up"))

    @rule(fits=st.lists(st.booleans(), min_size=1, max_size=4))
    def inventory_answers(self, fits: list[bool]) -> None:
        unanswered = [
            request
            for request in self.kafka.bodies(PRODUCTION, CorrectionRequested)
            if request.correction not in self.answered
        ]
        for request, fit in zip(unanswered, fits, strict=False):
            self.answer(request, fit)

    @rule(n=which, fits=st.booleans())
    def inventory_answers_again(self, n: int, fits: bool) -> None:
        """It never does; the first answer would stand."""
        requests = self.kafka.bodies(PRODUCTION, CorrectionRequested)
        repeats = [request for request in requests if request.correction in self.answered]
        request = one_of(repeats, n)
        if request is not None:
            self.answer(request, fits)

    def answer(self, request: CorrectionRequested, fits: bool) -> None:
        self.answered.add(request.correction)
        kind = LotCorrected if fits else CorrectionRefused
        self.kafka.say(
            LOT_ANSWERS,
            kind(
                facility=request.facility,
                lot=request.lot,
                correction=request.correction,
                change=request.change,
                on_hand=9,
            ),
            source="karya/inventory",
        )

    @rule(withdrawn=st.booleans())
    def inventory_answers_a_withdrawal(self, withdrawn: bool) -> None:
        asked = [
            body
            for body in self.kafka.bodies(PRODUCTION, WithdrawalRequested)
            if body.withdrawal not in self.answered
        ]
        if asked:
            self.answer_withdrawal(asked[0], withdrawn)

    def answer_withdrawal(self, request: WithdrawalRequested, withdrawn: bool) -> None:
        self.answered.add(request.withdrawal)
        place = {"facility": request.facility, "lot": request.lot, "withdrawal": request.withdrawal}
        body = ReportWithdrawn(**place, qty=5) if withdrawn else WithdrawalRefused(**place, promised=1)
        self.kafka.say(LOT_ANSWERS, body, source="karya/inventory")

    @rule(n=which, facility=facilities)
    def an_answer_that_nobody_asked_for(self, n: int, facility: str) -> None:
        lot = one_of(self.lots, n) or "L0"
        reports = [event.id for event in self.kafka.events(TERMINAL)]
        body = LotCorrected(facility=facility, lot=lot, correction=one_of(reports, n) or "c0", change=3, on_hand=1)
        if body.correction not in {
            request.correction for request in self.kafka.bodies(PRODUCTION, CorrectionRequested)
        }:
            self.kafka.say(LOT_ANSWERS, body, source="somebody")

    @property
    def lots(self) -> list[str]:
        return sorted({body.lot for body in self.kafka.bodies(PRODUCTION, LotRecorded)})

    def finish(self) -> None:
        for request in self.kafka.bodies(PRODUCTION, CorrectionRequested):
            if request.correction not in self.answered:
                self.answer(request, fits=False)
        for withdrawal in self.kafka.bodies(PRODUCTION, WithdrawalRequested):
            if withdrawal.withdrawal not in self.answered:
                self.answer_withdrawal(withdrawal, withdrawn=False)

    def check(self) -> None:
        check_lots(self.production)

    def check_at_rest(self) -> None:
        check_publications(self.production)
        check_catalogue(self.production)
        check_nobody_learns_a_maker(self.kafka)


TestProduction = ProductionMachine.TestCase
TestProduction.settings = examples(100)
