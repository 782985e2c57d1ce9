"""The effect of replenishment during a festival, and the error of its forecast: `python -m lab.bench.replenish`.

The demo's festivals with made-up buyers and several seeds. Compared are the first plan alone, with hourly moves
between booths, and with shipments of facilities overnight or at once. It prints the tables of `docs/allocation.md`
and draws its picture (`--json`: figures only). It fails if stock-outs are not halved, or more pieces stay unsold.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from lab.bench.allocation import DOCS, svg_picture
from lab.bench.buyers import MINUTES, festivals
from lab.bench.stalls import EPOCH, HOUR, MINUTE, BoothSimulation, FestivalOutcome, Propose
from services.festival.domain.replenishment import Proposal, SalesHistory, Situation, propose
from services.festival.domain.replenishment.forecast import rates

# The constants of the forecast and the proposal were chosen on other seeds, from 100 on.
SEEDS = range(1, 11)

Key = tuple[str, str]
Forecaster = Callable[[Sequence[SalesHistory], int], Mapping[Key, float]]


def moves_only(now: Situation) -> Proposal:
    """A proposal without shipments, as if facilities had no stock."""
    return replace(propose(now), refills=())


def overnight(now: Situation) -> Proposal:
    """Shipments arrive only in the morning, as if every facility were a day away."""
    return moves_only(now) if now.opens is None else propose(now)


METHODS: dict[str, Propose | None] = {
    "first plan alone": None,
    "moves between booths": moves_only,
    "and parcels overnight": overnight,
    "and parcels at once": propose,
}


# Forecasters: pieces per hour from the start of this clock hour on, by booth and product.


def smoothed(histories: Sequence[SalesHistory], hour: int) -> Mapping[Key, float]:  # noqa: ARG001
    return {key: rate.an_hour for key, rate in rates(histories).items()}


def same_as_so_far(histories: Sequence[SalesHistory], hour: int) -> Mapping[Key, float]:
    """Pieces sold today ÷ hours that the booth was open today."""
    today = [[hour_sales for hour_sales in history.hours if hour_sales.hour > hour - 12] for history in histories]
    opened = min((hours[0].hour for hours in today if hours), default=hour - 1)
    return {
        (history.booth, history.product): sum(hour_sales.qty for hour_sales in hours) / (hour - opened)
        for history, hours in zip(histories, today, strict=True)
    }


def last_hour_again(histories: Sequence[SalesHistory], hour: int) -> Mapping[Key, float]:
    return {
        (history.booth, history.product): float(
            sum(hour_sales.qty for hour_sales in history.hours if hour_sales.hour == hour - 1)
        )
        for history in histories
    }


def plain_mean(histories: Sequence[SalesHistory], hour: int) -> Mapping[Key, float]:  # noqa: ARG001
    """The mean rate while the product was in stock: as Karya, without smoothing and without other booths."""
    return {
        (history.booth, history.product): sum(hour_sales.qty for hour_sales in history.hours)
        / max(1, sum(hour_sales.minutes for hour_sales in history.hours))
        * 60
        for history in histories
    }


FORECASTS: dict[str, Forecaster] = {
    "Karya": smoothed,
    "the mean while it was there": plain_mean,
    "the same as so far today": same_as_so_far,
    "the last hour again": last_hour_again,
}


@dataclass(slots=True)
class ForecastErrors:
    """Errors of the forecasts, by forecaster and hours since opening.

    `errors`: absolute errors in pieces, summed over booths and products. `wanted`: pieces wanted until closing.
    `within`: how often the true demand was within one and two spreads.
    """

    errors: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    wanted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    rows: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    within: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add_hour(self, simulation: BoothSimulation, day: int, minute: int) -> None:
        """Compare the forecasts at this minute with the true demand until closing."""
        opens = simulation.festival.opens[day]
        now, until = opens + minute * MINUTE, opens + MINUTES * MINUTE
        histories = simulation.situation(now, until).histories
        ahead, hours = (MINUTES - minute) / 60, minute // 60
        sums: dict[Key, int] = defaultdict(int)
        for buyer in simulation.festival.buyers[day]:
            if buyer.minute >= minute:
                sums[buyer.booth, buyer.product] += buyer.qty
        for name, forecast in FORECASTS.items():
            an_hour = forecast(histories, (now - EPOCH) // HOUR)
            self.errors[name, hours] += sum(abs(rate * ahead - sums[key]) for key, rate in an_hour.items())
        for key, rate in rates(histories).items():
            self.rows[hours] += 1
            self.wanted[hours] += sums[key]
            for spreads in (1, 2):
                self.within[spreads] += abs(rate.expected(ahead) - sums[key]) <= spreads * rate.spread(ahead)

    def wape(self, name: str, hours: int | None = None) -> float:
        """Weighted absolute percentage error: pieces of error ÷ pieces wanted."""
        return self._sum(self.errors, name, hours) / sum(
            qty for at, qty in self.wanted.items() if hours in (None, at)
        )

    def mae(self, name: str) -> float:
        """Mean absolute error: pieces for one booth and product."""
        return self._sum(self.errors, name, None) / sum(self.rows.values())

    def covered(self, spreads: int) -> float:
        return self.within[spreads] / sum(self.rows.values())

    @staticmethod
    def _sum(errors: Mapping[tuple[str, int], float], name: str, hours: int | None) -> float:
        return sum(value for (forecast, at), value in errors.items() if forecast == name and hours in (None, at))


def measured(seeds: Sequence[int]) -> tuple[dict[str, list[FestivalOutcome]], ForecastErrors]:
    """The outcomes of each seed's season by method, and the errors of the forecasts.

    Forecasts are compared where nothing was replenished: with many products sold out they are hardest there.
    """
    outcomes: dict[str, list[FestivalOutcome]] = {name: [] for name in METHODS}
    errors = ForecastErrors()
    for seed in seeds:
        season = festivals(seed)
        for name, method in METHODS.items():
            # Each festival takes from the stock that the ones before it left.
            stock = dict(season[-1].stock)
            on_hour = errors.add_hour if method is None else None
            runs = [BoothSimulation(festival, stock, method, on_hour).run() for festival in season]
            outcomes[name].append(sum(runs, FestivalOutcome()))
    return outcomes, errors


def table(outcomes_by_method: Mapping[str, Sequence[FestivalOutcome]]) -> str:
    head = (
        "| | ran out before closing | of which nobody had enough | empty at closing | pieces missed | sold | unsold "
        "| walks | pieces moved | parcels | pieces sent |\n|---|" + "---|" * 10
    )
    rows = []
    for name, outcomes in outcomes_by_method.items():
        total = sum(outcomes, FestivalOutcome())
        stocked = (total.out, total.scarce, total.closed_out, total.missed, total.sold, total.unsold)
        cells = (*stocked, total.walks, total.moved, total.shipments, total.sent)
        rows.append(f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    return "\n".join([head, *rows]) + "\n"


def error_table(errors: ForecastErrors) -> str:
    hours = sorted(errors.wanted)
    head = "| | all | " + " | ".join(f"{hour} h" for hour in hours) + " | pieces |\n|---|" + "---|" * (len(hours) + 2)
    rows = []
    for name in FORECASTS:
        cells = [errors.wape(name), *(errors.wape(name, hour) for hour in hours)]
        rows.append(f"| {name} | " + " | ".join(f"{cell:.0%}" for cell in cells) + f" | {errors.mae(name):.1f} |")
    within = f"Within one spread: {errors.covered(1):.0%}; within two: {errors.covered(2):.0%}."
    return "\n".join([head, *rows]) + f"\n\n{within}\n"


def bars(outcomes_by_method: Mapping[str, Sequence[FestivalOutcome]]) -> str:
    """A picture of stock-outs and unsold pieces by method."""
    lines = []
    measures = (("Ran out before closing (booth × product × day)", "out"), ("Pieces unsold in the end", "unsold"))
    for row, (title, attribute) in enumerate(measures):
        top = 52 + 128 * row
        values = {
            name: getattr(sum(outcomes, FestivalOutcome()), attribute)
            for name, outcomes in outcomes_by_method.items()
        }
        lines.append(f'<text x="20" y="{top}" font-weight="bold">{title}</text>')
        for n, (name, value) in enumerate(values.items()):
            y = top + 10 + 22 * n
            width = max(1, 360 * value / max(values.values()))
            lines.append(f'<text x="170" y="{y + 12}" text-anchor="end">{name}</text>')
            lines.append(f'<rect x="180" y="{y}" width="{width:.1f}" height="15" fill="{COLOURS[n]}"/>')
            lines.append(f'<text x="{186 + width:.1f}" y="{y + 12}">{value:,}</text>')
    return svg_picture("Refills during a festival (made-up scenario)", 640, 300, lines)


COLOURS = ("#7a7a7a", "#b9d3dc", "#6fa5b7", "#1f6f8b")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    options = parser.parse_args()
    outcomes_by_method, errors = measured(SEEDS[: options.seeds])
    if options.json:
        figures = {
            "outcomes": {
                name: [asdict(outcome) for outcome in outcomes] for name, outcomes in outcomes_by_method.items()
            },
            "wape": {name: errors.wape(name) for name in FORECASTS},
            "mae": {name: errors.mae(name) for name in FORECASTS},
        }
        print(json.dumps(figures, indent=2))
    else:
        print(table(outcomes_by_method))
        print(error_table(errors))
        (DOCS / "allocation-refills.svg").write_text(bars(outcomes_by_method), encoding="utf-8")
    first_plan, replenished = (
        sum(outcomes_by_method[name], FestivalOutcome()) for name in ("first plan alone", "and parcels at once")
    )
    return 0 if 2 * replenished.out <= first_plan.out and replenished.unsold <= first_plan.unsold else 1


if __name__ == "__main__":
    sys.exit(main())
