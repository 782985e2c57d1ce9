"""How long a rate lasts, and which percentiles are told."""

import pytest

from bench.latency import LONGEST, RATES, SECONDS, compared, lasting

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("rate", RATES)
def test_usually_every_rate_gives_two_thousand_samples(rate: int) -> None:
    assert rate * lasting(rate, SECONDS) >= 2000
    assert lasting(rate, SECONDS) <= LONGEST


def test_whoever_asks_for_less_waits_less_and_for_more_gets_more() -> None:
    assert [lasting(rate, 2) for rate in (50, 200, 1000)] == [10, 3, 2]
    assert [lasting(rate, 60) for rate in (50, 200, 1000)] == [60, 60, 60]


def test_few_samples_have_no_rare_percentile() -> None:
    few = compared("sale", [1.0] * 999, [1.0] * 999, with_goals=True)
    many = compared("sale", [1.0] * 1000, [1.0] * 1000, with_goals=True)
    assert not any("p99.9" in figure.name for figure in few)
    assert [figure.name for figure in many if "p99.9" in figure.name] == [
        "sale, p99.9: ms",
        "sale, p99.9: raw ms",
        "sale, p99.9: Karya / raw",
    ]
