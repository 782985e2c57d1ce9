"""How a booth sells while it is open, as sales last said: what transfers and refills are decided by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.festival.domain.booth import Booth, BoothStatus
from shared.events.sales import SellThroughSoFar
from shared.runtime.state import OwnedQuery, State


@dataclass(frozen=True, slots=True)
class BoothPace:
    """By booth. `sold`: pieces by lot; `hours`, by product and in order: clock hour (since 1970, in UTC), pieces, and
    minutes in which there were some to sell. `at` is when the sale was made that it was said with."""

    id: str
    festival: str
    at: datetime
    revision: int
    sold: tuple[tuple[str, int], ...] = ()
    hours: tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...] = ()


def keep(state: State, said: SellThroughSoFar) -> State:
    """The highest revision replaces every lower one."""
    known = state.get(BoothPace, said.booth)
    if known is not None and known.revision >= said.revision:
        return state
    return state.put(
        BoothPace(
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


def paces_at(festival: str) -> OwnedQuery[BoothPace]:
    """The paces of all booths of the festival."""
    return OwnedQuery(BoothPace, "festival", festival)


def paces(state: State, festival: str) -> dict[str, BoothPace]:
    """All paces of the festival, by booth."""
    return {pace.id: pace for pace in state.find(paces_at(festival))}


def paces_of(state: State, booths: Iterable[str]) -> dict[str, BoothPace]:
    """The paces of these booths, as far as they have said one, by booth."""
    return {booth: pace for booth in booths if (pace := state.get(BoothPace, booth)) is not None}


def as_sold(booth: Booth, pace: BoothPace | None) -> Booth:
    """An open booth less what it is known to have sold so far, there may be more by now; once it is settled, it knows
    better itself."""
    if booth.status is not BoothStatus.OPEN or pace is None:
        return booth
    return replace(booth, sold=pace.sold)


def sold_so_far(state: State, known: Mapping[str, BoothPace], ids: Iterable[str]) -> list[Booth]:
    """These booths as far as they exist, each less what it has sold so far by the `known` paces."""
    return [as_sold(booth, known.get(id)) for id in ids if (booth := state.get(Booth, id)) is not None]
