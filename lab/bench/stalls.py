"""The booths of a made-up festival by the minute: buyers take what is there, refills move and bring more."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.bench.buyers import MINUTES, Buyer, Festival, left
from services.festival.domain.planning import plan
from services.festival.domain.replenishment import Held, Hour, Pace, Proposal, Situation, after

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Booth and product.
Shelf = tuple[str, str]
Propose = Callable[[Situation], Proposal]


@dataclass(slots=True)
class Outcome:
    """What became of one or several festivals. `out`: booth × product × days that had nothing left for somebody
    before closing; `closed_out`: of these, such that had nothing at closing either; `scarce`: of a product of which
    more was wanted that day than all booths and facilities had. `missed`: pieces that buyers went without. `walks`:
    pairs of booths in each run; `shipments`: of facility and booth."""

    out: int = 0
    closed_out: int = 0
    scarce: int = 0
    missed: int = 0
    sold: int = 0
    unsold: int = 0
    walks: int = 0
    moved: int = 0
    shipments: int = 0
    sent: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(getattr(self, name) + getattr(other, name) for name in Outcome.__slots__))


@dataclass(frozen=True, slots=True)
class _Coming:
    at: datetime
    booth: str
    lot: str
    qty: int


class Stalls:
    """One festival from its first morning to its last evening. `stock`: what facilities have, which it takes from.
    `propose` is asked each full hour and each evening; `look` is called each full hour."""

    def __init__(
        self,
        festival: Festival,
        stock: dict[str, int],
        propose: Propose | None = None,
        look: Callable[["Stalls", int, int], None] | None = None,
    ) -> None:
        self.festival = festival
        self.stock = stock
        self.outcome = Outcome()
        self._propose = propose
        self._look = look
        self._shelves: dict[Shelf, dict[str, int]] = defaultdict(dict)
        self._sold: dict[Shelf, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._there: dict[Shelf, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._coming: list[_Coming] = []
        self._missed: set[Shelf] = set()
        for booth, lots in festival.placed.items():
            for lot, qty in lots.items():
                self._put(booth, lot, qty)

    def run(self) -> Outcome:
        brought = sum(sum(lots.values()) for lots in self._shelves.values())
        for day, opens in enumerate(self.festival.opens):
            if day:
                evening = self.festival.opens[day - 1] + MINUTES * MINUTE
                self._refill(self.situation(evening, opens + MINUTES * MINUTE, opens))
            self._day(day, opens)
        for coming in self._coming:
            self._put(coming.booth, coming.lot, coming.qty)
        self.outcome.unsold = sum(sum(lots.values()) for lots in self._shelves.values())
        assert brought + self.outcome.sent == self.outcome.sold + self.outcome.unsold, (
            "no piece comes or goes by itself"
        )
        return self.outcome

    def situation(self, at: datetime, until: datetime, opens: datetime | None = None) -> Situation:
        """What the organisers know then."""
        lots: dict[tuple[str, str], tuple[int, int]] = {
            (booth, lot): (qty, 0) for (booth, _), there in self._shelves.items() for lot, qty in there.items()
        }
        for one in self._coming:
            here, coming = lots.get((one.booth, one.lot), (0, 0))
            lots[one.booth, one.lot] = here, coming + one.qty
        return Situation(
            at=at,
            until=until,
            sells=self.festival.sells,
            paces=tuple(
                Pace(*shelf, tuple(Hour(hour, self._sold[shelf][hour], there) for hour, there in hours.items()))
                for shelf, hours in self._there.items()
            ),
            held=tuple(self._held(booth, lot, *qty) for (booth, lot), qty in lots.items()),
            rules=self.festival.rules,
            opens=opens,
        )

    def _held(self, booth: str, lot: str, here: int, coming: int) -> Held:
        known = self.festival.lots[lot]
        return Held(booth, lot, known.facility, known.product, known.made_on, here, coming, known.best_before)

    def _day(self, day: int, opens: datetime) -> None:
        self._missed = set()
        there = self._pieces()
        wanted: dict[str, int] = defaultdict(int)
        buyers: dict[int, list[Buyer]] = defaultdict(list)
        for buyer in self.festival.buyers[day]:
            buyers[buyer.minute].append(buyer)
            wanted[buyer.product] += buyer.qty
        for minute in range(MINUTES):
            now = opens + minute * MINUTE
            if minute and minute % 60 == 0:
                if self._look is not None:
                    self._look(self, day, minute)
                self._refill(self.situation(now, opens + MINUTES * MINUTE))
            self._arrive(now)
            hour = (now - EPOCH) // HOUR
            for shelf, lots in self._shelves.items():
                if lots:
                    self._there[shelf][hour] += 1
            for buyer in buyers[minute]:
                self._serve(buyer, hour)
        self.outcome.out += len(self._missed)
        self.outcome.closed_out += sum(1 for shelf in self._missed if not self._shelves[shelf])
        self.outcome.scarce += sum(1 for _, product in self._missed if wanted[product] > there[product])

    def _pieces(self) -> dict[str, int]:
        """By product: all at the booths and at facilities, if it will not be stale."""
        pieces: dict[str, int] = defaultdict(int)
        last_day = self.festival.plan.announcement.last_day
        for lot, qty in self.stock.items():
            known = self.festival.lots[lot]
            if known.best_before is None or known.best_before > last_day:
                pieces[known.product] += qty
        for (_, product), lots in self._shelves.items():
            pieces[product] += sum(lots.values())
        return pieces

    def _serve(self, buyer: Buyer, hour: int) -> None:
        got = self._sell((buyer.booth, buyer.product), buyer.qty, hour)
        if got == buyer.qty:
            return
        self._missed.add((buyer.booth, buyer.product))
        if not got and buyer.instead is not None:
            got = self._sell((buyer.booth, buyer.instead), buyer.qty, hour)
        self.outcome.missed += buyer.qty - got

    def _sell(self, shelf: Shelf, qty: int, hour: int) -> int:
        """As many as there are, the oldest first; how many that is."""
        lots, got = self._shelves[shelf], 0
        for lot in sorted(lots, key=lambda lot: (self.festival.lots[lot].made_on, lot)):
            got += self._take(shelf, lot, qty - got)
            if got == qty:
                break
        self._sold[shelf][hour] += got
        self.outcome.sold += got
        return got

    def _take(self, shelf: Shelf, lot: str, qty: int) -> int:
        lots = self._shelves[shelf]
        got = min(qty, lots[lot])
        lots[lot] -= got
        if not lots[lot]:
            del lots[lot]
        return got

    def _put(self, booth: str, lot: str, qty: int) -> None:
        lots = self._shelves[booth, self.festival.lots[lot].product]
        lots[lot] = lots.get(lot, 0) + qty

    def _arrive(self, now: datetime) -> None:
        for one in self._coming:
            if one.at <= now:
                self._put(one.booth, one.lot, one.qty)
        self._coming = [one for one in self._coming if one.at > now]

    def _refill(self, now: Situation) -> None:
        if self._propose is None:
            return
        proposal = self._propose(now)
        for move in proposal.moves:
            took = self._take((move.booth, move.product), move.lot, move.qty)
            assert took == move.qty, "a proposal moves no more than there is"
            self._coming.append(_Coming(now.at + now.carried_within, move.to, move.lot, took))
            self.outcome.moved += took
        self.outcome.walks += len({(move.booth, move.to) for move in proposal.moves})
        if proposal.refills:
            asked = [refill.wanted for refill in proposal.refills]
            sent = plan(asked, left(self.festival.lots, self.stock), rules=after(now.rules, proposal.moves))
            for one in sent.chosen:
                self.stock[one.lot.lot] -= one.qty
                self._coming.append(_Coming(now.at + now.sent_within, one.booth, one.lot.lot, one.qty))
                self.outcome.sent += one.qty
            self.outcome.shipments += sent.shipments
