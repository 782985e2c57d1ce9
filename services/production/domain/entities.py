"""The entities of production: lots, the counters of their numbers, and the outcome of each report."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.production.domain.refusals import ReportRejection
from shared.events.production import ProductionReported


@dataclass(frozen=True, slots=True)
class Counter:
    """The number of lots of one product that a facility has for one day. `id` is made by `counter_id`."""

    id: str
    last: int


def counter_id(facility: str, product: str, made_on: date) -> str:
    """The id of the counter of a facility's product and day."""
    return f"{facility}/{product}/{made_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot: `qty` pieces as first recorded; `corrected` is the sum of the accepted corrections.

    `withdrawn`: its report was withdrawn, so there is no such lot.
    `maker` is a keyed pseudonym. No event and no page outside production may contain it.
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
    withdrawn: bool = False


class ReportKind(StrEnum):
    PRODUCTION = "production"
    CORRECTION = "correction"
    RECALL = "recall"
    LIFT = "lift"
    WITHDRAWAL = "withdrawal"


class ReportOutcome(StrEnum):
    """WAITING: goods wait for the facility's catalogue, a correction or withdrawal for inventory, which knows the
    stock."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """One report of a terminal and its outcome. `id` is the event's id; `change`, in pieces, is set for a
    correction and for a withdrawal that inventory carried out."""

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


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report of goods that waits until its facility's catalogue has come, with all that its event said.

    `id` is the event's. `waits_at` is the facility, or empty once the report was released.
    """

    id: str
    waits_at: str
    source: str
    key: str
    time: datetime
    logged_at: datetime
    body: ProductionReported
