"""Changes of what was announced: a festival's days, place and name, and the names of its booths."""

from dataclasses import replace
from datetime import datetime

from services.festival.domain.allocation.request import requests_at
from services.festival.domain.booth import Booth
from services.festival.domain.command import CommandResult, Rejection, first_names
from services.festival.domain.festival import (
    Festival,
    FestivalStatus,
    booths_of,
    check_announcement,
    check_days,
    festival_not_open,
    find_booth,
)
from services.festival.domain.line import SENT
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    BoothChanged,
    ChangeFestival,
    CommandRefusal,
    FestivalChanged,
    RenameBooth,
)
from shared.events.language import Publication
from shared.runtime.state import State
from shared.wording import Message


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
    publications: list[Publication] = [
        FESTIVAL.of(
            FestivalChanged(
                festival=after.id,
                name=after.name,
                place=after.place,
                zone=after.zone,
                first_day=after.first_day,
                last_day=after.last_day,
            )
        )
    ]
    if after.zone != festival.zone:
        publications += [_booth_event(booth, after) for booth in booths_of(state, festival.id)]
    return state.put(after), [*publications]


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
    lead_days = festival.lead_days
    if body.lead_days is not None:
        lead_days = tuple(sorted((entry.facility, entry.days) for entry in body.lead_days))
    return replace(
        festival,
        name=festival.name if body.name is None else body.name,
        place=festival.place if body.place is None else body.place,
        zone=festival.zone if body.zone is None else body.zone,
        first_day=body.first_day or festival.first_day,
        last_day=body.last_day or festival.last_day,
        lead_days=lead_days,
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


def _booth_event(booth: Booth, festival: Festival) -> Publication:
    return BOOTH_STOCK.of(BoothChanged(booth=booth.id, name=booth.name, zone=festival.zone))
