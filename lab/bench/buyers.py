"""Made-up buyers by the minute at the festivals of the demo's season, to try replenishment on.

Everything about the buyers is made up, and independent of any forecast. Booths differ in popularity, and buyers do
not want what the organiser asked for. Late morning, lunch and afternoon are busy, at hours that differ by day. Buses
bring many buyers at once. Tastes drift. Some buyers take another product when the wanted one is sold out.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from pydantic import ValidationError

from lab.simulate.goods import GOODS
from lab.simulate.season import FestivalPlan, Season
from services.festival.domain.planning import AvailableLot, RequestDemand, Rules, plan
from services.production.domain.rules import spoils_on, wrong_goods
from services.production.reference import load
from shared.events.production import ProductionReported

MORNING = datetime(2025, 8, 7, 22, tzinfo=UTC)
OPENS, CLOSES = 8, 17
MINUTES = (CLOSES - OPENS) * 60
# The part of the first plan's pieces that buyers want: as much as the demo sells. Popular products are wanted more,
# so that the cakes sell out before noon, as in the demo.
WANTED, BY_POPULARITY = 0.9, 0.3
PIECES = (1, 2, 3), (75, 18, 7)
PIECES_EACH = 1.32
TAKES_ANOTHER = 0.4


@dataclass(frozen=True, slots=True)
class Buyer:
    """Comes at `minute` of the day for `qty` pieces of `product`; `instead`: of another product if it is sold out."""

    minute: int
    booth: str
    product: str
    qty: int
    instead: str | None


@dataclass(frozen=True, slots=True)
class SimulatedFestival:
    """One festival before its first morning.

    `placed`: pieces that the first plan sent, by booth and lot. `stock`: pieces that facilities still have, by lot.
    `buyers`: of each day.
    """

    plan: FestivalPlan
    opens: tuple[datetime, ...]
    sells: dict[str, frozenset[str]]
    placed: dict[str, dict[str, int]]
    lots: dict[str, AvailableLot]
    stock: dict[str, int]
    buyers: tuple[tuple[Buyer, ...], ...]
    rules: Rules


def festivals(seed: int) -> list[SimulatedFestival]:
    """The season's festivals. Each plan uses the stock that the plans before it left."""
    season = Season(load(), seed=seed, scale=1, now=MORNING)
    lots = {lot.lot: lot for lot in _lots(season)}
    pieces: dict[str, int] = defaultdict(int)
    for lot in lots.values():
        pieces[lot.product] += lot.qty
    stock = {lot.lot: lot.qty for lot in lots.values()}
    simulated = []
    for festival in season.festivals:
        rules = Rules(last_day=festival.announcement.last_day, spread_evenly=True)
        placed: dict[str, dict[str, int]] = {booth.booth: {} for booth in festival.booths}
        for request in season.requests(festival, pieces):
            demands = [RequestDemand(demand.booth, demand.product, demand.qty) for demand in request.demands]
            for chosen in plan(demands, unallocated(lots, stock), rules=rules).allotments:
                stock[chosen.lot.lot] -= chosen.qty
                placed[chosen.booth][chosen.lot.lot] = placed[chosen.booth].get(chosen.lot.lot, 0) + chosen.qty
        days = (festival.announcement.last_day - festival.announcement.first_day).days + 1
        sells = {booth.booth: frozenset(price.product for price in booth.prices) for booth in festival.booths}
        opens = tuple(season.local_time(festival, OPENS + 24 * day) for day in range(days))
        buyers = _buyers(season.rng(f"buyers {festival.id}"), placed, lots, days)
        simulated.append(SimulatedFestival(festival, opens, sells, placed, lots, stock, buyers, rules))
    return simulated


def unallocated(lots: dict[str, AvailableLot], stock: dict[str, int]) -> list[AvailableLot]:
    return [
        AvailableLot(lot.lot, lot.facility, lot.product, stock[lot.lot], lot.made_on, lot.best_before, 1)
        for lot in lots.values()
        if stock[lot.lot]
    ]


