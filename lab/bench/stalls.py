"""The booths of a made-up festival by the minute: buyers take stock, replenishment moves stock and brings more."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.bench.buyers import MINUTES, Buyer, SimulatedFestival, unallocated
from services.festival.domain.planning import good_on, plan
from services.festival.domain.replenishment import HeldLot, Proposal, SalesHistory, SalesHour, Situation, rules_after

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Booth and product.
Shelf = tuple[str, str]
Propose = Callable[[Situation], Proposal]


@dataclass(slots=True)
class FestivalOutcome:
    """The result of one or several festivals.

    `out`: cases (booth, product, day) in which a buyer found too little before closing. `closed_out`: of these, cases
    without stock at closing. `scarce`: of these, cases of a product of which that day more was wanted than all booths
    and facilities had. `missed`: pieces that buyers did not get. `walks`: pairs of booths in each proposal;
    `shipments`: pairs of facility and booth.
    """

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

    def __add__(self, other: "FestivalOutcome") -> "FestivalOutcome":
        return FestivalOutcome(*(getattr(self, name) + getattr(other, name) for name in FestivalOutcome.__slots__))


@dataclass(frozen=True, slots=True)
class _Delivery:
    at: datetime
    booth: str
    lot: str
    qty: int


class BoothSimulation:
    """One festival from its first morning to its last evening.

    `stock`: the facilities' pieces by lot, which shipments reduce. `propose` is called each full hour and each
    evening, `on_hour` each full hour.
    """

    def __init__(
        self,
        festival: SimulatedFestival,
        stock: dict[str, int],
        propose: Propose | None = None,
        on_hour: Callable[["BoothSimulation", int, int], None] | None = None,
    ) -> None:
        self.festival = festival
        self.stock = stock
        self.outcome = FestivalOutcome()
        self._propose = propose
        self._on_hour = on_hour
        self._shelves: dict[Shelf, dict[str, int]] = defaultdict(dict)
        self._sold: dict[Shelf, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._stocked_minutes: dict[Shelf, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._coming: list[_Delivery] = []
        self._missed: set[Shelf] = set()
        for booth, lots in festival.placed.items():
            for lot, qty in lots.items():
                self._add(booth, lot, qty)

    def run(self) -> FestivalOutcome:
        brought = sum(sum(lots.values()) for lots in self._shelves.values())
        for day, opens in enumerate(self.festival.opens):
            if day:
                evening = self.festival.opens[day - 1] + MINUTES * MINUTE
                self._refill(self.situation(evening, opens + MINUTES * MINUTE, opens))
            self._day(day, opens)
        for delivery in self._coming:
            self._add(delivery.booth, delivery.lot, delivery.qty)
        self.outcome.unsold = sum(sum(lots.values()) for lots in self._shelves.values())
        assert brought + self.outcome.sent == self.outcome.sold + self.outcome.unsold, (
            "pieces are neither created nor lost"
        )
        return self.outcome

    def situation(self, at: datetime, until: datetime, opens: datetime | None = None) -> Situation:
        """The situation at this moment, as the organisers know it."""
        lots: dict[tuple[str, str], tuple[int, int]] = {
            (booth, lot): (qty, 0) for (booth, _), stock in self._shelves.items() for lot, qty in stock.items()
        }
        for delivery in self._coming:
            present, coming = lots.get((delivery.booth, delivery.lot), (0, 0))
            lots[delivery.booth, delivery.lot] = present, coming + delivery.qty
        return Situation(
            at=at,
            until=until,
            sells=self.festival.sells,
            histories=tuple(
                SalesHistory(
                    *shelf,
                    tuple(SalesHour(hour, self._sold[shelf][hour], minutes) for hour, minutes in hours.items()),
                )
                for shelf, hours in self._stocked_minutes.items()
            ),
            held=tuple(self._held(booth, lot, *qty) for (booth, lot), qty in lots.items()),
            rules=self.festival.rules,
            opens=opens,
        )

    def _held(self, booth: str, lot: str, present: int, coming: int) -> HeldLot:
        placed = self.festival.lots[lot]
        return HeldLot(
            booth, lot, placed.facility, placed.product, placed.made_on, present, coming, placed.best_before
        )

    def _day(self, day: int, opens: datetime) -> None:
        self._missed = set()
        stock = self._pieces()
        pieces: dict[str, int] = defaultdict(int)
        buyers: dict[int, list[Buyer]] = defaultdict(list)
        for buyer in self.festival.buyers[day]:
            buyers[buyer.minute].append(buyer)
            pieces[buyer.product] += buyer.qty
        for minute in range(MINUTES):
            now = opens + minute * MINUTE
            if minute and minute % 60 == 0:
                if self._on_hour is not None:
                    self._on_hour(self, day, minute)
                self._refill(self.situation(now, opens + MINUTES * MINUTE))
            self._arrive(now)
            hour = (now - EPOCH) // HOUR
            for shelf, lots in self._shelves.items():
                if lots:
                    self._stocked_minutes[shelf][hour] += 1
            for buyer in buyers[minute]:
                self._serve(buyer, hour)
        self.outcome.out += len(self._missed)
        self.outcome.closed_out += sum(1 for shelf in self._missed if not self._shelves[shelf])
        self.outcome.scarce += sum(1 for _, product in self._missed if pieces[product] > stock[product])

    def _pieces(self) -> dict[str, int]:
        """Pieces by product at booths and at facilities, without lots that would be stale."""
        pieces: dict[str, int] = defaultdict(int)
        last_day = self.festival.plan.announcement.last_day
        for lot, qty in self.stock.items():
            placed = self.festival.lots[lot]
            if good_on(placed.best_before, last_day):
                pieces[placed.product] += qty
        for (_, product), lots in self._shelves.items():
            pieces[product] += sum(lots.values())
        return pieces

    def _serve(self, buyer: Buyer, hour: int) -> None:
        qty = self._sell((buyer.booth, buyer.product), buyer.qty, hour)
        if qty == buyer.qty:
            return
        self._missed.add((buyer.booth, buyer.product))
        if not qty and buyer.instead is not None:
            qty = self._sell((buyer.booth, buyer.instead), buyer.qty, hour)
        self.outcome.missed += buyer.qty - qty

    def _sell(self, shelf: Shelf, qty: int, hour: int) -> int:
        """Sell up to `qty` pieces, the oldest lots first. Returns how many were sold."""
        lots, sold = self._shelves[shelf], 0
        for lot in sorted(lots, key=lambda lot: (self.festival.lots[lot].made_on, lot)):
            sold += self._take(shelf, lot, qty - sold)
            if sold == qty:
                break
        self._sold[shelf][hour] += sold
        self.outcome.sold += sold
        return sold

    def _take(self, shelf: Shelf, lot: str, qty: int) -> int:
        lots = self._shelves[shelf]
        taken_qty = min(qty, lots[lot])
        lots[lot] -= taken_qty
        if not lots[lot]:
            del lots[lot]
        return taken_qty

    def _add(self, booth: str, lot: str, qty: int) -> None:
        lots = self._shelves[booth, self.festival.lots[lot].product]
        lots[lot] = lots.get(lot, 0) + qty

    def _arrive(self, now: datetime) -> None:
        for delivery in self._coming:
            if delivery.at <= now:
                self._add(delivery.booth, delivery.lot, delivery.qty)
        self._coming = [delivery for delivery in self._coming if delivery.at > now]

    def _refill(self, now: Situation) -> None:
        if self._propose is None:
            return
        proposal = self._propose(now)
        for move in proposal.moves:
            moved_qty = self._take((move.booth, move.product), move.lot, move.qty)
            assert moved_qty == move.qty, "a proposal moves at most the stock"
            self._coming.append(_Delivery(now.at + now.carried_within, move.to, move.lot, moved_qty))
            self.outcome.moved += moved_qty
        self.outcome.walks += len({(move.booth, move.to) for move in proposal.moves})
        if proposal.refills:
            demands = [refill.wanted for refill in proposal.refills]
            allocation = plan(
                demands, unallocated(self.festival.lots, self.stock), rules=rules_after(now.rules, proposal.moves)
            )
            for chosen in allocation.allotments:
                self.stock[chosen.lot.lot] -= chosen.qty
                self._coming.append(_Delivery(now.at + now.sent_within, chosen.booth, chosen.lot.lot, chosen.qty))
                self.outcome.sent += chosen.qty
            self.outcome.shipments += allocation.shipments
