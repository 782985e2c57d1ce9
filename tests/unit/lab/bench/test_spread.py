"""How many processes of inventory are told in terms of one."""

import pytest

from lab.bench.meter import RunResult
from lab.bench.spread import SpreadRun, spread_figures

pytestmark = pytest.mark.unit


def a_run(*paces: float, begins: float = 0.0) -> SpreadRun:
    """Processes of these paces that work from the same moment on."""
    return SpreadRun([RunResult(1.0, 50.0, ((begins, 0), (begins + 10, int(pace * 10)))) for pace in paces], 2.0)


def values(count: int, runs: dict[int, list[SpreadRun]]) -> dict[str, float]:
    return {figure.name: figure.value for figure in spread_figures(count, runs, 100)}


def test_a_rate_is_the_sum_of_all_and_its_ratio_that_of_the_same_round() -> None:
    runs = {1: [a_run(100), a_run(50), a_run(80)], 2: [a_run(60, 60), a_run(50, 50), a_run(70, 50)]}
    figures = values(2, runs)
    assert figures["2: events/s"] == pytest.approx(120)
    assert figures["2: relative to 1"] == pytest.approx(1.5)
    assert figures["2: relative to 1, lowest"] == pytest.approx(1.2)
    assert figures["2: relative to 1, highest"] == pytest.approx(2.0)
    assert figures["2: servers' CPU ms per event"] == pytest.approx(6 / 300 * 1000)


def test_a_round_in_which_they_never_worked_together_has_no_ratio() -> None:
    apart = SpreadRun([*a_run(50).results, *a_run(50, begins=20).results], None)
    figures = values(2, {1: [a_run(100)], 2: [apart]})
    assert figures.keys() == {"2: CPU ms per event", "2: MB resident, peak of the largest"}