def _lots(season: Season) -> Iterator[AvailableLot]:
    """The lots that production would record of the first reports: no duplicates, no rejected ones."""
    ids = set()
    for record in season.reports().records:
        id = dict(record.headers)["ce_id"]
        if record.value is None or id is None or id in ids:
            continue
        ids.add(id)
        try:
            body = ProductionReported.model_validate_json(record.value)
        except ValidationError:
            continue
        maker = season.catalogue.facilities[body.facility]
        product = season.catalogue.products.get(body.product)
        if product is not None and wrong_goods(maker, product, body, season.today) is None:
            best_before = body.best_before or spoils_on(product, body.made_on)
            lot = f"{body.facility}/{len(ids)}"
            yield AvailableLot(lot, body.facility, body.product, body.qty, body.made_on, best_before, 1)


def _buyers(
    rng: Random,
    placed: dict[str, dict[str, int]],
    lots: dict[str, AvailableLot],
    days: int,
) -> tuple[tuple[Buyer, ...], ...]:
    tastes = _tastes(rng, placed, lots)
    moods = [rng.lognormvariate(0, 0.15) for _ in range(days)]
    buyers_by_day = []
    for mood in moods:
        peaks = [(hour + rng.gauss(0, 0.4), width, height) for hour, width, height in _PEAKS]
        today = [
            buyer
            for booth, demand_weights in sorted(tastes.items())
            for buyer in _day(rng, booth, demand_weights, mood / sum(moods), _shape(rng, peaks))
        ]
        buyers_by_day.append(tuple(sorted(today, key=lambda buyer: buyer.minute)))
    return tuple(buyers_by_day)


# Hour, width in hours, height above an even stream.
_PEAKS = ((10.5, 1.0, 1.6), (12.5, 0.6, 2.0), (15.5, 1.0, 1.4))


def _tastes(
    rng: Random, placed: dict[str, dict[str, int]], lots: dict[str, AvailableLot]
) -> dict[str, dict[str, float]]:
    """Pieces that are wanted during the whole festival, by booth and product; of products that were placed there."""
    brought: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for booth, lots_of_booth in placed.items():
        for lot, qty in lots_of_booth.items():
            brought[lots[lot].product][booth] += qty
    popular = {booth: rng.lognormvariate(0, 0.35) for booth in sorted(placed)}
    eager = {p: GOODS[p].popularity ** BY_POPULARITY * rng.lognormvariate(0, 0.25) for p in sorted(brought)}
    pieces = {p: sum(lots_of_booth.values()) for p, lots_of_booth in brought.items()}
    level = WANTED * sum(pieces.values()) / sum(eager[p] * pieces[p] for p in pieces)
    weights_by_booth: dict[str, dict[str, float]] = defaultdict(dict)
    for p in sorted(brought):
        parts = {booth: popular[booth] * rng.lognormvariate(0, 0.4) for booth in sorted(brought[p])}
        for booth, part in parts.items():
            weights_by_booth[booth][p] = level * eager[p] * pieces[p] * part / sum(parts.values())
    return weights_by_booth


def _shape(rng: Random, peaks: list[tuple[float, float, float]]) -> list[float]:
    """The part of a day's buyers in each of its minutes. Up to two buses bring many within half an hour."""
    shape = []
    buses = [rng.randrange(MINUTES) for _ in range(rng.choice((0, 1, 1, 2)))]
    for minute in range(MINUTES):
        hour = OPENS + minute / 60
        busy = 1 + sum(height * math.exp(-(((hour - peak) / width) ** 2)) for peak, width, height in peaks)
        shape.append(busy * (3 if any(bus <= minute < bus + 30 for bus in buses) else 1))
    total = sum(shape)
    return [part / total for part in shape]


def _day(
    rng: Random, booth: str, demand_weights: dict[str, float], part: float, shape: list[float]
) -> Iterator[Buyer]:
    products = sorted(demand_weights)
    drift = dict.fromkeys(products, 1.0)
    weights = [demand_weights[p] for p in products]
    buyers = sum(demand_weights.values()) * part / PIECES_EACH
    for minute in range(MINUTES):
        if minute % 60 == 0:
            drift = {p: drift[p] * rng.lognormvariate(0, 0.15) for p in products}
            weights = [demand_weights[p] * drift[p] for p in products]
        for _ in range(_poisson(rng, buyers * shape[minute])):
            [product, other] = rng.choices(products, weights, k=2)
            [qty] = rng.choices(*PIECES)
            yield Buyer(minute, booth, product, qty, other if rng.random() < TAKES_ANOTHER else None)


def _poisson(rng: Random, mean: float) -> int:
    count, at = 0, rng.expovariate(1)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1)
    return count
