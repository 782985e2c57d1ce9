"""What production keeps: lots, the day's counters that number them, and what became of each report."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.production.domain.refusals import ReportRejection


@dataclass(frozen=True, slots=True)
class Counter:
    """How many lots of one product a facility has numbered for one day. `id` as `counter_id` makes it."""

    id: str
    last: int


def counter_id(facility: str, product: str, made_on: date) -> str:
    return f"{facility}/{product}/{made_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Lot:
    """`qty` pieces as first recorded; `corrected` is the sum of the changes that inventory took since.

    `maker` is a keyed pseudonym: no event and no page outside production may carry it.
    """

    id: str
    facility: str
    product: str
    category: str
    qty: int
    made_on: date
    best_before: date | None
    maker: str | None
    report: str
    recorded_at: datetime
    corrected: int = 0
    corrections: int = 0
    recalled: bool = False


class ReportKind(StrEnum):
    PRODUCTION = "production"
    CORRECTION = "correction"
    RECALL = "recall"


class ReportOutcome(StrEnum):
    """WAITING: for inventory, which alone knows whether a correction fits the stock."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """One report of a terminal and what became of it. `id` is the event's; `change` of a correction."""

    id: str
    source: str
    facility: str
    terminal: str
    kind: ReportKind
    outcome: ReportOutcome
    taken_at: datetime
    lot: str | None = None
    change: int | None = None
    rejection: ReportRejection | None = None
