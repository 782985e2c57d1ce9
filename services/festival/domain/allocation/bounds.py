"""The hard rules of a plan, from the data of a festival and its booths and from stock already there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.festival.domain.booth import Booth
from services.festival.domain.festival import Festival
from services.festival.domain.line import AllocationLine
from services.festival.domain.planning import Rules, late_facilities
from shared.wording import Message


def planning_rules(
    festival: Festival,
    at: datetime,
    booths: Iterable[Booth] = (),
    lines: Iterable[AllocationLine] = (),
    *,
    spread_evenly: bool = True,
    day: date | None = None,
) -> Rules:
    """The rules for a plan at a moment.

    `day`: the one day of the festival that the stock is for; None: all days. `booths`: those with a demand.
    `lines`: all that are still to come to these booths. Without booths there are no limits of booths.
    """
    today = local_day(festival, at)
    opening = day or (festival.first_day if today < festival.first_day else festival.last_day)
    limited_booths = [booth for booth in booths if booth.capacity is not None or booth.limits]
    promised_pieces = _promised_pieces(lines) if limited_booths else {}
    capacity: dict[str, int] = {}
    limits: dict[tuple[str, str], int] = {}
    categories: dict[tuple[str, str], str] = {}
    for booth in limited_booths:
        pieces = booth.held_and_incoming
        for product, qty in promised_pieces.get(booth.id, {}).items():
            pieces[product] = pieces.get(product, 0) + qty
        if booth.capacity is not None:
            capacity[booth.id] = max(0, booth.capacity - sum(pieces.values()))
        category = {tag.product: tag.category for tag in booth.prices if tag.category is not None}
        categories.update({(booth.id, product): kind for product, kind in category.items()})
        for kind, most in booth.limits:
            limits[booth.id, kind] = max(0, most - sum(qty for p, qty in pieces.items() if category.get(p) == kind))
    return Rules(
        last_day=day or festival.last_day,
        days_left=(opening - today).days,
        lead_days=festival.parcel_days,
        unknown_is_late=festival.island is not None,
        capacity=capacity,
        categories=categories,
        limits=limits,
        weights=dict(festival.weights),
        spread_evenly=spread_evenly,
    )


def too_slow(festival: Festival, facilities: Iterable[str], at: datetime, day: date | None = None) -> list[str]:
    """Those of the facilities that a plan no longer uses, as their parcels would come too late."""
    return sorted(late_facilities(planning_rules(festival, at, day=day), facilities))


def misses_last_day(festival: Festival, facility: str, at: datetime) -> bool:
    """Whether a parcel sent now would come after the last day. One that only misses the opening can be sold."""
    days_left = (festival.last_day - local_day(festival, at)).days
    return facility in late_facilities(replace(planning_rules(festival, at), days_left=days_left), [facility])


def local_day(festival: Festival, at: datetime) -> date:
    """The calendar day in the festival's zone."""
    return at.astimezone(ZoneInfo(festival.zone)).date()


def day_over(festival: Festival, day: date) -> datetime:
    """The end of the day in the festival's zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(festival.zone)).astimezone(UTC)


def lacks_room(rules: Rules, coming: Iterable[tuple[str, str, int]]) -> Message | None:
    """The limit that these pieces (by booth and product) together exceed, as a sentence; None if there is room."""
    totals: Counter[str] = Counter()
    by_category: Counter[tuple[str, str]] = Counter()
    for booth, product, qty in coming:
        totals[booth] += qty
        by_category[booth, rules.categories.get((booth, product), "")] += qty
    for booth, qty in sorted(totals.items()):
        if qty > (room := rules.capacity.get(booth, qty)):
            return Message("{booth} has room for {room} more pieces, not for {qty}", booth=booth, room=room, qty=qty)
    for (booth, category), qty in sorted(by_category.items()):
        if qty > (room := rules.limits.get((booth, category), qty)):
            return Message(
                "{booth} has room for {room} more pieces of {category}, not for {qty}",
                booth=booth,
                room=room,
                category=category,
                qty=qty,
            )
    return None


def _promised_pieces(lines: Iterable[AllocationLine]) -> dict[str, dict[str, int]]:
    """Pieces by booth and product."""
    pieces: dict[str, dict[str, int]] = {}
    for line in lines:
        products = pieces.setdefault(line.booth, {})
        products[line.product] = products.get(line.product, 0) + line.qty
    return pieces
