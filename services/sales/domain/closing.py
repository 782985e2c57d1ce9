"""The end of a booth: settled when every till is complete or the deadline has passed, and corrected after that."""

from collections.abc import Iterator
from dataclasses import replace

from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.lost_sales import count_demand, opening_hours
from services.sales.domain.selling import Change, dispute_waiting
from shared.events.festival import BoothClosing
from shared.events.language import Deadline, DeadlineReached, Publication
from shared.events.sales import BOOTH_REPORTS, SALE_SHARES, BoothSettled, SellThroughCounted, SoldThrough
from shared.runtime.state import State

# A report has to stay a readable record, however many sales are in dispute.
MOST_LISTED = 1000


def close(booth: Booth, body: BoothClosing) -> tuple[Booth, list[Deadline]]:
    """Nothing more comes; the tills have until the deadline. One that is settled stays so."""
    booth = replace(booth, festival=body.festival)
    if booth.status is BoothStatus.SETTLED:
        return booth, []
    booth = replace(booth, status=BoothStatus.CLOSING, deadline=body.deadline)
    # All are complete already: it is settled with this event, and there is nothing to wait for.
    return booth, [] if booth.complete else [Deadline(booth.id, booth.id, body.deadline)]


def reach_deadline(state: State, booth: Booth, reached: DeadlineReached) -> Change:
    """The deadline has passed, unless the booth was settled before or its deadline was moved."""
    if booth.status is not BoothStatus.CLOSING or reached.due != booth.deadline:
        return state, booth, []
    return settle(state, booth)


def settle(state: State, booth: Booth) -> Change:
    """What waits still will not be covered any more."""
    state, booth, said = dispute_waiting(state, booth)
    return state, replace(booth, status=BoothStatus.SETTLED), said


def report_settled(before: Booth, after: Booth, *, force: bool = False) -> tuple[Booth, list[Publication]]:
    """What festival and facilities hear of a settled booth: that it is settled, once each, and what it sold and could
    have sold, whenever that has changed (festival also `force`)."""
    if after.status is not BoothStatus.SETTLED:
        return after, []
    said: list[Publication] = []
    festival = after.festival
    assert festival is not None, "festival named itself when it closed the booth"
    if force or _reported_state(before) != _reported_state(after):
        after = replace(after, revision=after.revision + 1)
        said.append(BOOTH_REPORTS.of(_sell_through(after, festival)))
    told = before.facilities if before.status is BoothStatus.SETTLED else ()
    for facility in after.facilities:
        if facility not in told:
            settled = BoothSettled(facility=facility, festival=festival, booth=after.id)
            said.append(SALE_SHARES.of(settled))
    return after, [*said, *_demand(before, after)]


def _demand(before: Booth, after: Booth) -> Iterator[Publication]:
    """What facilities hear for whom something else is to be said than was: all, if the booth was open longer
    than was known, and all who made the same product, as what one still had, the others did not lose."""
    first = before.status is not BoothStatus.SETTLED
    if not first and (before.lots, before.shelves) == (after.lots, after.shelves):
        return
    open_in = opening_hours(after)
    anew = first or opening_hours(before) != open_in
    changed = _changed_products(before, after)
    for facility in after.facilities:
        if not anew and not any(lot.facility == facility and lot.product in changed for lot in after.lots):
            continue
        said = count_demand(after, open_in, facility)
        if anew or said != count_demand(before, open_in, facility):
            yield SALE_SHARES.of(said)


def _changed_products(before: Booth, after: Booth) -> set[str]:
    """The products of which something went otherwise."""
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
