"""The lines of a plan with their status, and the offers and caps that plans are made with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.events.festival import LineReason, LotReason


class LineStatus(StrEnum):
    """`PROPOSED`: a pending revision would add the line; until then it counts for nothing."""

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
SENT = frozenset({LineStatus.DISPATCHING, LineStatus.DISPATCHED})
COUNTED = HELD | {LineStatus.PLANNED, LineStatus.ASKED}
# Expected at the booth, and not on its way yet.
PROMISED = COUNTED - {LineStatus.DISPATCHED}


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """`qty` pieces of a lot for a booth.

    - `revision`: that of the lot's balance in the plan.
    - `why`, `first`: the reasons for the facility and the lot.
    - `lost`: pieces that did not arrive with the shipment.
    """

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
    """The `qty` pieces of a lot on hand when inventory refused line number `line`."""

    lot: str
    line: int
    qty: int


def pieces(lines: Iterable[AllocationLine], statuses: frozenset[LineStatus] = COUNTED) -> int:
    """The pieces of the lines with these statuses, less those lost on the way."""
    return sum(line.qty - line.lost for line in lines if line.status in statuses)


def has_promised(lines: Iterable[AllocationLine]) -> bool:
    """Whether any of the lines is still to come."""
    return any(line.status in PROMISED for line in lines)
