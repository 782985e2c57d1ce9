"""What may be planned: the lots that no rule keeps out, in the order in which they should leave."""

from collections.abc import Iterable, Mapping
from datetime import date
from operator import attrgetter

from services.festival.domain.planning.terms import AvailableLot, ExcludedStock, Rules
from shared.events.festival import PlanRule

LotsByFacility = dict[str, dict[str, list[AvailableLot]]]

_SOONEST = attrgetter("best_before", "made_on", "lot")
_OLDEST = attrgetter("made_on", "lot")


def eligible_stock(
    stock: Iterable[AvailableLot], products: Iterable[str], rules: Rules
) -> tuple[LotsByFacility, tuple[ExcludedStock, ...]]:
    """The lots of `products` by facility and product, not yet in order; and what the rules keep out."""
    asked = frozenset(products)
    shelves: LotsByFacility = {}
    spoilt: LotsByFacility = {}
    last_day = rules.last_day or date.min
    for lot in stock:
        if lot.product in asked and lot.qty > 0:
            best_before = lot.best_before
            rows = shelves if best_before is None or best_before > last_day else spoilt
            row = rows.get(lot.facility)
            if row is None:
                row = rows[lot.facility] = {}
            shelf = row.get(lot.product)
            if shelf is None:
                row[lot.product] = [lot]
            else:
                shelf.append(lot)
    slow = late_facilities(rules)
    kept = [
        ExcludedStock(facility, product, _with_lead_time(base, facility in slow), sum(lot.qty for lot in shelf))
        for rows, base in ((shelves, ()), (spoilt, (PlanRule.BEST_BEFORE,)))
        for facility, row in rows.items()
        if base or facility in slow
        for product, shelf in row.items()
    ]
    fit = {facility: row for facility, row in shelves.items() if facility not in slow}
    return fit, tuple(sorted(kept, key=lambda one: (one.product, one.facility, one.rules)))


def dispatch_order(shelf: list[AvailableLot]) -> list[AvailableLot]:
    """Soonest to spoil first, then what does not spoil, oldest first; at last by id."""
    if len(shelf) == 1:
        return shelf
    spoiling = sorted([lot for lot in shelf if lot.best_before is not None], key=_SOONEST)
    return spoiling + sorted([lot for lot in shelf if lot.best_before is None], key=_OLDEST)


def offers(
    shelves: Mapping[str, Mapping[str, list[AvailableLot]]], asked: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """By facility and product: what there is or what was asked, whichever is less."""
    return {
        facility: {product: min(asked[product], sum([lot.qty for lot in row[product]])) for product in sorted(row)}
        for facility, row in sorted(shelves.items())
    }


def late_facilities(rules: Rules) -> frozenset[str]:
    """The facilities from which a parcel takes longer than there is time."""
    if rules.days_left is None:
        return frozenset()
    return frozenset(facility for facility, days in rules.lead_days.items() if days > rules.days_left)


def _with_lead_time(base: tuple[PlanRule, ...], late: bool) -> tuple[PlanRule, ...]:
    return (*base, PlanRule.LEAD_TIME) if late else base
