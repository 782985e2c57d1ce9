"""How long a rate lasts, and which percentiles are told."""

import pytest

from lab.bench.latency import (
    LONGEST,
    RARE,
    RATES,
    SALE,
    SAMPLES_FOR_RARE,
    SECONDS,
    Cost,
    LatencyResult,
    LatencyRound,
    Stopwatch,
    duration_of,
    percentile,
    percentile_figures,
    route_figures,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("rate", RATES)
def test_usually_every_rate_gives_two_thousand_samples(rate: int) -> None:
    assert rate * duration_of(rate, SECONDS) >= 2000
    assert duration_of(rate, SECONDS) <= LONGEST


def test_whoever_asks_for_less_waits_less_and_for_more_gets_more() -> None:
    assert [duration_of(rate, 2) for rate in (50, 200, 1000)] == [10, 3, 2]
    assert [duration_of(rate, 60) for rate in (50, 200, 1000)] == [60, 60, 60]


def test_few_samples_have_no_rare_percentile() -> None:
    few = percentile_figures("sale", [([1.0] * 1999, [1.0] * 1999)], has_goals=True)
    many = percentile_figures("sale", [([1.0] * 2000, [1.0] * 2000)], has_goals=True)
    assert [figure.value for figure in few if figure.name == "sale: samples"] == [1999]
    assert not any("p99.9" in figure.name for figure in few)
    assert [figure.name for figure in many if "p99.9" in figure.name] == [
        "sale, p99.9: ms",
        "sale, p99.9: raw ms",
        "sale, p99.9: Karya / raw",
    ]


def test_a_ratio_is_of_one_round_and_shown_with_its_spread() -> None:
    rounds = [([60.0], [20.0]), ([10.0], [10.0]), ([80.0], [40.0])]
    figures = {figure.name: figure for figure in percentile_figures("sale", rounds, has_goals=True)}
    assert figures["sale, p50: ms"].value == 60
    assert figures["sale, p50: raw ms"].value == 20
    assert figures["sale, p50: Karya / raw"].value == 2
    assert figures["sale, p50: Karya / raw"].missed
    assert figures["sale, p50: Karya / raw, lowest"].value == 1
    assert figures["sale, p50: Karya / raw, highest"].value == 3


def test_a_route_shows_the_median_of_its_rounds_and_of_memory_the_most() -> None:
    rounds = [
        LatencyRound(
            LatencyResult([milliseconds], milliseconds, None),
            LatencyResult([10.0], 1.0, 500.0),
            [Cost("sales", milliseconds, megabytes)],
        )
        for milliseconds, megabytes in ((20.0, 90.0), (40.0, 99.0), (30.0, 95.0))
    ]
    figures = {figure.name: figure.value for figure in route_figures(SALE, 200, rounds)}
    assert figures["sale at 200/s, p50: ms"] == 30
    assert figures["sale at 200/s, p50: Karya / raw, highest"] == 4
    assert figures["sale at 200/s: s until all was read"] == 30
    assert figures["sale at 200/s, sales: CPU µs per sale"] == 30
    assert figures["sale at 200/s, sales: MB resident, peak"] == 99
    assert figures["sale at 200/s, servers of raw: CPU µs per sale"] == 500
    assert "sale at 200/s, servers: CPU µs per sale" not in figures


def test_p99_9_of_the_fewest_samples_that_have_one_is_not_their_maximum() -> None:
    values = [float(number) for number in range(SAMPLES_FOR_RARE)]
    assert percentile(values, RARE["p99.9"]) < max(values)


def test_a_rate_is_behind_by_what_was_read_after_the_last_acknowledgement() -> None:
    assert Stopwatch({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 5.0, "warm": 9.0}).drain_seconds == pytest.approx(3.0)
    assert Stopwatch({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 1.9}).drain_seconds == 0
