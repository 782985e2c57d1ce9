"""The hard rules of a plan, from what a festival and its booths were opened with and what is there already."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.festival.domain.allocation.line import PROMISED
from services.festival.domain.allocation.request import Request
from services.festival.domain.booth import Booth
from services.festival.domain.festival import Festival
from services.festival.domain.planning import Rules, late_facilities


def planning_rules(
    festival: Festival,
    at: datetime,
    booths: Iterable[Booth] = (),
    requests: Iterable[Request] = (),
    *,
    spread_evenly: bool = True,
) -> Rules:
    """The rules at a moment. `booths`: those that stock is planned for, with all `requests` of the festival of which
    something is still to come; without them the booths bound nothing."""
    today = local_day(festival, at)
    opening = festival.first_day if today < festival.first_day else festival.last_day
    bound = [booth for booth in booths if booth.capacity is not None or booth.limits]
    coming = _promised_pieces(requests) if bound else {}
    capacity: dict[str, int] = {}
    limits: dict[tuple[str, str], int] = {}
    kinds: dict[tuple[str, str], str] = {}
    for booth in bound:
        there = booth.held_and_incoming
        for product, qty in coming.get(booth.id, {}).items():
            there[product] = there.get(product, 0) + qty
        if booth.capacity is not None:
            capacity[booth.id] = max(0, booth.capacity - sum(there.values()))
        category = {tag.product: tag.category for tag in booth.prices if tag.category is not None}
        kinds.update({(booth.id, product): kind for product, kind in category.items()})
        for kind, most in booth.limits:
            limits[booth.id, kind] = max(0, most - sum(qty for p, qty in there.items() if category.get(p) == kind))
    return Rules(
        last_day=festival.last_day,
        days_left=(opening - today).days,
        lead_days=dict(festival.lead_days),
        capacity=capacity,
        categories=kinds,
        limits=limits,
        weights=dict(festival.weights),
        spread_evenly=spread_evenly,
    )


def too_slow(festival: Festival, facilities: Iterable[str], at: datetime) -> list[str]:
    """Those of the facilities from which nothing would be planned any more: it would come too late."""
    return sorted(late_facilities(planning_rules(festival, at)).intersection(facilities))


def misses_last_day(festival: Festival, facility: str, at: datetime) -> bool:
    """Whether what leaves the facility now comes after the last day; what only misses the opening can be sold."""
    rest = (festival.last_day - local_day(festival, at)).days
    return facility in late_facilities(replace(planning_rules(festival, at), days_left=rest))


def local_day(festival: Festival, at: datetime) -> date:
    """The day that it is at the festival."""
    return at.astimezone(ZoneInfo(festival.zone)).date()


def lacks_room(rules: Rules, coming: Iterable[tuple[str, str, int]]) -> str | None:
    """What keeps these pieces (by booth and product) from all having room together, in words; None if they have."""
    whole: Counter[str] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    for booth, product, qty in coming:
        whole[booth] += qty
        kinds[booth, rules.categories.get((booth, product), "")] += qty
    for booth, qty in sorted(whole.items()):
        if qty > (most := rules.capacity.get(booth, qty)):
            return f"{booth} has room for {most} more pieces, not for {qty}"
    for (booth, kind), qty in sorted(kinds.items()):
        if qty > (most := rules.limits.get((booth, kind), qty)):
            return f"{booth} has room for {most} more pieces of {kind}, not for {qty}"
    return None


def _promised_pieces(requests: Iterable[Request]) -> dict[str, dict[str, int]]:
    """Pieces by booth and product."""
    coming: dict[str, dict[str, int]] = {}
    for request in requests:
        for line in request.lines:
            if line.status in PROMISED:
                of = coming.setdefault(line.booth, {})
                of[line.product] = of.get(line.product, 0) + line.qty
    return coming
