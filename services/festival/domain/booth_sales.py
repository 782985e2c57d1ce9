"""The sales of open booths, as sales last reported them. Transfers and refills go by them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.festival.domain.booth import Booth, BoothStatus
from shared.events.sales import SellThroughSoFar
from shared.runtime.state import State


@dataclass(frozen=True, slots=True)
class BoothSales:
    """The sales of one booth so far, reported with the sale made `at`.

    - `sold`: pieces by lot.
    - `hours`: by product and in order: clock hour (since 1970, in UTC), pieces sold, minutes in stock.
    """

    id: str
    festival: str
    at: datetime
    revision: int
    sold: tuple[tuple[str, int], ...] = ()
    hours: tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...] = ()


def record(state: State, report: SellThroughSoFar) -> State:
    """Keep the report if its revision is higher than that of the last one."""
    latest = state.get(BoothSales, report.booth)
    if latest is not None and latest.revision >= report.revision:
        return state
    return state.put(
        BoothSales(
            id=report.booth,
            festival=report.festival,
            at=report.at,
            revision=report.revision,
            sold=tuple((lot.lot, lot.sold) for lot in report.lots),
            hours=tuple(
                (product.product, tuple(zip(product.hours, product.sold, product.minutes, strict=False)))
                for product in report.products
            ),
        )
    )


def sales_by_booth(state: State, festival: str) -> dict[str, BoothSales]:
    """The sales of the festival's booths that the batch has loaded, by booth."""
    return {sales.id: sales for sales in state.all(BoothSales) if sales.festival == festival}


def less_sold(booth: Booth, sales: BoothSales | None) -> Booth:
    """An open booth less its reported sales, which may lag. A settled booth has its own counts."""
    if booth.status is not BoothStatus.OPEN or sales is None:
        return booth
    return replace(booth, sold=sales.sold)


def booths_less_sold(state: State, festival: str, ids: Iterable[str]) -> list[Booth]:
    """The known booths of these ids, each less its reported sales."""
    sales = sales_by_booth(state, festival)
    return [less_sold(booth, sales.get(id)) for id in ids if (booth := state.get(Booth, id)) is not None]
