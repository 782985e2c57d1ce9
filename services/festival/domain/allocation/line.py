"""A line of a plan: pieces of one lot for one booth, and what becomes of them; and what plans are made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.events.festival import LineReason, LotReason


class LineStatus(StrEnum):
    """`PROPOSED`: a revision that waits would add it; until then it counts for nothing."""

    PROPOSED = "proposed"
    PLANNED = "planned"
    ASKED = "asked"
    RESERVED = "reserved"
    REFUSED = "refused"
    RELEASING = "releasing"
    RELEASED = "released"
    DISPATCHING = "dispatching"
    DISPATCHED = "dispatched"


OPEN = frozenset({LineStatus.ASKED, LineStatus.RELEASING})
HELD = frozenset({LineStatus.RESERVED, LineStatus.DISPATCHING, LineStatus.DISPATCHED})
COUNTED = HELD | {LineStatus.PLANNED, LineStatus.ASKED}
# Neither at the booth yet nor on its way, but it will come.
PROMISED = COUNTED - {LineStatus.DISPATCHED}


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """`qty` pieces of a lot for a booth; `revision` is the lot's balance that the plan saw, `why` and `first` say why
    it is from this facility and of this lot. `lost`: pieces of it that did not come with its shipment."""

    reservation: str
    booth: str
    product: str
    facility: str
    lot: str
    made_on: date
    qty: int
    revision: int
    status: LineStatus
    why: LineReason | None = None
    first: LotReason | None = None
    lost: int = 0
    best_before: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Pieces of a product that a facility could have given to this request."""

    facility: str
    product: str
    qty: int


@dataclass(frozen=True, slots=True)
class Cap:
    """Inventory refused line number `line` of the lot: `qty` pieces were on hand then."""

    lot: str
    line: int
    qty: int


def pieces(lines: Iterable[AllocationLine], of: frozenset[LineStatus] = COUNTED) -> int:
    """How many pieces, without those that were lost on the way."""
    return sum(line.qty - line.lost for line in lines if line.status in of)


def has_promised(lines: Iterable[AllocationLine]) -> bool:
    """Something of them is still to come."""
    return any(line.status in PROMISED for line in lines)
