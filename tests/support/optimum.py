"""The best there is, found by solvers that know nothing of the planner: CP-SAT in whole pieces, GLOP in fractions."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

from services.festival.domain.planning import EarlierShare
from tests.support.plans import Bounds, Case, bounds, facilities_of

# Levels of share per solve: their weights must stay far below 2**62.
AT_ONCE = 8


class Whole:
    """All plans in whole pieces, as CP-SAT sees them."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.within = bounds(case)
        self.givers = facilities_of(self.within)
        self.model = cp_model.CpModel()
        self.flow = {
            (facility, product, booth): self.model.new_int_var(0, min(offered, demand), "")
            for (facility, product), offered in self.within.offers.items()
            for (booth, wanted), demand in self.within.asks.items()
            if wanted == product
        }
        for bound, keys in _bounds(self.within, self.flow):
            self.model.add(sum(self.flow[key] for key in keys) <= bound)
        self.total = {giver: sum(self.flow[key] for key in self.flow if key[0] == giver) for giver in self.givers}

    def sorted_shares(self) -> list[Fraction]:
        """The lexicographically largest: of all plans those with the fewest facilities at the lowest level, of these
        with the fewest at the next, and so on."""
        steps: dict[str, list[Fraction]] = {}
        reached: dict[str, list[cp_model.IntVar]] = {}
        for giver in self.givers:
            earlier = self.case.before.get(giver, EarlierShare())
            most = sum(qty for (facility, _), qty in self.within.offers.items() if facility == giver)
            of = (most + earlier.offered) * self.case.rules.weights.get(giver, 1)
            steps[giver] = [Fraction(earlier.allocated + n, of) for n in range(most + 1)]
            reached[giver] = [self.model.new_bool_var("") for _ in range(most)]
            for lower, higher in pairwise(reached[giver]):
                self.model.add_implication(higher, lower)
            self.model.add(self.total[giver] == sum(reached[giver]))
        levels = sorted({level for of in steps.values() for level in of})
        for start in range(0, len(levels), AT_ONCE):
            cost = {
                level: (len(self.givers) + 1) ** (AT_ONCE - n)
                for n, level in enumerate(levels[start : start + AT_ONCE])
            }
            terms = [cost.get(steps[giver][0], 0) for giver in self.givers] + [
                (cost.get(now, 0) - cost.get(last, 0)) * bit
                for giver in self.givers
                for (last, now), bit in zip(pairwise(steps[giver]), reached[giver], strict=True)
            ]
            self.model.add(sum(terms) == self._best(sum(terms)))
        return sorted(steps[giver][sum(self.solver.value(bit) for bit in reached[giver])] for giver in self.givers)

    def most_pieces(self) -> int:
        return -self._best(-sum(self.flow.values()))

    def fewest_pairs(self, totals: dict[str, int], filled: dict[tuple[str, str], int] | None = None) -> int:
        """With these pieces from each facility, and these for each booth and product if they are given."""
        for giver in self.givers:
            self.model.add(self.total[giver] == totals.get(giver, 0))
        used = {}
        for (facility, _, booth), qty in self.flow.items():
            pair = used.setdefault((facility, booth), self.model.new_bool_var(""))
            self.model.add(qty == 0).only_enforce_if(~pair)
        if filled is not None:
            for want in self.within.asks:
                self.model.add(sum(self.flow[key] for key in self.flow if key[2:0:-1] == want) == filled.get(want, 0))
        return self._best(sum(used.values()))

    def _best(self, cost: cp_model.LinearExprT) -> int:
        self.solver = cp_model.CpSolver()
        self.solver.parameters.num_workers = 1
        self.model.minimize(cost)
        assert self.solver.solve(self.model) == cp_model.OPTIMAL
        return round(self.solver.objective_value)


def _bounds(within: Bounds, keys: Iterable[tuple[str, str, str]]) -> Iterable[tuple[int, list[tuple[str, str, str]]]]:
    """Every bound, with the flows (facility, product, booth) that share it."""
    keys = list(keys)
    for (facility, product), offered in within.offers.items():
        yield offered, [key for key in keys if key[:2] == (facility, product)]
    for (booth, product), demand in within.asks.items():
        yield demand, [key for key in keys if key[1:] == (product, booth)]
    for booth, capacity in within.capacity.items():
        yield capacity, [key for key in keys if key[2] == booth]
    for booth, products, limit in within.limits:
        yield limit, [key for key in keys if key[2] == booth and key[1] in products]


def fractions(case: Case) -> dict[str, float]:
    """Pieces by facility if pieces could be cut: level by level, GLOP raises the smallest share of all that can still
    rise; who holds it down (a price on its constraint) has come to its end."""
    within = bounds(case)
    givers = facilities_of(within)
    solver = pywraplp.Solver.CreateSolver("GLOP")
    # A product's pieces are the same whoever gave them, so facility → product and product → booth are enough.
    supply_flows = {pair: solver.NumVar(0, offered, "") for pair, offered in within.offers.items()}
    demand_flows = {want: solver.NumVar(0, demand, "") for want, demand in within.asks.items()}
    for product in {product for _, product in within.asks}:
        supplied = sum(flow for (_, p), flow in supply_flows.items() if p == product)
        solver.Add(supplied == sum(flow for (_, p), flow in demand_flows.items() if p == product))
    for booth, capacity in within.capacity.items():
        solver.Add(sum(flow for (b, _), flow in demand_flows.items() if b == booth) <= capacity)
    for booth, products, limit in within.limits:
        solver.Add(sum(flow for (b, p), flow in demand_flows.items() if b == booth and p in products) <= limit)
    level = solver.NumVar(0, solver.infinity(), "")
    solver.Maximize(level)
    reach = {}
    for giver in givers:
        of = sum(qty for (facility, _), qty in within.offers.items() if facility == giver)
        of *= case.rules.weights.get(giver, 1)
        total = sum(flow for (facility, _), flow in supply_flows.items() if facility == giver)
        reach[giver] = solver.Add(total >= of * level), of
    ended: dict[str, float] = {}
    while len(ended) < len(givers):
        assert solver.Solve() == pywraplp.Solver.OPTIMAL
        height = level.solution_value()
        stuck = [giver for giver in givers if giver not in ended and abs(reach[giver][0].dual_value()) > 1e-9]
        assert stuck
        for giver in stuck:
            constraint, of = reach[giver]
            ended[giver] = of * height
            constraint.SetCoefficient(level, 0)
            constraint.SetLb(ended[giver] - 1e-7)
    return ended
