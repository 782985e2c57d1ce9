"""What a revision changes in a plan, as it is kept with the request."""

from dataclasses import dataclass

from services.festival.domain.allocation.line import Offer
from services.festival.domain.planning import Conflict, Share
from shared.events.festival import BackReason


@dataclass(frozen=True, slots=True)
class ReturningLine:
    """A line that a revision gives back, and why."""

    reservation: str
    why: BackReason


@dataclass(frozen=True, slots=True)
class ShareMove:
    """Pieces that a facility can offer, and those that the plan gives it before and after a revision."""

    facility: str
    offered: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ShortMove:
    """Pieces that a booth asked for, and those that are missing before and after a revision."""

    booth: str
    product: str
    asked: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Revision:
    """The difference that the latest revision makes, in reservations and pieces, and what it said of its plan. It
    waits until it is `carried_out`. `lost`, `recalled`: the pieces lost on the way, and recalled, that it makes good
    or says to be missing."""

    reason: str
    reason_id: str
    without: tuple[str, ...]
    added: tuple[str, ...]
    back: tuple[ReturningLine, ...]
    kept: int
    share_moves: tuple[ShareMove, ...]
    short_moves: tuple[ShortMove, ...]
    offers: tuple[Offer, ...] = ()
    shares: tuple[Share, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    lost: int = 0
    recalled: int = 0
    carried_out: bool = False
