"""How long a fair plan takes, how much memory its process needs, and how near to the fewest shipments it comes:
`python -m lab.bench.planner`. All quantities are made up; each case is planned in a process of its own."""

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
class Size:
    """`makes`, `sells`: how many of the products each facility and each booth has. `lot`, `wish`: the most pieces.
    `tight`: booths have capacities and category limits that bind. Seconds and MB that a plan may take, where that
    was promised."""

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


SIZES = (
    Size("20 × 20", 20, 12, 5, 5, 20, 6, 10, 40, seconds=0.02),
    Size("20 × 20, tight", 20, 12, 5, 5, 20, 6, 10, 40, tight=True, seconds=0.02),
    Size("500 × 300, few products", 500, 40, 5, 20, 300, 8, 10, 100, seconds=1, megabytes=300),
    Size("500 × 300, few, tight", 500, 40, 5, 20, 300, 8, 10, 100, tight=True, seconds=1, megabytes=300),
    Size("500 × 300, all products", 500, 40, 40, 20, 300, 40, 10, 100, seconds=1, megabytes=300),
    Size("500 × 300, all, tight", 500, 40, 40, 20, 300, 40, 10, 100, tight=True, seconds=1, megabytes=300),
)


@dataclass(frozen=True, slots=True)
class Took:
    """`seconds`: of one core, in the middle run of several; a plan waits for nothing, so on an idle machine it takes
    no longer. `megabytes`: the most that the process ever held, with its stock."""

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


def made(size: Size, seed: int = 1) -> tuple[list[RequestDemand], list[AvailableLot], Rules]:
    """Wishes, stock and rules of this size, the same for the same seed."""
    random = Random(seed)
    products = [f"P{number:02}" for number in range(size.products)]
    stock = list(_stock(size, products, random))
    wanted = [
        RequestDemand(f"B{booth:03}", product, random.randint(1, size.wish))
        for booth in range(size.booths)
        for product in random.sample(products, size.sells)
    ]
    if not size.tight:
        return wanted, stock, Rules(last_day=LAST_DAY)
    asked: dict[str, int] = {}
    for want in wanted:
        asked[want.booth] = asked.get(want.booth, 0) + want.qty
    return (
        wanted,
        stock,
        Rules(
            last_day=LAST_DAY,
            days_left=5,
            lead_days={f"F{number:03}": random.randint(1, 6) for number in range(0, size.facilities, 9)},
            capacity={booth: round(whole * random.uniform(0.4, 1.1)) for booth, whole in asked.items()},
            categories={(want.booth, want.product): f"C{int(want.product[1:]) % CATEGORIES}" for want in wanted},
            limits={
                (booth, f"C{category}"): round(whole / CATEGORIES * random.uniform(0.3, 1.2))
                for booth, whole in asked.items()
                for category in range(CATEGORIES)
                if random.random() < 0.5
            },
        ),
    )


def _stock(size: Size, products: list[str], random: Random) -> Iterator[AvailableLot]:
    for number in range(size.facilities):
        for product in random.sample(products, size.makes):
            for lot in range(size.lots):
                yield AvailableLot(
                    lot=f"F{number:03}-{product}-{lot:02}",
                    facility=f"F{number:03}",
                    product=product,
                    qty=random.randint(1, size.lot),
                    made_on=LAST_DAY - timedelta(random.randint(1, 60)),
                    best_before=LAST_DAY + timedelta(random.randint(-2, 60)) if random.random() < 0.3 else None,
                    revision=1,
                )


def measured(size: Size, runs: int) -> Took:
    wanted, stock, rules = made(size)
    times = []
    result = plan(wanted, stock, rules=rules)
    for _ in range(runs):
        start = time.process_time()
        result = plan(wanted, stock, rules=rules)
        times.append(time.process_time() - start)
    # Linux counts in kB, macOS in bytes.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    seconds = statistics.median(times)
    return Took(
        case=size.name,
        lots=len(stock),
        demands=len(wanted),
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
    parser.add_argument("--runs", type=int, default=5, help="plans per case; the middle one counts")
    chosen = parser.parse_args()
    took = []
    for size in SIZES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            took.append(alone.submit(measured, size, chosen.runs).result())
    if chosen.json:
        print(json.dumps([asdict(one) for one in took], indent=2, ensure_ascii=False))
    else:
        _table(took)
    return 0 if all(one.kept for one in took) else 1


def _table(took: list[Took]) -> None:
    row = "{:28} {:>7} {:>8} {:>7} {:>5} {:>7} {:>10} {:>9}  {}".format
    print(row("case", "lots", "demands", "ms", "MB", "lines", "shipments", "at least", "bounds"))
    for one in took:
        print(
            row(
                one.case,
                one.lots,
                one.demands,
                round(one.seconds * 1000, 1),
                round(one.megabytes),
                one.lines,
                one.shipments,
                one.shipments_at_least,
                "kept" if one.kept else "BROKEN",
            )
        )


if __name__ == "__main__":
    sys.exit(main())
