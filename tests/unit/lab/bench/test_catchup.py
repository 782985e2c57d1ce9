"""Who is told in terms of whom when benches compare."""

import pytest

from lab.bench import backlog, growth
from lab.bench.catchup import FLOOR, OURS, PAGED, SIZED, Run, mean_figures, ratio_figures
from lab.bench.meter import RunResult
from lab.bench.report import Figure
from shared.settings import Settings

pytestmark = pytest.mark.unit


def a_run(per_second: float, megabytes: float = 50.0) -> RunResult:
    return RunResult(1.0, megabytes, ((0.0, 0), (100 / per_second, 100)))


def runs(*paces: float) -> list[Run]:
    return [Run(a_run(pace), 2.0) for pace in paces]


def values(figures: list[Figure]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def test_karya_is_the_mean_of_its_runs_and_each_pair_is_told() -> None:
    figures = values(ratio_figures({OURS.name: runs(80, 60), FLOOR.name: runs(100, 100), PAGED.name: runs(150)}))
    assert figures["Karya / floor"] == pytest.approx(0.7)
    assert figures["Karya / floor, the lower of two"] == pytest.approx(0.6)
    assert figures["Karya / floor, the higher of two"] == pytest.approx(0.8)
    assert figures["floor, paged ledger / floor"] == pytest.approx(1.5)


def test_other_sizes_of_batch_are_told_in_terms_of_karya_only() -> None:
    other = SIZED[0].name
    figures = values(ratio_figures({OURS.name: runs(80, 60), other: runs(140)}))
    assert figures == {f"{other} / Karya": pytest.approx(2.0)}
    assert mean_figures(other, runs(140)) == []


def test_servers_whose_time_is_not_known_have_no_figure_of_a_mean() -> None:
    assert "floor: servers' CPU ms per event" in values(mean_figures("floor", runs(10, 20)))
    assert values(mean_figures("floor", [*runs(10), Run(a_run(20), None)])).keys() == {
        "floor: events/s",
        "floor: CPU ms per event",
        "floor: MB resident, peak",
    }


def test_growth_shows_the_quicker_run_and_the_most_memory() -> None:
    small = growth.GrowthCase(10, Settings(), [(a_run(100, 80), []), (a_run(50, 90), [])])
    large = growth.GrowthCase(1000, Settings(), [(a_run(40, 99), []), (a_run(80, 91), [])])
    figures = values(growth.comparison_figures([small, large]))
    assert figures["largest / smallest: ms per event"] == pytest.approx(100 / 80)
    assert figures["largest / smallest: MB resident, peak"] == pytest.approx(99 / 90)


def test_orders_are_about_lots_that_lie_evenly_among_all() -> None:
    keys = [record.key for record in backlog.events(2000, 10, every=100) if record.key.startswith("L")]
    assert {int(lot[1:]) for lot in keys} == set(range(0, 1000, 100))


def test_later_events_have_no_number_of_earlier_ones() -> None:
    first, later = ({record.headers[1] for record in backlog.events(50, 10, first=at)} for at in (0, 50))
    assert not first & later
