"""The cost of a line does not grow with its request: counted in documents and bytes, which no machine sways."""

from lab.bench.lines import STEPS, StepCost, grown, measure
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


def read(cost: StepCost) -> float:
    return cost.documents_read


def written(cost: StepCost) -> float:
    return cost.documents_written


def size(cost: StepCost) -> float:
    return cost.bytes_written
