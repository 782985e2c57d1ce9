"""How long a rate lasts, and which percentiles are told."""

import pytest

from lab.bench.latency import LONGEST, RARE, RATES, SAMPLES_FOR_RARE, SECONDS, Stopwatch, compared, lasting, of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("rate", RATES)
def test_usually_every_rate_gives_two_thousand_samples(rate: int) -> None:
    assert rate * lasting(rate, SECONDS) >= 2000
    assert lasting(rate, SECONDS) <= LONGEST


def test_whoever_asks_for_less_waits_less_and_for_more_gets_more() -> None:
    assert [lasting(rate, 2) for rate in (50, 200, 1000)] == [10, 3, 2]
    assert [lasting(rate, 60) for rate in (50, 200, 1000)] == [60, 60, 60]


def test_few_samples_have_no_rare_percentile() -> None:
    few = compared("sale", [1.0] * 1999, [1.0] * 1999, with_goals=True)
    many = compared("sale", [1.0] * 2000, [1.0] * 2000, with_goals=True)
    assert [figure.value for figure in few if figure.name == "sale: samples"] == [1999]
    assert not any("p99.9" in figure.name for figure in few)
    assert [figure.name for figure in many if "p99.9" in figure.name] == [
        "sale, p99.9: ms",
        "sale, p99.9: raw ms",
        "sale, p99.9: Karya / raw",
    ]


def test_p99_9_of_the_fewest_samples_that_have_one_is_not_their_maximum() -> None:
    values = [float(number) for number in range(SAMPLES_FOR_RARE)]
    assert of(values, RARE["p99.9"]) < max(values)


def test_a_rate_is_behind_by_what_was_read_after_the_last_acknowledgement() -> None:
    assert Stopwatch({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 5.0, "warm": 9.0}).behind == pytest.approx(3.0)
    assert Stopwatch({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 1.9}).behind == 0
