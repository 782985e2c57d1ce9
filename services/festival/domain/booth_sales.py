"""The sales of open booths, as sales last reported them. Transfers and refills go by them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.festival.domain.booth import Booth, BoothStatus
from shared.events.sales import SellThroughSoFar
from shared.runtime.state import OwnedQuery, State


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


def booth_sales_at(festival: str) -> OwnedQuery[BoothSales]:
    """The query of what all booths of the festival have sold so far."""
    return OwnedQuery(BoothSales, "festival", festival)


def sales_by_booth(state: State, festival: str) -> dict[str, BoothSales]:
    """What the booths of the festival have sold so far, by booth."""
    return {sales.id: sales for sales in state.find(booth_sales_at(festival))}


def booth_sales_of(state: State, booths: Iterable[str]) -> dict[str, BoothSales]:
    """What these booths have sold so far, by booth. A booth without a report is left out."""
    return {booth: sales for booth in booths if (sales := state.get(BoothSales, booth)) is not None}


def less_sold(booth: Booth, sales: BoothSales | None) -> Booth:
    """An open booth less its reported sales, which may lag. A settled booth has its own counts."""
    if booth.status is not BoothStatus.OPEN or sales is None:
        return booth
    return replace(booth, sold=sales.sold)


def booths_less_sold(state: State, sales: Mapping[str, BoothSales], ids: Iterable[str]) -> list[Booth]:
    """These booths as far as they exist, each less what it has sold so far by `sales`."""
    return [less_sold(booth, sales.get(id)) for id in ids if (booth := state.get(Booth, id)) is not None]
