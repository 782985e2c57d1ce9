"""The cost of a line does not grow with its request: counted in documents and bytes, which no machine sways."""

from dataclasses import replace

from lab.bench.all import BENCHES
from lab.bench.line_costs import figures
from lab.bench.lines import GROWTH, STEPS, StepCost, grown, measure, quickest
from lab.bench.planner import PlanCase

SMALL = PlanCase("small", 10, 12, 5, 4, 10, 6, 10, 30)
LARGE = PlanCase("large", 60, 12, 5, 4, 60, 6, 10, 30)


def test_a_line_of_a_large_request_costs_no_more_than_one_of_a_small_one() -> None:
    costs = [*measure(SMALL), *measure(LARGE)]
    assert [cost.step for cost in costs] == [*STEPS, *STEPS]
    small, large = costs[0], costs[len(STEPS)]
    assert large.lines > 5 * small.lines > 200
    for cost in (read, written, size):
        growth = grown(costs, cost)
        assert all(times < 1.3 for times in growth.values()), growth


def test_a_line_that_costs_more_in_a_large_request_misses_the_bound_of_the_bench() -> None:
    costs = [StepCost(case, lines, "plan", 10.0, 1, 1, 1) for case, lines in (("small", 10), ("large", 100))]
    for factor, missed in ((GROWTH, False), (GROWTH + 0.1, True)):
        [*times, ratio] = figures([costs[0], replace(costs[1], microseconds=10 * factor)])
        assert [figure.value for figure in times] == [10, 10 * factor]
        assert ratio.missed is missed
    assert "lines" in BENCHES


def test_the_quickest_run_of_a_step_counts() -> None:
    runs = [
        [StepCost("small", 10, "plan", time, 1, 1, 1), StepCost("small", 10, "send", 9 - time, 1, 1, 1)]
        for time in (3.0, 2.0)
    ]
    assert [cost.microseconds for cost in quickest(runs)] == [2.0, 6.0]


def read(cost: StepCost) -> float:
    return cost.documents_read


def written(cost: StepCost) -> float:
    return cost.documents_written


def size(cost: StepCost) -> float:
    return cost.bytes_written
