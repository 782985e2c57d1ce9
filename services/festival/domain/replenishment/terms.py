"""What a refill is proposed from and what a proposal is made of. Quantities are pieces, times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.festival.domain.planning import RequestDemand, Rules

HOUR = timedelta(hours=1)
# What people at a festival said of neither: half an hour from booth to booth, two hours from a facility nearby.
CARRIED_WITHIN = timedelta(minutes=30)
SENT_WITHIN = timedelta(hours=2)


class SalesHour(NamedTuple):
    """Pieces sold in one clock hour, counted in hours since 1970, and the `minutes` of it in which the booth was open
    and had some to sell. Without that, what was not there would look like what nobody wanted: so an hour in which
    nothing was sold belongs here too, with its minutes."""

    hour: int
    qty: int
    minutes: int


@dataclass(frozen=True, slots=True)
class SalesHistory:
    """How one booth has sold a product so far, in the order of the hours, earlier days included."""

    booth: str
    product: str
    hours: tuple[SalesHour, ...]


@dataclass(frozen=True, slots=True)
class HeldLot:
    """One lot at a booth: `left` on the shelf, `coming` on their way to it. What was recalled is `withdrawn`."""

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
    """All that is known at a moment of the booths that are open.

    They close at `until`, the same day; if they are closed now, `opens` is when they open again. `sells`: the
    products that each booth has a price for. `rules`: what booths can take beyond what is there or coming, and on
    which last day what moves must be good. `most_moves`: what people can carry out, in lots moved; None: all that
    there is to move.
    """

    at: datetime
    until: datetime
    sells: Mapping[str, frozenset[str]]
    paces: tuple[SalesHistory, ...]
    held: tuple[HeldLot, ...]
    rules: Rules = field(default_factory=Rules)
    carried_within: timedelta = CARRIED_WITHIN
    sent_within: timedelta = SENT_WITHIN
    most_moves: int | None = None
    opens: datetime | None = None

    @property
    def sells_from(self) -> datetime:
        """From when on buyers may come."""
        return self.at if self.opens is None else max(self.at, self.opens)

    @property
    def hours(self) -> float:
        """Open hours until closing."""
        return (self.until - self.sells_from) / HOUR

    def open_before_arrival(self, within: timedelta) -> timedelta:
        """How long booths are open before something comes that is on its way for so long."""
        return max(timedelta(), self.at + within - self.sells_from)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a booth has of a product (on its way counts) and will sell until closing if it has enough: `expected`,
    give or take. `missing`: how many too few there are. `runs_out`: when the last one goes, if before closing."""

    booth: str
    product: str
    left: int
    expected: int
    give_or_take: int
    missing: int
    runs_out: datetime | None


@dataclass(frozen=True, slots=True)
class Move:
    """`qty` pieces of a lot that should go from one booth to another, and why: in English and in Indonesian."""

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
    """What facilities should send, and why."""

    wanted: RequestDemand
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`refills` is what no other booth can spare: to be planned as any request, within the room that the moves
    leave."""

    forecasts: tuple[Forecast, ...]
    moves: tuple[Move, ...] = ()
    refills: tuple[Refill, ...] = ()
