"""The picture of a plan: how many pieces flow from which facility to which booth."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.portal.domain.answers import LineRow

# Of the picture; the rest on both sides is for names.
WIDTH = 440
LEFT, RIGHT = 136, 336
BAR = 12
GAP = 18
TOP = 8
# So high is the taller side without its gaps; a bar is never thinner than a line that can be seen.
PIECES_HEIGHT = 180
THINNEST = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """A facility or a booth with its pieces, from `y` downwards."""

    name: str
    qty: int
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Stream:
    """Pieces from a facility to a booth, as the path of a line with a width."""

    facility: str
    booth: str
    qty: int
    path: str
    width: float


@dataclass(frozen=True, slots=True)
class PlanFlow:
    """The picture: facilities on the left, booths on the right."""

    facilities: Sequence[Bar]
    booths: Sequence[Bar]
    streams: Sequence[Stream]
    height: float
    width: int = WIDTH
    left: int = LEFT
    right: int = RIGHT
    bar: int = BAR


def flow_of(lines: Iterable[LineRow]) -> PlanFlow | None:
    """The picture of the lines of a plan, or None without a piece."""
    pieces: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        pieces[line.facility, line.booth] += line.qty
    total = sum(pieces.values())
    if not total:
        return None
    scale = PIECES_HEIGHT / total
    facilities = _bars(_sums((facility, qty) for (facility, _), qty in pieces.items()), scale)
    booths = _bars(_sums((booth, qty) for (_, booth), qty in pieces.items()), scale)
    left = {bar.name: bar.y for bar in facilities}
    right = {bar.name: bar.y for bar in booths}
    streams: list[Stream] = []
    for (facility, booth), qty in sorted(pieces.items()):
        width = max(THINNEST, qty * scale)
        start, end = left[facility] + width / 2, right[booth] + width / 2
        left[facility] += width
        right[booth] += width
        middle = (LEFT + RIGHT) / 2
        x1, x2 = LEFT + BAR, RIGHT
        path = f"M{x1},{start:.1f} C{middle:.0f},{start:.1f} {middle:.0f},{end:.1f} {x2},{end:.1f}"
        streams.append(Stream(facility, booth, qty, path, round(width, 1)))
    height = max(bars[-1].y + bars[-1].height for bars in (facilities, booths)) + TOP
    return PlanFlow(facilities, booths, streams, height)


def _sums(rows: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    sums: dict[str, list[int]] = defaultdict(list)
    for name, qty in rows:
        sums[name].append(qty)
    return sums


def _bars(pieces: Mapping[str, list[int]], scale: float) -> list[Bar]:
    bars: list[Bar] = []
    y = float(TOP)
    for name in sorted(pieces):
        height = sum(max(THINNEST, qty * scale) for qty in pieces[name])
        bars.append(Bar(name, sum(pieces[name]), round(y, 1), round(height, 1)))
        y += height + GAP
    return bars
