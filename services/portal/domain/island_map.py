"""The map of Nusa Tenggara Timur: its islands, darker the more their facilities sold, and the towns of facilities."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# An island's shade is from 0, nothing sold, to this one, the most sold.
SHADES = 4
# Of a town's dot, in units of the picture: without a sale, and with all of them.
SMALLEST, LARGEST = 5.0, 14.0
# A facility's code ends with that of its town, e.g. `PR-KPG`.
TOWN_LETTERS = 3


@dataclass(frozen=True, slots=True)
class IslandOutline:
    """An island's coast, as the data of an SVG path. `name_at`: where its name is written."""

    code: str
    name: str
    path: str
    name_at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TownPlace:
    name: str
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outline:
    """What never changes of the map. `islets`, `neighbours`: land without a shade."""

    source: str
    licence: str
    width: int
    height: int
    islands: tuple[IslandOutline, ...]
    islets: str
    neighbours: str
    towns: Mapping[str, TownPlace]


@dataclass(frozen=True, slots=True)
class ShadedIsland:
    """An island with the pieces that its facilities sold. `has_facilities`: the catalogue has some there."""

    outline: IslandOutline
    qty: int
    shade: int
    has_facilities: bool


@dataclass(frozen=True, slots=True)
class TownDot:
    """A town with its facilities and what they sold."""

    place: TownPlace
    facilities: Sequence[str]
    qty: int
    radius: float


@dataclass(frozen=True, slots=True)
class IslandMap:
    """The picture."""

    outline: Outline
    islands: Sequence[ShadedIsland]
    towns: Sequence[TownDot]


def map_of(outline: Outline, facilities: Iterable[tuple[str, str, int]]) -> IslandMap:
    """The map of facilities, each with the code of its island and the pieces that it sold."""
    by_island: dict[str, int] = defaultdict(int)
    by_town: dict[str, dict[str, int]] = defaultdict(dict)
    for facility, island, qty in facilities:
        by_island[island] += qty
        by_town[facility[-TOWN_LETTERS:]][facility] = qty
    most = max((by_island[island.code] for island in outline.islands if island.code in by_island), default=0)
    islands = [
        ShadedIsland(island, qty, _shade(qty, most), island.code in by_island)
        for island in outline.islands
        for qty in (by_island.get(island.code, 0),)
    ]
    sums = {code: sum(by_town[code].values()) for code in outline.towns if code in by_town}
    all_pieces = sum(sums.values())
    towns = [
        TownDot(outline.towns[code], sorted(by_town[code]), qty, _radius(qty, all_pieces))
        for code, qty in sums.items()
    ]
    return IslandMap(outline, islands, towns)


def _shade(qty: int, most: int) -> int:
    return math.ceil(SHADES * qty / most) if qty > 0 else 0


def _radius(qty: int, all_pieces: int) -> float:
    """The dot's area grows with the pieces."""
    share = math.sqrt(max(0, qty) / all_pieces) if all_pieces > 0 else 0.0
    return round(SMALLEST + (LARGEST - SMALLEST) * share, 1)
