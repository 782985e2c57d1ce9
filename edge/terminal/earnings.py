"""Sums of a facility's lots: pieces recorded, sold and owed, from the events of its terminal. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from edge.terminal.terminal import ReportStatus, TrackedReport
from shared.events import lot_number
from shared.events.language import Body
from shared.events.production import (
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    WithdrawReport,
)
from shared.events.sales import AdjustmentPublished, SalePublished, SettlementIssued, SettlementPostponed

R = TypeVar("R", SalePublished, AdjustmentPublished, SettlementIssued)


@dataclass(slots=True)
class OwnLot:
    """One lot of the facility. `recorded`: pieces with accepted corrections; None if another terminal reported it.
    `sold` and `rupiah`: by what the terminal has received."""

    lot: str
    product: str
    made_on: date
    recorded: int | None = None
    sold: int = 0
    rupiah: int = 0
    recalled: bool = False
    withdrawn: bool = False


@dataclass(slots=True)
class SoldProduct:
    """The sales of one festival of one product of the facility."""

    festival: str
    product: str
    qty: int = 0
    rupiah: int = 0


@dataclass(frozen=True, slots=True)
class OwedAtFestival:
    """One festival's account. `settlement`: the last one, None before the festival is settled. `sold_rupiah`: by the
    sales received. `reopened`: booths that sell again, for which the settlement waits."""

    festival: str
    sold_rupiah: int
    settlement: SettlementIssued | None
    reopened: tuple[str, ...] = ()


@dataclass(slots=True)
class FacilitySales:
    """The last word about each sale and each adjustment of a facility, and its settlements. `reopened`: by festival,
    booths that sell again since then."""

    sales: dict[str, SalePublished] = field(default_factory=dict)
    adjustments: dict[str, AdjustmentPublished] = field(default_factory=dict)
    settlements: dict[str, SettlementIssued] = field(default_factory=dict)
    reopened: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def _changes(self) -> list[SalePublished | AdjustmentPublished]:
        return [*self.sales.values(), *self.adjustments.values()]

    def sold(self) -> list[SoldProduct]:
        """Pieces and rupiah by festival and product."""
        sums: dict[tuple[str, str], SoldProduct] = {}
        for change in self._changes():
            place = change.festival, change.product
            total = sums.setdefault(place, SoldProduct(*place))
            total.qty += change.qty
            total.rupiah += change.amount_rupiah
        return [sums[place] for place in sorted(sums)]

    def owed(self) -> list[OwedAtFestival]:
        """Each festival's account."""
        rupiah: dict[str, int] = defaultdict(int)
        for line in self.sold():
            rupiah[line.festival] += line.rupiah
        festivals = sorted(rupiah.keys() | self.settlements.keys() | self.reopened.keys())
        return [
            OwedAtFestival(
                festival,
                rupiah.get(festival, 0),
                self.settlements.get(festival),
                tuple(sorted(set(self.reopened.get(festival, ())))),
            )
            for festival in festivals
        ]

    def by_lot(self) -> dict[str, tuple[int, int]]:
        """Pieces and rupiah by lot."""
        sums: dict[str, tuple[int, int]] = {}
        for change in self._changes():
            for share in change.lots:
                qty, rupiah = sums.get(share.lot, (0, 0))
                sums[share.lot] = qty + share.qty, rupiah + share.amount_rupiah
        return sums


def facility_sales(bodies: Iterable[Body]) -> FacilitySales:
    """The sales of these events, of which the highest revisions are valid. Those of one topic are in its order."""
    earnings = FacilitySales()
    for body in bodies:
        match body:
            case SalePublished():
                _keep(earnings.sales, body.sale, body)
            case AdjustmentPublished():
                _keep(earnings.adjustments, body.adjustment, body)
            case SettlementIssued():
                _keep(earnings.settlements, body.festival, body)
                # It is issued once every booth is settled, also those that sold again.
                earnings.reopened.pop(body.festival, None)
            case SettlementPostponed():
                earnings.reopened[body.festival].append(body.booth)
    return earnings


def own_lots(reports: Sequence[TrackedReport], answers: Iterable[Body], sales: FacilitySales) -> list[OwnLot]:
    """The lots of the facility, by number: those that its answers or sales name."""
    lots: dict[str, OwnLot] = {}
    for body in answers:
        if isinstance(body, ReportAccepted):
            _lot_in(lots, body.lot)
    for report in reports:
        if report.status is ReportStatus.ACCEPTED and isinstance(report.answer, ReportAccepted):
            _apply(_lot_in(lots, report.answer.lot), report.record.body)
    for id, (qty, rupiah) in sales.by_lot().items():
        lot = _lot_in(lots, id)
        lot.sold, lot.rupiah = qty, rupiah
    return [lots[id] for id in sorted(lots)]


def _apply(lot: OwnLot, body: Body) -> None:
    match body:
        case ProductionReported():
            lot.recorded = (lot.recorded or 0) + body.qty
        case ProductionCorrected():
            lot.recorded = lot.recorded if lot.recorded is None else lot.recorded + body.change
        case RecallLot():
            lot.recalled = True
        case LiftRecall():
            lot.recalled = False
        case WithdrawReport():
            lot.recorded, lot.withdrawn = 0, True


def _lot_in(lots: dict[str, OwnLot], id: str) -> OwnLot:
    if id not in lots:
        number = lot_number.parse(id)
        lots[id] = OwnLot(id, number.product, number.made_on) if number is not None else OwnLot(id, "", date.min)
    return lots[id]


def _keep(known: dict[str, R], id: str, body: R) -> None:
    if id not in known or known[id].revision < body.revision:
        known[id] = body
