"""Parcels: what can be sent, and what a count says of what came."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.portal.domain.answers import PlanPage, SentLotRow

RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Ready:
    """Pieces that a facility has reserved for a booth under a request, and can send."""

    request: str
    facility: str
    booth: str
    qty: int

    @property
    def mark(self) -> str:
        """Tells it from every other one, also from the same with other pieces."""
        return f"{self.request}/{self.facility}/{self.booth}/{self.qty}"


@dataclass(frozen=True, slots=True)
class CountedRow:
    """A lot of an arrival: sent and counted pieces, and what the count makes lost or surplus."""

    lot: str
    sent: int
    counted: int

    @property
    def lost(self) -> int:
        return max(0, self.sent - self.counted)

    @property
    def surplus(self) -> int:
        return max(0, self.counted - self.sent)


def ready(plans: Iterable[PlanPage]) -> list[Ready]:
    """What can be sent, by request, facility and booth."""
    pieces: Counter[tuple[str, str, str]] = Counter()
    for plan in plans:
        for line in plan.lines:
            if line.status == RESERVED:
                pieces[plan.request, line.facility, line.booth] += line.qty
    return [Ready(*place, qty) for place, qty in sorted(pieces.items())]


def compare(lots: Iterable[SentLotRow], counted: Mapping[str, int]) -> list[CountedRow]:
    """The lots of an arrival beside their count. Lots that were not counted count as 0."""
    return [CountedRow(lot.lot, lot.sent, counted.get(lot.lot, 0)) for lot in lots]


def next_name(prefix: str, used: Sequence[str]) -> str:
    """`S3` where `S1` and `S2` are used."""
    return next(name for number in range(1, len(used) + 2) if (name := f"{prefix}{number}") not in used)
