"""How a booth sells while it is open, as sales last said: what transfers and refills are decided by."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.festival.domain.booth import Booth, BoothStatus
from shared.events.sales import SellThroughSoFar
from shared.runtime.state import State


@dataclass(frozen=True, slots=True)
class BoothSales:
    """By booth. `sold`: pieces by lot; `hours`, by product and in order: clock hour (since 1970, in UTC), pieces, and
    minutes in which there were some to sell. `at` is when the sale was made that it was said with."""

    id: str
    festival: str
    at: datetime
    revision: int
    sold: tuple[tuple[str, int], ...] = ()
    hours: tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...] = ()


def record(state: State, said: SellThroughSoFar) -> State:
    """The highest revision replaces every lower one."""
    known = state.get(BoothSales, said.booth)
    if known is not None and known.revision >= said.revision:
        return state
    return state.put(
        BoothSales(
            id=said.booth,
            festival=said.festival,
            at=said.at,
            revision=said.revision,
            sold=tuple((lot.lot, lot.sold) for lot in said.lots),
            hours=tuple(
                (one.product, tuple(zip(one.hours, one.sold, one.minutes, strict=False))) for one in said.products
            ),
        )
    )


def sales_by_booth(state: State, festival: str) -> dict[str, BoothSales]:
    """By booth, those of the festival that a batch has loaded."""
    return {pace.id: pace for pace in state.all(BoothSales) if pace.festival == festival}


def less_sold(booth: Booth, pace: BoothSales | None) -> Booth:
    """An open booth less what it is known to have sold so far, there may be more by now; once it is settled, it knows
    better itself."""
    if booth.status is not BoothStatus.OPEN or pace is None:
        return booth
    return replace(booth, sold=pace.sold)


def booths_less_sold(state: State, festival: str, ids: Iterable[str]) -> list[Booth]:
    """These booths as far as they are known, each less what it has sold so far."""
    known = sales_by_booth(state, festival)
    return [less_sold(booth, known.get(id)) for id in ids if (booth := state.get(Booth, id)) is not None]
