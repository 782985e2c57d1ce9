"""The chart of `docs/performance.md` from the figures of a run: `karya bench catch-up --svg CHART.svg`, or of an
earlier one `python -m lab.bench.chart FIGURES.json CHART.svg`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

BENCH, UNIT = "catch-up", ": events/s"
WIDTH, LEFT, RIGHT, ROW, BAR, TOP = 720, 190, 90, 34, 20, 44


def bars(told: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Who worked off how many events a second, the fastest first; none when the run had no such bench."""
    figures = [figure for one in told["benches"] if one["bench"] == BENCH for figure in one["figures"]]
    found = [(f["name"].removesuffix(UNIT), f["value"]) for f in figures if f["name"].endswith(UNIT)]
    return sorted(found, key=lambda bar: -bar[1])


def svg(of: list[tuple[str, float]]) -> str:
    """One bar for each. Readable on a light and on a dark page."""
    return "\n".join(_lines(of)) + "\n"


def _lines(of: list[tuple[str, float]]) -> Iterator[str]:
    height = TOP + ROW * len(of)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">'
    )
    yield "<title>Catch-up: events per second</title>"
    yield "<style>text { fill: #222 } @media (prefers-color-scheme: dark) { text { fill: #ddd } }</style>"
    yield '<text x="8" y="22" font-weight="bold">Catch-up: events per second, all on the same servers</text>'
    most = max(value for _, value in of)
    for row, (name, value) in enumerate(of):
        top = TOP + row * ROW
        length = max(1.0, value / most * (WIDTH - LEFT - RIGHT))
        colour = "#1a7f64" if name == "Karya" else "#8a94a6"
        middle = top + BAR / 2 + 5
        yield f'<text x="{LEFT - 10}" y="{middle:g}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" fill="{colour}"/>'
        yield f'<text x="{LEFT + length + 8:.1f}" y="{middle:g}">{value:,.0f}</text>'
    yield "</svg>"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(svg(bars(json.loads(Path(sys.argv[1]).read_text()))))
