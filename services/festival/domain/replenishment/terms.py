"""The input of a replenishment proposal and its parts. Quantities are pieces, times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.festival.domain.planning import RequestDemand, Rules

HOUR = timedelta(hours=1)
# Defaults without a figure of the organiser: half an hour between booths, two hours from a facility nearby.
CARRIED_WITHIN = timedelta(minutes=30)
SENT_WITHIN = timedelta(hours=2)


class SalesHour(NamedTuple):
    """The pieces sold in one clock hour (in hours since 1970), and its `minutes` with an open booth in stock.

    The minutes tell missing stock from missing demand. So an hour without a sale belongs here too.
    """

    hour: int
    qty: int
    minutes: int


@dataclass(frozen=True, slots=True)
class SalesHistory:
    """The sales of a product at one booth so far, in the order of the hours, earlier days included."""

    booth: str
    product: str
    hours: tuple[SalesHour, ...]


@dataclass(frozen=True, slots=True)
class HeldLot:
    """One lot at a booth: pieces `left` there and `coming` on their way. A recalled lot is `withdrawn`."""

    booth: str
    lot: str
    facility: str
    product: str
    made_on: date
    left: int
    coming: int = 0
    best_before: date | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of the open booths at a moment.

    - `until`: closing time, the same day. `opens`: the next opening, if the booths are closed now.
    - `sells`: the products with a price, by booth.
    - `rules`: the room of booths beyond present and coming stock, and the last day on which moved lots must be good.
    - `most_moves`: the lots that people can move at most; None: no limit.
    """

    at: datetime
    until: datetime
    sells: Mapping[str, frozenset[str]]
    histories: tuple[SalesHistory, ...]
    held: tuple[HeldLot, ...]
    rules: Rules = field(default_factory=Rules)
    carried_within: timedelta = CARRIED_WITHIN
    sent_within: timedelta = SENT_WITHIN
    most_moves: int | None = None
    opens: datetime | None = None

    @property
    def sells_from(self) -> datetime:
        """The time from which buyers can come."""
        return self.at if self.opens is None else max(self.at, self.opens)

    @property
    def hours(self) -> float:
        """The open hours until closing."""
        return (self.until - self.sells_from) / HOUR

    def open_before_arrival(self, within: timedelta) -> timedelta:
        """The open time before goods arrive that take `within`."""
        return max(timedelta(), self.at + within - self.sells_from)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The stock of a product at a booth, with coming pieces, and its expected sales until closing.

    `missing`: the shortage. `runs_out`: the time of the last sale, if before closing. Unless it is `known`,
    too little was seen of the product's sales, and nothing is expected.
    """

    booth: str
    product: str
    left: int
    expected: int
    give_or_take: int
    missing: int
    runs_out: datetime | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """`qty` pieces of a lot that should go from one booth to another, with the reason in English and Indonesian."""

    booth: str
    to: str
    lot: str
    facility: str
    product: str
    qty: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class Refill:
    """The demand that facilities should meet, and the reason."""

    wanted: RequestDemand
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal. `refills` are the demands that no other booth can meet.

    They are planned like any request, within the room that the moves leave.
    """

    forecasts: tuple[Forecast, ...]
    moves: tuple[Move, ...] = ()
    refills: tuple[Refill, ...] = ()
