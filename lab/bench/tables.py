"""The tables of `docs/performance.md` from one run's figures: `python -m lab.bench.tables FIGURES.json`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.bench.catchup import CONTESTANTS, FLOOR, OURS, SIZED
from lab.bench.spread import INSTANCES

CATCHUP, SPREAD = "catch-up", "spread"
# Of a table's cell without a figure.
NONE = "–"
Values = Mapping[str, float]


def tables(run: Mapping[str, Any]) -> Iterator[str]:
    """The lines of all tables for which the run has figures, each after a line that tells of the machine."""
    for bench in run["benches"]:
        values = {figure["name"]: figure["value"] for figure in bench["figures"]}
        if bench["bench"] not in (CATCHUP, SPREAD):
            continue
        machine = bench["machine"]
        yield f"{bench['bench']}, {bench['amount']:,} events; {'a BUSY' if machine['busy'] else 'a quiet'} machine"
        yield ""
        yield from _catchup(values) if bench["bench"] == CATCHUP else _spread(values)
        yield ""


def _catchup(values: Values) -> Iterator[str]:
    yield "| | events/s | its CPU, µs per event | servers' CPU, µs | MB | Karya / it |"
    yield "|---|---:|---:|---:|---:|---|"
    for contestant in CONTESTANTS:
        name = contestant.name
        if contestant in SIZED or f"{name}: events/s" not in values:
            continue
        cells = [*_rate_and_cost(name, values), _number(values.get(f"{name}: MB resident, peak"))]
        yield _row(name, *cells, "" if contestant == OURS else _ratio(f"{OURS.name} / {name}", values))
    yield ""
    yield "| | median of the rounds (lowest to highest) |"
    yield "|---|---|"
    names = [name for name in values if name.endswith((f" / {FLOOR.name}", f" / {OURS.name}"))]
    for name in names:
        if not name.startswith(f"{OURS.name} /"):
            yield _row(name, _ratio(name, values))


def _spread(values: Values) -> Iterator[str]:
    yield "| processes | events/s | relative | together for | CPU, µs an event | servers' CPU, µs | MB, the largest |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for count in map(str, INSTANCES):
        pace, *costs = _rate_and_cost(count, values)
        yield _row(
            count,
            pace,
            "1" if count == "1" else _ratio(f"{count}: relative to 1", values),
            f"{values[f'{count}: s together']:.1f} s" if f"{count}: s together" in values else NONE,
            *costs,
            _number(values.get(f"{count}: MB resident, peak of the largest")),
        )


def _rate_and_cost(name: str, values: Values) -> list[str]:
    own, servers = (values.get(f"{name}: {label}CPU ms per event") for label in ("", "servers' "))
    microseconds = [None if value is None else value * 1000 for value in (own, servers)]
    return [_number(values.get(f"{name}: events/s")), *map(_number, microseconds)]


def _ratio(name: str, values: Values) -> str:
    if name not in values:
        return NONE
    lowest, highest = (values.get(f"{name}, {bound}") for bound in ("lowest", "highest"))
    spread = "" if lowest is None or highest is None else f" ({lowest:.2f} to {highest:.2f})"
    return f"{values[name]:.2f}{spread}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(tables(json.loads(Path(sys.argv[1]).read_text()))) + "\n")
