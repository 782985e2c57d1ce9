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


def bars(run: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Events per second of each contestant, the fastest first. Empty when the catch-up was not measured."""
    figures = [figure for bench in run["benches"] if bench["bench"] == BENCH for figure in bench["figures"]]
    rates = [(f["name"].removesuffix(UNIT), f["value"]) for f in figures if f["name"].endswith(UNIT)]
    return sorted(rates, key=lambda bar: -bar[1])


def svg(rates: list[tuple[str, float]]) -> str:
    """A picture with one bar for each contestant, readable on light and dark pages."""
    return "\n".join(_lines(rates)) + "\n"


def _lines(rates: list[tuple[str, float]]) -> Iterator[str]:
    height = TOP + ROW * len(rates)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">'
    )
    yield "<title>Catch-up: events per second</title>"
    yield "<style>text { fill: #222 } @media (prefers-color-scheme: dark) { text { fill: #ddd } }</style>"
    yield '<text x="8" y="22" font-weight="bold">Catch-up: events per second, all on the same servers</text>'
    most = max(value for _, value in rates)
    for row, (name, value) in enumerate(rates):
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
