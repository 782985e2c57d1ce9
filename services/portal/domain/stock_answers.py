"""What the festival service answers of transfers and refills, as far as pages read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.answers import SentLotRow


@dataclass(frozen=True, slots=True)
class TransferRow:
    """Pieces on their way from `booth` to booth `to`."""

    transfer: str
    booth: str
    to: str
    status: str
    due: datetime
    overdue: bool
    lots: tuple[SentLotRow, ...]

    @property
    def pieces(self) -> int:
        return sum(lot.sent for lot in self.lots)


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """What a booth has of a product, what it will probably sell until closing, and what it will lack. Unless `known`,
    too little was sold yet to tell."""

    booth: str
    product: str
    left: int
    expected: int
    give_or_take: int
    missing: int
    runs_out: datetime | None
    known: bool


@dataclass(frozen=True, slots=True)
class MoveRow:
    """Pieces that a booth can spare for another one, with the reason."""

    booth: str
    to: str
    lot: str
    product: str
    qty: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class RefillRow:
    """Pieces that facilities should send to a booth, with the reason."""

    booth: str
    product: str
    qty: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class RefillConflictRow:
    """Pieces of a refill that can't be planned, with the reason."""

    booth: str
    product: str
    short: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class RefillProposals:
    """What was proposed while the booths sell: transfers between them, and the request to facilities."""

    request: str
    at: datetime
    until: datetime
    opens: datetime | None
    forecasts: tuple[ForecastRow, ...]
    transfers: tuple[MoveRow, ...]
    refills: tuple[RefillRow, ...]
    conflicts: tuple[RefillConflictRow, ...]

    @property
    def short(self) -> list[ForecastRow]:
        """The forecasts of what will run out."""
        return [forecast for forecast in self.forecasts if forecast.missing]

    @property
    def unknown(self) -> list[str]:
        """The products of which too little is known."""
        return sorted({forecast.product for forecast in self.forecasts if not forecast.known})


@dataclass(frozen=True, slots=True)
class MoveGroup:
    """All pieces that should move from one booth to another: one transfer."""

    booth: str
    to: str
    moves: tuple[MoveRow, ...]

    @property
    def qty(self) -> int:
        return sum(move.qty for move in self.moves)


def move_groups(moves: Iterable[MoveRow]) -> list[MoveGroup]:
    """The moves by the booths that they join."""
    by_booths: dict[tuple[str, str], list[MoveRow]] = {}
    for move in moves:
        by_booths.setdefault((move.booth, move.to), []).append(move)
    return [MoveGroup(*booths, tuple(rows)) for booths, rows in sorted(by_booths.items())]
