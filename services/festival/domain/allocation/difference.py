"""The changes of a revision, as stored with the request."""

from dataclasses import dataclass

from services.festival.domain.line import Offer
from services.festival.domain.planning import Conflict, Share
from shared.events.festival import BackReason


@dataclass(frozen=True, slots=True)
class ReturningLine:
    """A line that a revision gives back, and the reason."""

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
    """The latest revision of a request: its changes in reservations and pieces, and the explanation of its plan.

    It is pending until it is `carried_out`. `lost` and `recalled` are the pieces lost on the way and recalled that it
    replaces or reports as missing.
    """

    reason: str
    reason_id: str
    excluded_facilities: tuple[str, ...]
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
