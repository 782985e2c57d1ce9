"""The outline of Nusa Tenggara Timur's islands, cut from Natural Earth's countries.

Made anew by `python -m docsite.pictures.islands countries-10m.json`. The file is that of the npm package
`world-atlas` 2.0.2, a TopoJSON of Natural Earth 4.1. Nothing else needs it: the outline is committed.
"""

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]

OUTLINE = Path(__file__).parents[2] / "services" / "portal" / "map" / "ntt.json"
SOURCE = "Natural Earth 4.1, Admin 0 countries at 1:10 million, by world-atlas 2.0.2"
LICENCE = "public domain"
# West, east, south and north of the picture, in degrees.
WEST, EAST, SOUTH, NORTH = 118.75, 125.35, -11.15, -7.95
WIDTH = 640
# At this latitude a degree eastwards is as long in the picture as on the ground.
MIDDLE_LATITUDE = (SOUTH + NORTH) / 2
SCALE = WIDTH / (EAST - WEST)
STRETCH = 1 / math.cos(math.radians(MIDDLE_LATITUDE))
HEIGHT = round((NORTH - SOUTH) * SCALE * STRETCH)
# A point closer to the line without it is left out, in units of the picture.
TOLERANCE = 0.5
FEWEST_POINTS = 4

# Under the code that the catalogue has or may have: the island's name, a place on it, and where the name is written.
ISLANDS: Mapping[str, tuple[str, Point, Point]] = {
    "timor": ("Timor", (124.3, -9.8), (124.35, -10.62)),
    "sumba": ("Sumba", (119.9, -9.7), (119.75, -10.48)),
    "flores": ("Flores", (121.2, -8.7), (120.9, -9.1)),
    "rote": ("Rote", (123.1, -10.75), (123.85, -11.02)),
    "sabu": ("Sabu", (121.85, -10.5), (121.85, -10.85)),
    "alor": ("Alor", (124.7, -8.3), (124.8, -8.68)),
    "lembata": ("Lembata", (123.55, -8.4), (123.55, -8.78)),
    "adonara": ("Adonara", (123.15, -8.33), (123.3, -8.12)),
    "solor": ("Solor", (123.05, -8.48), (122.95, -8.78)),
    "pantar": ("Pantar", (124.12, -8.4), (124.12, -8.14)),
    "semau": ("Semau", (123.38, -10.22), (122.95, -10.2)),
    "komodo": ("Komodo", (119.45, -8.55), (119.5, -8.35)),
    "rinca": ("Rinca", (119.7, -8.7), (119.7, -8.98)),
}
# The towns of facilities, under the last letters of the facilities' codes.
TOWNS: Mapping[str, tuple[str, Point]] = {
    "ATB": ("Atambua", (124.893, -9.106)),
    "BAA": ("Ba'a", (123.052, -10.72)),
    "KPG": ("Kupang", (123.607, -10.17)),
    "WKB": ("Waikabubak", (119.41, -9.633)),
}


def outline(topology: Mapping[str, Any]) -> dict[str, Any]:
    """What the portal draws: paths and places in units of the picture."""
    home = [ring for ring in _rings(topology, "Indonesia") if _is_inside(ring, WEST - 0.1)]
    # Islands of others in the picture, cut by its edge.
    others = [
        ring
        for ring in (*_rings(topology, "Indonesia"), *_rings(topology, "Timor-Leste"))
        if ring not in home and _is_in_picture(ring)
    ]
    islands = []
    for code, (name, place, name_at) in ISLANDS.items():
        [found] = [ring for ring in home if _has(ring, place)]
        home.remove(found)
        islands.append({"code": code, "name": name, "path": _path([found]), "name_at": _shown(name_at)})
    return {
        "source": SOURCE,
        "licence": LICENCE,
        "width": WIDTH,
        "height": HEIGHT,
        "islands": islands,
        "islets": _path(home),
        "neighbours": _path(others),
        "towns": {code: {"name": name, "at": _shown(place)} for code, (name, place) in TOWNS.items()},
    }


def _rings(topology: Mapping[str, Any], country: str) -> Iterator[list[Point]]:
    arcs = [_arc(arc, topology["transform"]) for arc in topology["arcs"]]
    [shape] = [
        shape for shape in topology["objects"]["countries"]["geometries"] if shape["properties"]["name"] == country
    ]
    for polygon in shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]:
        # The first ring is the coast, the others are lakes.
        points: list[Point] = []
        for number in polygon[0]:
            # A negative number is an arc backwards.
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += arc[1:] if points else arc
        yield points


def _arc(steps: Iterable[Sequence[int]], transform: Mapping[str, Sequence[float]]) -> list[Point]:
    (scale_x, scale_y), (start_x, start_y) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for step_x, step_y in steps:
        x, y = x + step_x, y + step_y
        points.append((x * scale_x + start_x, y * scale_y + start_y))
    return points


def _is_inside(ring: Sequence[Point], west: float) -> bool:
    return all(west < x < EAST and SOUTH < y < NORTH for x, y in ring)


def _is_in_picture(ring: Sequence[Point]) -> bool:
    return any(WEST < x < EAST and SOUTH < y < NORTH for x, y in ring)


def _has(ring: Sequence[Point], place: Point) -> bool:
    """Whether the place is within the ring: a ray from it crosses the ring an odd number of times."""
    x, y = place
    is_within = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            is_within = not is_within
    return is_within


def _shown(place: Point) -> list[int]:
    x, y = _projected(place)
    return [round(x), round(y)]


def _projected(place: Point) -> Point:
    x, y = place
    return (x - WEST) * SCALE, (NORTH - y) * SCALE * STRETCH


def _path(rings: Iterable[Sequence[Point]]) -> str:
    """The rings as the data of one SVG path, in whole tenths of the picture's units."""
    parts = []
    for ring in rings:
        # The ring ends where it begins: it is thinned in two halves.
        points = [_projected(place) for place in ring]
        middle = len(points) // 2
        thinned = [*_thinned(points[: middle + 1])[:-1], *_thinned(points[middle:])[:-1]]
        if len(thinned) >= FEWEST_POINTS:
            parts.append(f"M{' '.join(f'{x:.1f},{y:.1f}' for x, y in thinned)}Z")
    return "".join(parts)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """The points without those near the line between their neighbours (Douglas and Peucker, 1973)."""
    first, *between, last = points
    far, distance = max(
        ((index, _distance(point, first, last)) for index, point in enumerate(between, 1)),
        key=lambda found: found[1],
        default=(0, 0.0),
    )
    if distance <= TOLERANCE:
        return [first, last]
    return [*_thinned(points[: far + 1])[:-1], *_thinned(points[far:])]


def _distance(point: Point, start: Point, end: Point) -> float:
    length = math.dist(start, end)
    if not length:
        return math.dist(point, start)
    (x, y), (x1, y1), (x2, y2) = point, start, end
    return abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length


def main() -> None:
    """Write the outline from the file that is named on the command line."""
    topology = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    OUTLINE.write_text(json.dumps(outline(topology), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
