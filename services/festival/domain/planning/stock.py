"""The lots that rules allow a plan to use, in dispatch order."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from services.festival.domain.planning.terms import AvailableLot, ExcludedStock, Rules, good_on
from shared.events.festival import PlanRule

LotsByFacility = dict[str, dict[str, list[AvailableLot]]]

_SOONEST = attrgetter("best_before", "made_on", "lot")
_OLDEST = attrgetter("made_on", "lot")


def eligible_stock(
    stock: Iterable[AvailableLot], products: Iterable[str], rules: Rules
) -> tuple[LotsByFacility, tuple[ExcludedStock, ...]]:
    """The lots of `products` that rules allow, by facility and product, not yet in order; and the excluded stock."""
    requested = frozenset(products)
    lasting: LotsByFacility = {}
    spoiling: LotsByFacility = {}
    last_day = rules.last_day
    for lot in stock:
        if lot.product in requested and lot.qty > 0:
            rows = lasting if good_on(lot.best_before, last_day) else spoiling
            row = rows.get(lot.facility)
            if row is None:
                row = rows[lot.facility] = {}
            lots = row.get(lot.product)
            if lots is None:
                row[lot.product] = [lot]
            else:
                lots.append(lot)
    late = late_facilities(rules, {*lasting, *spoiling})
    by_facility = ((late, PlanRule.LEAD_TIME), (rules.left_out, PlanRule.LEFT_OUT))
    excluded = [
        ExcludedStock(facility, product, excluding, sum(lot.qty for lot in lots))
        for rows, base in ((lasting, ()), (spoiling, (PlanRule.BEST_BEFORE,)))
        for facility, row in rows.items()
        if (excluding := (*base, *(rule for facilities, rule in by_facility if facility in facilities)))
        for product, lots in row.items()
    ]
    eligible = {
        facility: row for facility, row in lasting.items() if facility not in late and facility not in rules.left_out
    }
    return eligible, tuple(sorted(excluded, key=lambda group: (group.product, group.facility, group.rules)))


def dispatch_order(lots: list[AvailableLot]) -> list[AvailableLot]:
    """The lots in dispatch order: soonest best-before day first, then lots without one, oldest first; then by id."""
    if len(lots) == 1:
        return lots
    spoiling = sorted([lot for lot in lots if lot.best_before is not None], key=_SOONEST)
    return spoiling + sorted([lot for lot in lots if lot.best_before is None], key=_OLDEST)


def offers(
    lots: Mapping[str, Mapping[str, list[AvailableLot]]], demand: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """By facility and product: the stock or the demand, whichever is less."""
    return {
        facility: {product: min(demand[product], sum([lot.qty for lot in row[product]])) for product in sorted(row)}
        for facility, row in sorted(lots.items())
    }


def late_facilities(rules: Rules, facilities: Iterable[str]) -> frozenset[str]:
    """Those of the facilities whose lead time exceeds the days left, or is not known where it has to be."""
    days_left, lead_days = rules.days_left, rules.lead_days
    if days_left is None:
        return frozenset()
    return frozenset(
        facility
        for facility in facilities
        if (lead_days[facility] > days_left if facility in lead_days else rules.unknown_is_late)
    )
