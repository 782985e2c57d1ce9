"""Who is told in terms of whom when benches compare."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack import Stack
from lab.bench import backlog, catchup, growth
from lab.bench.catchup import (
    FLOOR,
    OURS,
    PAGED,
    SIZED,
    STREAMS,
    Contestant,
    Run,
    contestant_figures,
    measure,
    relative_figures,
)
from lab.bench.environment import BenchEnvironment
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


def test_a_ratio_is_of_one_round_and_shown_with_its_spread() -> None:
    figures = values(
        relative_figures({OURS.name: runs(80, 30, 45), FLOOR.name: runs(100, 50, 90), PAGED.name: runs(150, 50, 45)})
    )
    assert figures["Karya / floor"] == pytest.approx(0.6)
    assert figures["Karya / floor, lowest"] == pytest.approx(0.5)
    assert figures["Karya / floor, highest"] == pytest.approx(0.8)
    assert figures["floor, paged ledger / floor"] == pytest.approx(1.0)


def test_other_sizes_of_batch_are_told_in_terms_of_karya_only() -> None:
    other = SIZED[0].name
    figures = values(relative_figures({OURS.name: runs(70), other: runs(140)}))
    assert figures == {f"{other} / Karya": pytest.approx(2.0)}
    assert contestant_figures(other, runs(140)) == []


def test_servers_whose_time_is_not_known_have_no_figure() -> None:
    assert "floor: servers' CPU ms per event" in values(contestant_figures("floor", runs(10, 20)))
    assert values(contestant_figures("floor", [*runs(10), Run(a_run(20), None)])).keys() == {
        "floor: events/s",
        "floor: CPU ms per event",
        "floor: MB resident, peak",
    }


async def test_every_second_round_runs_in_the_reverse_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    async def a_round(
        _env: object, _events: int, contestants: Sequence[Contestant], *_rest: object
    ) -> AsyncIterator[tuple[str, Run]]:
        for contestant in contestants:
            names.append(contestant.name)
            yield contestant.name, *runs(100)

    monkeypatch.setattr(catchup, "_round", a_round)
    env = BenchEnvironment(Path(), lambda: Stack("kafka", "mongo"))
    absent = replace(STREAMS, needs=lambda: "needs a JDK")
    result = await measure(env, 10, lambda _: None, (OURS, absent, FLOOR))
    assert names == ["Karya", "floor", "floor", "Karya", "Karya", "floor"]
    assert result.note == "Not measured: Kafka Streams, needs a JDK."


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
