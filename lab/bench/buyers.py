"""A made-up festival to try refills on: the demo's season with its facilities, booths and wishes, and buyers by the
minute who know nothing of any forecast.

Everything about the buyers is made up: how popular a booth is, which products people there come for (not what its
organiser asked for), a busy late morning, lunch and afternoon whose hours differ from day to day, buses that bring
many at once, a taste that drifts, and buyers who take something else when what they wanted is gone.
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
from services.festival.domain.planning import Available, Rules, Wanted, plan
from services.production.domain.rules import spoils_on, wrong_goods
from services.production.reference import load
from shared.events.production import ProductionReported

MORNING = datetime(2025, 8, 7, 22, tzinfo=UTC)
OPENS, CLOSES = 8, 17
MINUTES = (CLOSES - OPENS) * 60
# Of all that the first plan brings, so much is wanted: as much as the demo sells. What is liked more is wanted more,
# so that the cakes are gone before noon, as in the demo.
WANTED, BY_LIKING = 0.9, 0.3
PIECES = (1, 2, 3), (75, 18, 7)
PIECES_EACH = 1.32
TAKES_ANOTHER = 0.4


@dataclass(frozen=True, slots=True)
class Buyer:
    """Comes at a minute of the day and wants `qty` of `product`; if it is gone, perhaps of another."""

    minute: int
    booth: str
    product: str
    qty: int
    instead: str | None


@dataclass(frozen=True, slots=True)
class Festival:
    """One festival before its first morning: what the first plan put where, by booth and lot; what facilities still
    have; and the buyers of each day."""

    plan: FestivalPlan
    opens: tuple[datetime, ...]
    sells: dict[str, frozenset[str]]
    placed: dict[str, dict[str, int]]
    lots: dict[str, Available]
    stock: dict[str, int]
    buyers: tuple[tuple[Buyer, ...], ...]
    rules: Rules


def festivals(seed: int) -> list[Festival]:
    """The season's festivals. Each has all that the plans of those before it left."""
    season = Season(load(), seed=seed, scale=1, now=MORNING)
    lots = {lot.lot: lot for lot in _lots(season)}
    made: dict[str, int] = defaultdict(int)
    for lot in lots.values():
        made[lot.product] += lot.qty
    stock = {lot.lot: lot.qty for lot in lots.values()}
    found = []
    for festival in season.festivals:
        rules = Rules(last_day=festival.announcement.last_day, even=True)
        placed: dict[str, dict[str, int]] = {booth.booth: {} for booth in festival.booths}
        for request in season.requests(festival, made):
            wanted = [Wanted(want.booth, want.product, want.qty) for want in request.demands]
            for one in plan(wanted, left(lots, stock), rules=rules).chosen:
                stock[one.lot.lot] -= one.qty
                placed[one.booth][one.lot.lot] = placed[one.booth].get(one.lot.lot, 0) + one.qty
        days = (festival.announcement.last_day - festival.announcement.first_day).days + 1
        sells = {booth.booth: frozenset(price.product for price in booth.prices) for booth in festival.booths}
        opens = tuple(season.local_time(festival, OPENS + 24 * day) for day in range(days))
        buyers = _buyers(season.rng(f"buyers {festival.id}"), placed, lots, days)
        found.append(Festival(festival, opens, sells, placed, lots, stock, buyers, rules))
    return found


def left(lots: dict[str, Available], stock: dict[str, int]) -> list[Available]:
    return [
        Available(lot.lot, lot.facility, lot.product, stock[lot.lot], lot.made_on, lot.best_before, 1)
        for lot in lots.values()
        if stock[lot.lot]
    ]


def _lots(season: Season) -> Iterator[Available]:
    """What production would record of the first reports: each once, without those that it would refuse."""
    seen = set()
    for spoken in season.reports().records:
        id = dict(spoken.headers)["ce_id"]
        if spoken.value is None or id is None or id in seen:
            continue
        seen.add(id)
        try:
            body = ProductionReported.model_validate_json(spoken.value)
        except ValidationError:
            continue
        maker = season.catalogue.facilities[body.facility]
        product = season.catalogue.products.get(body.product)
        if product is not None and wrong_goods(maker, product, body, season.today) is None:
            best_before = body.best_before or spoils_on(product, body.made_on)
            lot = f"{body.facility}/{len(seen)}"
            yield Available(lot, body.facility, body.product, body.qty, body.made_on, best_before, 1)


