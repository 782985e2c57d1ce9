"""The tables of a run for the page on performance."""

from typing import Any

import pytest

from lab.bench.tables import tables

pytestmark = pytest.mark.unit


def a_run(bench: str, busy: bool, **values: float) -> dict[str, Any]:
    figures = [{"name": name, "value": value} for name, value in values.items()]
    return {"benches": [{"bench": bench, "amount": 5000, "machine": {"busy": busy}, "figures": figures}]}


def test_a_contestant_has_its_rate_its_costs_and_karyas_ratio_with_its_spread() -> None:
    values = {
        "Karya: events/s": 9000.0,
        "floor: events/s": 12000.4,
        "floor: CPU ms per event": 0.0174,
        "floor: servers' CPU ms per event": 0.07,
        "floor: MB resident, peak": 114.3,
        "Karya / floor": 0.75,
        "Karya / floor, lowest": 0.7,
        "Karya / floor, highest": 0.8,
        "floor, paged ledger / floor": 1.2,
    }
    lines = list(tables(a_run("catch-up", False, **values)))
    assert "| floor | 12,000 | 17 | 70 | 114 | 0.75 (0.70 to 0.80) |" in lines
    assert "| floor, paged ledger / floor | 1.20 |" in lines
    assert not [line for line in lines if "Kafka Streams" in line]


def test_a_busy_run_says_so_before_its_table() -> None:
    lines = list(
        tables(a_run("spread", True, **{"2: events/s": 100.0, "2: s together": 1.25, "2: relative to 1": 1.5}))
    )
    assert "BUSY" in lines[0]
    assert "| 2 | 100 | 1.50 | 1.2 s | – | – | – |" in lines
