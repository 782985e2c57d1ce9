"""The end of a booth: settled when every till is complete or at the deadline, and corrected by later records."""

from collections.abc import Iterator
from dataclasses import replace

from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.lost_sales import count_demand, opening_hours
from services.sales.domain.selling import Change, dispute_waiting
from shared.events.festival import BoothClosing
from shared.events.language import Deadline, DeadlineReached, Publication
from shared.events.sales import BOOTH_REPORTS, SALE_SHARES, BoothSettled, SellThroughCounted, SoldThrough
from shared.runtime.state import State

# Limits the size of the report's record, since a booth may have any number of disputed sales.
MOST_LISTED = 1000


def close(booth: Booth, body: BoothClosing) -> tuple[Booth, list[Deadline]]:
    """The closing booth, and the deadline until which its tills may send records. A settled booth stays settled."""
    booth = replace(booth, festival=body.festival)
    if booth.status is BoothStatus.SETTLED:
        return booth, []
    booth = replace(booth, status=BoothStatus.CLOSING, deadline=body.deadline)
    # A complete booth is settled by this same event and needs no deadline.
    return booth, [] if booth.complete else [Deadline(booth.id, booth.id, body.deadline)]


def reach_deadline(state: State, booth: Booth, reached: DeadlineReached) -> Change:
    """Settle the booth at its deadline. Without effect if the booth is settled or has another deadline now."""
    if booth.status is not BoothStatus.CLOSING or reached.due != booth.deadline:
        return state, booth, []
    return settle(state, booth)


def settle(state: State, booth: Booth) -> Change:
    """Settle the booth: waiting sales become disputed, since no more stock will come to cover them."""
    state, booth, publications = dispute_waiting(state, booth)
    return state, replace(booth, status=BoothStatus.SETTLED), publications


def report_settled(before: Booth, after: Booth, *, force: bool = False) -> tuple[Booth, list[Publication]]:
    """The reports of a settled booth to festival and facilities.

    BoothSettled goes to each facility once. SellThroughCounted and DemandCounted go out whenever their content has
    changed. `force` repeats SellThroughCounted.
    """
    if after.status is not BoothStatus.SETTLED:
        return after, []
    publications: list[Publication] = []
    festival = after.festival
    assert festival is not None, "festival named itself when it closed the booth"
    if force or _reported_state(before) != _reported_state(after):
        after = replace(after, revision=after.revision + 1)
        publications.append(BOOTH_REPORTS.of(_sell_through(after, festival)))
    notified = before.facilities if before.status is BoothStatus.SETTLED else ()
    for facility in after.facilities:
        if facility not in notified:
            settled = BoothSettled(facility=facility, festival=festival, booth=after.id)
            publications.append(SALE_SHARES.of(settled))
    return after, [*publications, *_demand(before, after)]


def _demand(before: Booth, after: Booth) -> Iterator[Publication]:
    """DemandCounted for each facility whose figures changed.

    A change of the opening hours concerns all facilities. A change of a product concerns all of its makers: while one
    has stock, the others lose no sales.
    """
    first = before.status is not BoothStatus.SETTLED
    if not first and (before.lots, before.shelves) == (after.lots, after.shelves):
        return
    open_in = opening_hours(after)
    for_all = first or opening_hours(before) != open_in
    changed = _changed_products(before, after)
    for facility in after.facilities:
        if not for_all and not any(lot.facility == facility and lot.product in changed for lot in after.lots):
            continue
        demand = count_demand(after, open_in, facility)
        if for_all or demand != count_demand(before, open_in, facility):
            yield SALE_SHARES.of(demand)


def _changed_products(before: Booth, after: Booth) -> set[str]:
    """The products whose lots or sales differ between `before` and `after`."""
    lots = {lot.lot: lot for lot in before.lots}
    shelves = {(shelf.facility, shelf.product): shelf for shelf in before.shelves}
    return {
        *(lot.product for lot in after.lots if lots.get(lot.lot) != lot),
        *(shelf.product for shelf in after.shelves if shelves.get((shelf.facility, shelf.product)) != shelf),
    }


def _reported_state(booth: Booth) -> object:
    return booth.status is BoothStatus.SETTLED, booth.lots, booth.disputed


def _sell_through(booth: Booth, festival: str) -> SellThroughCounted:
    return SellThroughCounted(
        festival=festival,
        booth=booth.id,
        revision=booth.revision,
        lots=tuple(_sold_through(booth)),
        disputed=booth.disputed[:MOST_LISTED],
    )


def _sold_through(booth: Booth) -> Iterator[SoldThrough]:
    for lot in booth.lots:
        yield SoldThrough(
            lot=lot.lot,
            stocked=lot.stocked,
            sold=lot.sold,
            lost=lot.lost,
            unsold=lot.unsold,
            counted=lot.latest.qty if lot.latest is not None else None,
            beyond=lot.beyond,
            moved=lot.moved,
            unexplained=lot.unexplained,
        )