def _buyers(
    rng: Random,
    placed: dict[str, dict[str, int]],
    lots: dict[str, Available],
    days: int,
) -> tuple[tuple[Buyer, ...], ...]:
    tastes = _tastes(rng, placed, lots)
    moods = [rng.lognormvariate(0, 0.15) for _ in range(days)]
    came = []
    for mood in moods:
        peaks = [(hour + rng.gauss(0, 0.4), width, height) for hour, width, height in _PEAKS]
        today = [
            buyer
            for booth, wants in sorted(tastes.items())
            for buyer in _day(rng, booth, wants, mood / sum(moods), _shape(rng, peaks))
        ]
        came.append(tuple(sorted(today, key=lambda buyer: buyer.minute)))
    return tuple(came)


# Hour, how wide in hours, how high above an even stream.
_PEAKS = ((10.5, 1.0, 1.6), (12.5, 0.6, 2.0), (15.5, 1.0, 1.4))


def _tastes(
    rng: Random, placed: dict[str, dict[str, int]], lots: dict[str, Available]
) -> dict[str, dict[str, float]]:
    """By booth and product: how many pieces are wanted during the whole festival, of what was there at all."""
    brought: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for booth, there in placed.items():
        for lot, qty in there.items():
            brought[lots[lot].product][booth] += qty
    popular = {booth: rng.lognormvariate(0, 0.35) for booth in sorted(placed)}
    eager = {p: GOODS[p].popularity ** BY_LIKING * rng.lognormvariate(0, 0.25) for p in sorted(brought)}
    pieces = {p: sum(there.values()) for p, there in brought.items()}
    level = WANTED * sum(pieces.values()) / sum(eager[p] * pieces[p] for p in pieces)
    wanted: dict[str, dict[str, float]] = defaultdict(dict)
    for p in sorted(brought):
        parts = {booth: popular[booth] * rng.lognormvariate(0, 0.4) for booth in sorted(brought[p])}
        for booth, part in parts.items():
            wanted[booth][p] = level * eager[p] * pieces[p] * part / sum(parts.values())
    return wanted


def _shape(rng: Random, peaks: list[tuple[float, float, float]]) -> list[float]:
    """The part of a day's buyers in each of its minutes; a bus or two bring many within half an hour."""
    shape = []
    buses = [rng.randrange(MINUTES) for _ in range(rng.choice((0, 1, 1, 2)))]
    for minute in range(MINUTES):
        hour = OPENS + minute / 60
        busy = 1 + sum(height * math.exp(-(((hour - peak) / width) ** 2)) for peak, width, height in peaks)
        shape.append(busy * (3 if any(bus <= minute < bus + 30 for bus in buses) else 1))
    whole = sum(shape)
    return [part / whole for part in shape]


def _day(rng: Random, booth: str, wants: dict[str, float], part: float, shape: list[float]) -> Iterator[Buyer]:
    products = sorted(wants)
    drift = dict.fromkeys(products, 1.0)
    weights = [wants[p] for p in products]
    buyers = sum(wants.values()) * part / PIECES_EACH
    for minute in range(MINUTES):
        if minute % 60 == 0:
            drift = {p: drift[p] * rng.lognormvariate(0, 0.15) for p in products}
            weights = [wants[p] * drift[p] for p in products]
        for _ in range(_poisson(rng, buyers * shape[minute])):
            [product, other] = rng.choices(products, weights, k=2)
            [qty] = rng.choices(*PIECES)
            yield Buyer(minute, booth, product, qty, other if rng.random() < TAKES_ANOTHER else None)


def _poisson(rng: Random, mean: float) -> int:
    count, at = 0, rng.expovariate(1)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1)
    return count
