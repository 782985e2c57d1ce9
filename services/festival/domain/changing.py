"""Changes of what was announced: a festival's days, place and name, and the names of its booths."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.festival.domain.allocation.request import requests_at
from services.festival.domain.booth import Booth
from services.festival.domain.command import CommandResult, Rejection, first_names
from services.festival.domain.festival import (
    Festival,
    FestivalStatus,
    booths_of,
    check_announcement,
    check_days,
    check_facilities,
    festival_not_open,
    find_booth,
)
from services.festival.domain.line import SENT
from services.festival.domain.rules import CarryOut
from shared.events.catalogue import CatalogueRevision
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    AddedFacilities,
    BoothChanged,
    ChangeFestival,
    CommandRefusal,
    FestivalChanged,
    RenameBooth,
    Replenish,
    RequestAllocation,
    ReviseAllocation,
)
from shared.events.language import Event, Publication
from shared.runtime.state import State
from shared.wording import Message

Plans = TypeVar("Plans", bound=RequestAllocation | ReviseAllocation | Replenish)


def change(state: State, festival: Festival, body: ChangeFestival, at: datetime) -> CommandResult:
    """The festival with what the command changes, and the events. Booths receive a new zone.

    Rules of days and lead times read the festival when they are asked, so that plans, parcels and prices follow.
    """
    after = _changed(festival, body)
    if after == festival:
        return Rejection("festival", CommandRefusal.MISSING, Message("Nothing would change; name what should."))
    if replace(after, name=festival.name) != festival and festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    rejection = check_announcement(after, body.lead_days or ()) or _check_sent(state, festival, after)
    if rejection is None and (after.first_day, after.last_day) != (festival.first_day, festival.last_day):
        rejection = check_days(after, at, confirmed=body.confirmed)
    if rejection is not None:
        return rejection
    publications = [_announced_anew(after, body.catalogue)]
    if after.zone != festival.zone:
        publications += [_booth_event(booth, after) for booth in booths_of(state, festival.id)]
    return state.put(after), [*publications]


def with_added(festival: Festival, added: AddedFacilities | None) -> Festival:
    """The festival with these lead times too. It keeps the first one that it took of a facility."""
    if added is None or added.island != festival.island:
        return festival
    known = festival.parcel_days
    days = sorted({entry.facility: entry.days for entry in added.lead_days if entry.facility not in known}.items())
    return replace(festival, added_days=(*festival.added_days, *days))


def with_added_facilities(carry_out: CarryOut[Plans]) -> CarryOut[Plans]:
    """For commands that plan: the festival first takes the lead times of facilities that were added later."""

    def carried_out(state: State, festival: Festival, body: Plans, event: Event) -> CommandResult:
        after = with_added(festival, body.added)
        if body.added is None or after == festival:
            return carry_out(state, festival, body, event)
        if (rejection := check_facilities("added", sorted(after.parcel_days))) is not None:
            return rejection
        result = carry_out(state.put(after), after, body, event)
        if isinstance(result, Rejection):
            return result
        planned, outputs = result
        # Behind the plan: a rebuild takes the first event of the command as its plan.
        return planned, [*outputs, _announced_anew(after, body.added.catalogue)]

    return carried_out


def rename_booth(state: State, festival: Festival, body: RenameBooth) -> CommandResult:
    """The booth, in any status, with its new name, and the event."""
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if not body.name.strip():
        return Rejection("name", CommandRefusal.MISSING, Message("The booth has no name."))
    booth = replace(booth, name=body.name)
    return state.put(booth), [_booth_event(booth, festival)]


def _changed(festival: Festival, body: ChangeFestival) -> Festival:
    if body.lead_days is not None:
        lead_days = tuple(sorted((entry.facility, entry.days) for entry in body.lead_days))
        festival = replace(festival, lead_days=lead_days, added_days=(), island=body.island)
    return replace(
        festival,
        name=festival.name if body.name is None else body.name,
        place=festival.place if body.place is None else body.place,
        zone=festival.zone if body.zone is None else body.zone,
        first_day=body.first_day or festival.first_day,
        last_day=body.last_day or festival.last_day,
    )


def _check_sent(state: State, festival: Festival, after: Festival) -> Rejection | None:
    """The rejection of a change that goods on their way no longer allow."""
    fixed_field = next(
        (field for field in ("place", "zone", "first_day") if getattr(after, field) != getattr(festival, field)), None
    )
    if fixed_field is None and after.last_day < festival.last_day:
        fixed_field = "last_day"
    if fixed_field is None:
        return None
    request_names = [request.name for request in state.find(requests_at(festival.id)) if request.lines.count(SENT)]
    if not request_names:
        return None
    message = Message(
        "Stock was sent under {requests}, so place and days stay. The last day can still become later, and the name "
        "can change.",
        requests=first_names(request_names),
    )
    return Rejection(fixed_field, CommandRefusal.WRONG_STATE, message)


def _announced_anew(festival: Festival, catalogue: tuple[CatalogueRevision, ...]) -> Publication:
    return FESTIVAL.of(
        FestivalChanged(
            festival=festival.id,
            name=festival.name,
            place=festival.place,
            zone=festival.zone,
            first_day=festival.first_day,
            last_day=festival.last_day,
            catalogue=catalogue,
            lead_days=festival.lead_times,
        )
    )


def _booth_event(booth: Booth, festival: Festival) -> Publication:
    return BOOTH_STOCK.of(BoothChanged(booth=booth.id, name=booth.name, zone=festival.zone))
