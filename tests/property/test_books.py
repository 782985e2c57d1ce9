"""The books of a booth under anything that tills and festival say: every check of `verify` on sales stays green."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain import Booth, Receipt
from shared.events.festival import DisputeOutcome, DisputeResolved, TillStruck, VoidOrdered
from shared.events.language import Body
from shared.events.lot_number import LotNumber
from shared.events.sales import Payment, PaymentKind
from tests.support.builders.sales import (
    B1,
    NOON,
    a_closing,
    a_count,
    a_last_word,
    a_line,
    a_loss,
    a_move,
    a_receipt,
    a_stocking,
    a_void,
    an_opening,
)
from tests.support.examples import examples
from tests.support.witness import Witness, broken

TILLS = ("T1", "T2")
LOTS = {
    str(LotNumber(facility, product, date(2023, 4, day), 1)): (facility, product, date(2023, 4, day))
    for facility, product, day in (
        ("LA-KPG", "KTI", 1),
        ("LB-KPG", "KTI", 5),
        ("LC-KPG", "KTI", 2),
        ("LA-KPG", "KTI", 7),
        ("LB-KPG", "KUE", 3),
    )
}


class Play:
    """A booth, and what happens there by the choices of `random`."""

    def __init__(self, random: Random) -> None:
        self.world = Witness()
        self._random = random
        self._seqs = dict.fromkeys(TILLS, 0)
        self._receipts: list[tuple[str, list[int]]] = []
        self.world.give(an_opening(), *(self._stocking(lot) for lot in list(LOTS)[: random.randint(1, len(LOTS))]))

    def step(self, number: int) -> None:
        """One more thing happens, or nothing if it can't."""
        kinds = [self._sell] * 6 + [self._void] * 3 + [self._count] * 2 + [self._stock] * 2 + [self._resolve] * 2
        kinds += [self._void_early, self._order, self._lose, self._close, self._fire, self._last_word, self._strike]
        for body, id in self._random.choice(kinds)(number):
            self.world.tell(body, id, "source")

    def _sell(self, number: int) -> Iterator[tuple[Body, str | None]]:
        pick, lines = self._random, []
        for line in range(1, pick.randint(1, 3) + 1):
            lot = pick.choice(list(LOTS))
            discounts = {"discount_rupiah": pick.choice([0, 333]), "unit_price_rupiah": pick.choice([1_000, 9_999])}
            label = lot if pick.random() < 0.5 else None
            lines.append(a_line(label, pick.randint(1, 6), line, product=LOTS[lot][1], **discounts))
        till, name = pick.choice(TILLS), f"r{number}"
        self._receipts.append((name, [line.qty for line in lines]))
        paid = {"payment": Payment(kind=pick.choice(list(PaymentKind))), "discount_rupiah": pick.choice([0, 100])}
        yield a_receipt(self._next(till), *lines, till=till, sold_at=NOON + self._later(), **paid), name

    def _void(self, number: int) -> Iterator[tuple[Body, str | None]]:
        if self._receipts:
            till, (receipt, pieces) = self._random.choice(TILLS), self._random.choice(self._receipts)
            line = self._random.randint(1, len(pieces))
            qty = self._random.randint(1, pieces[line - 1])
            yield a_void(receipt, self._next(till), till, qty=qty, line=line, voided_at=NOON + self._later()), None

    def _void_early(self, number: int) -> Iterator[tuple[Body, str | None]]:
        till, receipt = self._random.choice(TILLS), f"r{number + self._random.randint(1, 5)}"
        yield a_void(receipt, self._next(till), till, qty=self._random.randint(1, 3)), None

    def _order(self, number: int) -> Iterator[tuple[Body, str | None]]:
        if self._receipts:
            receipt, pieces = self._random.choice(self._receipts)
            line = self._random.randint(1, len(pieces))
            yield VoidOrdered(booth=B1, receipt=receipt, line=line, qty=self._random.randint(1, 3)), None

    def _count(self, number: int) -> Iterator[tuple[Body, str | None]]:
        pick, till = self._random, self._random.choice(TILLS)
        lots = {lot: pick.randint(0, 6) for lot in pick.sample(list(LOTS), pick.randint(0, 4))}
        products = {"KTI": pick.randint(0, 8)} if pick.random() < 0.3 else None
        final = pick.random() < 0.6
        yield (
            a_count(self._next(till), till, at=NOON + self._later(), final=final, products=products, **lots),
            None,
        )

    def _stock(self, number: int) -> Iterator[tuple[Body, str | None]]:
        yield self._stocking(self._random.choice(list(LOTS))), None

    def _lose(self, number: int) -> Iterator[tuple[Body, str | None]]:
        booth_lot = self._random.choice(self.world.booth().lots)
        there = booth_lot.stocked - booth_lot.lost - booth_lot.moved
        if there > 0:
            make_body = self._random.choice([a_loss, a_move])
            yield make_body(self._random.randint(1, there), booth_lot.lot), None

    def _resolve(self, number: int) -> Iterator[tuple[Body, str | None]]:
        disputed = {
            receipt.sale_id(sale): sale.product
            for receipt in self.world.all(Receipt)
            for sale in receipt.sales
            if sale.disputed
        }
        if disputed:
            sale = self._random.choice(sorted(disputed))
            mine = [lot for lot, (_, product, _) in LOTS.items() if product == disputed[sale]]
            lot = self._random.choice([None, None, *mine])
            outcome = self._random.choice(list(DisputeOutcome))
            yield DisputeResolved(booth=B1, sale=sale, outcome=outcome, lot=lot), None

    def _close(self, number: int) -> Iterator[tuple[Body, str | None]]:
        if self.world.booth().deadline is None:
            yield a_closing(), None

    def _fire(self, number: int) -> Iterator[tuple[Body, str | None]]:
        if self.world.deadlines:
            self.world.fire()
        yield from ()

    def _last_word(self, number: int) -> Iterator[tuple[Body, str | None]]:
        till = self._random.choice(TILLS)
        yield a_last_word(self._next(till), till), None

    def _strike(self, number: int) -> Iterator[tuple[Body, str | None]]:
        yield TillStruck(booth=B1, till=self._random.choice(TILLS)), None

    def _stocking(self, lot: str) -> Body:
        facility, product, made_on = LOTS[lot]
        return a_stocking(lot, self._random.randint(1, 9), facility=facility, product=product, made_on=made_on)

    def _next(self, till: str) -> int:
        self._seqs[till] += 1
        return self._seqs[till]

    def _later(self) -> timedelta:
        return timedelta(minutes=self._random.randint(0, 300))


@given(st.randoms(use_true_random=False), st.integers(1, 30))
@examples(60)
def test_whatever_happens_at_a_booth_its_books_add_up(random: Random, steps: int) -> None:
    play = Play(random)
    for number in range(steps):
        play.step(number)
    evidence = play.world.evidence()
    assert broken(evidence) == {}
    assert evidence.of(Booth)
