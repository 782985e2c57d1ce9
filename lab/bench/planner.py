"""The fair planner: its time, the memory of its process, and how close it comes to the fewest shipments.

`python -m lab.bench.planner` prints the table. All quantities are made up. Each case has a process of its own.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from random import Random

from services.festival.domain.planning import AvailableLot, RequestDemand, Rules, plan

LAST_DAY = date(2023, 4, 20)
CATEGORIES = 6


@dataclass(frozen=True, slots=True)
class PlanCase:
    """The size of one case.

    `makes`, `sells`: how many of the products each facility makes and each booth sells. `lot`, `wish`: the most
    pieces of one lot and of one demand. `tight`: capacities and category limits of booths are binding. `seconds`,
    `megabytes`: goals, if any.
    """

    name: str
    facilities: int
    products: int
    makes: int
    lots: int
    booths: int
    sells: int
    lot: int
    wish: int
    tight: bool = False
    seconds: float | None = None
    megabytes: float | None = None


CASES = (
    PlanCase("20 × 20", 20, 12, 5, 5, 20, 6, 10, 40, seconds=0.02),
    PlanCase("20 × 20, tight", 20, 12, 5, 5, 20, 6, 10, 40, tight=True, seconds=0.02),
    PlanCase("500 × 300, few products", 500, 40, 5, 20, 300, 8, 10, 100, seconds=1, megabytes=300),
    PlanCase("500 × 300, few, tight", 500, 40, 5, 20, 300, 8, 10, 100, tight=True, seconds=1, megabytes=300),
    PlanCase("500 × 300, all products", 500, 40, 40, 20, 300, 40, 10, 100, seconds=1, megabytes=300),
    PlanCase("500 × 300, all, tight", 500, 40, 40, 20, 300, 40, 10, 100, tight=True, seconds=1, megabytes=300),
)


@dataclass(frozen=True, slots=True)
class PlanTiming:
    """The result of one case. `seconds`: the median CPU time of several runs; a plan does no I/O, so its duration on
    an idle machine is the same. `megabytes`: peak memory of the process, with the case's own data. `kept`: the goals
    are met."""

    case: str
    lots: int
    demands: int
    seconds: float
    megabytes: float
    lines: int
    shipments: int
    shipments_at_least: int
    lowest_share: float
    kept: bool


def make_case(size: PlanCase, seed: int = 1) -> tuple[list[RequestDemand], list[AvailableLot], Rules]:
    """Demands, stock and rules of this size, from a seed."""
    rng = Random(seed)
    products = [f"P{number:02}" for number in range(size.products)]
    stock = list(_stock(size, products, rng))
    demands = [
        RequestDemand(f"B{booth:03}", product, rng.randint(1, size.wish))
        for booth in range(size.booths)
        for product in rng.sample(products, size.sells)
    ]
    if not size.tight:
        return demands, stock, Rules(last_day=LAST_DAY)
    totals: dict[str, int] = {}
    for demand in demands:
        totals[demand.booth] = totals.get(demand.booth, 0) + demand.qty
    return (
        demands,
        stock,
        Rules(
            last_day=LAST_DAY,
            days_left=5,
            lead_days={f"F{number:03}": rng.randint(1, 6) for number in range(0, size.facilities, 9)},
            capacity={booth: round(total * rng.uniform(0.4, 1.1)) for booth, total in totals.items()},
            categories={
                (demand.booth, demand.product): f"C{int(demand.product[1:]) % CATEGORIES}" for demand in demands
            },
            limits={
                (booth, f"C{category}"): round(total / CATEGORIES * rng.uniform(0.3, 1.2))
                for booth, total in totals.items()
                for category in range(CATEGORIES)
                if rng.random() < 0.5
            },
        ),
    )


def _stock(size: PlanCase, products: list[str], rng: Random) -> Iterator[AvailableLot]:
    for number in range(size.facilities):
        for product in rng.sample(products, size.makes):
            for lot in range(size.lots):
                yield AvailableLot(
                    lot=f"F{number:03}-{product}-{lot:02}",
                    facility=f"F{number:03}",
                    product=product,
                    qty=rng.randint(1, size.lot),
                    made_on=LAST_DAY - timedelta(rng.randint(1, 60)),
                    best_before=LAST_DAY + timedelta(rng.randint(-2, 60)) if rng.random() < 0.3 else None,
                    revision=1,
                )


def measure_case(size: PlanCase, runs: int) -> PlanTiming:
    demands, stock, rules = make_case(size)
    times = []
    result = plan(demands, stock, rules=rules)
    for _ in range(runs):
        start = time.process_time()
        result = plan(demands, stock, rules=rules)
        times.append(time.process_time() - start)
    # Linux counts in kB, macOS in bytes.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    seconds = statistics.median(times)
    return PlanTiming(
        case=size.name,
        lots=len(stock),
        demands=len(demands),
        seconds=round(seconds, 4),
        megabytes=round(megabytes, 1),
        lines=len(result.allotments),
        shipments=result.shipments,
        shipments_at_least=result.shipments_at_least,
        lowest_share=round(min(share.allocated / share.offered for share in result.shares if share.offered), 4),
        kept=(size.seconds is None or seconds <= size.seconds)
        and (size.megabytes is None or megabytes <= size.megabytes),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="plans per case; the result is the median")
    options = parser.parse_args()
    timings = []
    for size in CASES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            timings.append(pool.submit(measure_case, size, options.runs).result())
    if options.json:
        print(json.dumps([asdict(timing) for timing in timings], indent=2, ensure_ascii=False))
    else:
        _table(timings)
    return 0 if all(timing.kept for timing in timings) else 1


def _table(timings: list[PlanTiming]) -> None:
    row = "{:28} {:>7} {:>8} {:>7} {:>5} {:>7} {:>10} {:>9}  {}".format
    print(row("case", "lots", "demands", "ms", "MB", "lines", "shipments", "at least", "bounds"))
    for timing in timings:
        print(
            row(
                timing.case,
                timing.lots,
                timing.demands,
                round(timing.seconds * 1000, 1),
                round(timing.megabytes),
                timing.lines,
                timing.shipments,
                timing.shipments_at_least,
                "kept" if timing.kept else "BROKEN",
            )
        )


if __name__ == "__main__":
    sys.exit(main())
