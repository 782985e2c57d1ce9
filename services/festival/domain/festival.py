"""A festival: its announcement, the opening of its booths, and its final sums."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import chain
from operator import attrgetter
from zoneinfo import ZoneInfo

from services.festival.domain.booth import Booth, BoothStatus, PriceTag
from services.festival.domain.booth_lot import Account
from services.festival.domain.command import CommandResult, Rejection
from shared.events import names
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    AnnounceFestival,
    BoothOpened,
    CommandRefusal,
    FestivalAnnounced,
    FestivalClosed,
    LeadTime,
    OpenBooth,
)
from shared.events.names import NameRule
from shared.events.zones import FESTIVAL_ZONES
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State
from shared.wording import Message

MAX_PRICES = 500
MAX_TILLS = 50
MAX_FACILITIES = 1000
MAX_WEIGHT = 100
# A longer festival is probably a typing error.
USUAL_DAYS = 60
_NAMELESS = {
    "name": Message("The festival has no name."),
    "place": Message("The festival has no place."),
}


class FestivalStatus(StrEnum):
    OPEN = "open"
    CANCELLED = "cancelled"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Sums:
    """The final sums in pieces: received + surplus = sold + returned + lost.

    A piece that moved between booths counts once. `found`: received pieces beyond those that were sent.
    """

    received: int
    sold: int
    returned: int
    lost: int
    surplus: int
    lost_on_the_way: int
    found: int = 0


@dataclass(frozen=True, slots=True)
class Festival:
    """A festival.

    - `sums`, `revision`: those last published, at closing or after a late sale.
    - `weights`: by facility, for the facilities that the organiser named.
    - `island`: the destination of parcels, to which the catalogue has lead times; None if the organiser named none.
    - `lead_days`: by facility, as they were announced; `added_days`: of facilities that came later.
    """

    id: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date
    status: FestivalStatus = FestivalStatus.OPEN
    sums: Sums | None = None
    revision: int = 0
    lead_days: tuple[tuple[str, int], ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    island: str | None = None
    added_days: tuple[tuple[str, int], ...] = ()

    @property
    def parcel_days(self) -> dict[str, int]:
        """Days of a parcel to the festival, by facility."""
        return dict(self.lead_days) | dict(self.added_days)

    @property
    def lead_times(self) -> tuple[LeadTime, ...]:
        """The lead times, as events name them."""
        return tuple(LeadTime(facility=facility, days=days) for facility, days in sorted(self.parcel_days.items()))


def announce(
    state: State, existing: Festival | None, body: AnnounceFestival, at: datetime, actor: str | None = None
) -> CommandResult:
    """The state with a new festival, and the event. `at` is the time of the command, and `actor` is the account that
    gave it."""
    if existing is not None:
        return Rejection(
            "festival",
            CommandRefusal.ALREADY_EXISTS,
            Message("The festival {festival} was announced before.", festival=body.festival),
        )
    if (rejection := check_names("festival", names.FESTIVAL, body.festival)) is not None:
        return rejection
    if (rejection := check_facilities("weights", [entry.facility for entry in body.weights])) is not None:
        return rejection
    if any(entry.weight > MAX_WEIGHT for entry in body.weights):
        return Rejection(
            "weights",
            CommandRefusal.OUT_OF_RANGE,
            Message("A weight is a whole number from 1 to {most}.", most=MAX_WEIGHT),
        )
    festival = Festival(
        body.festival,
        body.name,
        body.place,
        body.zone,
        body.first_day,
        body.last_day,
        lead_days=tuple(sorted((entry.facility, entry.days) for entry in body.lead_days)),
        weights=tuple(sorted((entry.facility, entry.weight) for entry in body.weights)),
        island=body.island,
    )
    rejection = check_announcement(festival, body.lead_days) or check_days(festival, at, confirmed=body.confirmed)
    if rejection is not None:
        return rejection
    announced = FestivalAnnounced(
        festival=body.festival,
        name=body.name,
        place=body.place,
        zone=body.zone,
        first_day=body.first_day,
        last_day=body.last_day,
        catalogue=body.catalogue,
        lead_days=festival.lead_times,
        announced_by=actor,
    )
    return state.put(festival), [FESTIVAL.of(announced)]


def check_announcement(festival: Festival, lead_days: Sequence[LeadTime]) -> Rejection | None:
    """The rejection of a festival as it would be announced, with these lead times; None if it is valid."""
    for field in ("name", "place"):
        if not getattr(festival, field).strip():
            return Rejection(field, CommandRefusal.MISSING, _NAMELESS[field])
    if festival.zone not in FESTIVAL_ZONES:
        return Rejection(
            "zone",
            CommandRefusal.BAD_NAME,
            Message("The time zone must be one of {zones}.", zones=", ".join(FESTIVAL_ZONES)),
        )
    if festival.last_day < festival.first_day:
        return Rejection("last_day", CommandRefusal.WRONG_DAYS, Message("The last day comes before the first."))
    return check_facilities("lead_days", [entry.facility for entry in lead_days])


def check_days(festival: Festival, at: datetime, *, confirmed: bool) -> Rejection | None:
    """The rejection of days that are probably a mistake, unless a person has confirmed them. `at`: the present."""
    if confirmed:
        return None
    days = (festival.last_day - festival.first_day).days + 1
    if festival.last_day < at.astimezone(ZoneInfo(festival.zone)).date():
        message = Message(
            "The last day, {last_day}, has passed. If that is right, confirm it: `--yes`, or `confirmed` over HTTP.",
            last_day=str(festival.last_day),
        )
        return Rejection("last_day", CommandRefusal.NOT_CONFIRMED, message)
    if days > USUAL_DAYS:
        message = Message(
            "From {first_day} to {last_day} are {days} days, more than {usual}. If that is right, confirm it: "
            "`--yes`, or `confirmed` over HTTP.",
            first_day=str(festival.first_day),
            last_day=str(festival.last_day),
            days=days,
            usual=USUAL_DAYS,
        )
        return Rejection("last_day", CommandRefusal.NOT_CONFIRMED, message)
    return None


def check_facilities(field: str, facilities: Sequence[str]) -> Rejection | None:
    """The rejection of a list with one entry for each of these facilities; None if it is valid."""
    if (rejection := check_names(field, names.FACILITY, *facilities)) is not None:
        return rejection
    if len(set(facilities)) < len(facilities):
        return Rejection(
            field, CommandRefusal.NAMED_TWICE, Message("A facility is named twice in {field}.", field=field)
        )
    if len(facilities) > MAX_FACILITIES:
        return Rejection(
            field,
            CommandRefusal.TOO_MANY,
            Message("At most {most} facilities have {field}.", most=MAX_FACILITIES, field=field),
        )
    return None


def open_booth(state: State, festival: Festival, body: OpenBooth) -> CommandResult:
    """The state with a new booth of an open festival, and the event."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    prefix = f"{festival.id}."
    # Checked before any look-up: another festival's booths lie in another lane, so their presence depends on time.
    if not body.booth.startswith(prefix):
        message = Message(
            "A booth's id is its festival's, a dot, and then at most 40 letters, digits, '_' and '-'. "
            "Here it begins with {prefix}",
            prefix=prefix,
        )
        return Rejection("booth", CommandRefusal.BAD_NAME, message)
    if (rejection := _check_booth_names(body)) is not None:
        return rejection
    if state.get(Booth, body.booth) is not None:
        return Rejection(
            "booth", CommandRefusal.ALREADY_EXISTS, Message("The booth {booth} was opened before.", booth=body.booth)
        )
    products = {price.product for price in body.prices}
    if not products:
        return Rejection(
            "prices", CommandRefusal.NO_PRICE, Message("A booth needs the price of at least one product.")
        )
    if not body.tills:
        return Rejection("tills", CommandRefusal.MISSING, Message("A booth needs at least one till."))
    if len(products) < len(body.prices):
        return Rejection("prices", CommandRefusal.NAMED_TWICE, Message("A product has two prices."))
    if len(set(body.tills)) < len(body.tills):
        return Rejection("tills", CommandRefusal.NAMED_TWICE, Message("A till is named twice."))
    if len(body.prices) > MAX_PRICES:
        return Rejection(
            "prices", CommandRefusal.TOO_MANY, Message("A booth has at most {most} prices.", most=MAX_PRICES)
        )
    if len(body.tills) > MAX_TILLS:
        return Rejection(
            "tills", CommandRefusal.TOO_MANY, Message("A booth has at most {most} tills.", most=MAX_TILLS)
        )
    limits = {limit.category: limit.qty for limit in body.limits}
    if len(limits) < len(body.limits):
        return Rejection("limits", CommandRefusal.NAMED_TWICE, Message("A category has two limits."))
    if unknown := sorted(limits.keys() - {price.category for price in body.prices}):
        message = Message(
            "No price names the category {category}, so its limit would bound nothing.", category=unknown[0]
        )
        return Rejection("limits", CommandRefusal.MISSING, message)
    prices = tuple(PriceTag(price.product, price.price_rupiah, price.category) for price in body.prices)
    booth = Booth(
        body.booth,
        festival.id,
        body.name,
        prices,
        body.tills,
        capacity=body.capacity,
        limits=tuple(sorted(limits.items())),
    )
    opened = BoothOpened(
        booth=body.booth,
        festival=festival.id,
        name=body.name,
        prices=body.prices,
        tills=body.tills,
        zone=festival.zone,
        catalogue=body.catalogue,
    )
    return state.put(booth), [BOOTH_STOCK.of(opened)]


def check_names(field: str, rule: NameRule, *candidates: str) -> Rejection | None:
    """The rejection of the first of these names that breaks the rule; None if all are valid."""
    return next(
        (Rejection(field, CommandRefusal.BAD_NAME, message) for name in candidates if (message := rule.wrong(name))),
        None,
    )


def _check_booth_names(body: OpenBooth) -> Rejection | None:
    """The rejection of the first invalid name of a booth. Tills and plans use these names by the same rules."""
    categories = [price.category for price in body.prices if price.category is not None]
    return (
        check_names("booth", names.BOOTH, body.booth)
        or check_names("prices", names.PRODUCT, *(price.product for price in body.prices))
        or check_names("prices", names.CATEGORY, *categories)
        or check_names("tills", names.TILL, *body.tills)
    )


def festival_not_open(festival: Festival) -> Rejection:
    """The rejection of a command that needs an open festival."""
    message = Message(
        "{festival} is {status:word}; this is possible only while it is open.",
        festival=festival.name,
        status=festival.status.value,
    )
    return Rejection("festival", CommandRefusal.WRONG_STATE, message)


def find_booth(state: State, festival: Festival, id: str) -> Booth | Rejection:
    """The festival's booth of this id, in any status."""
    booth = state.get(Booth, id)
    if booth is None or booth.festival != festival.id:
        return Rejection(
            "booth",
            CommandRefusal.UNKNOWN_BOOTH,
            Message("{festival} has no booth {booth}.", festival=festival.name, booth=id),
        )
    return booth


def find_open_booth(state: State, festival: Festival, id: str) -> Booth | Rejection:
    """The festival's booth of this id, if festival and booth are open."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    booth = find_booth(state, festival, id)
    if isinstance(booth, Booth) and booth.status is not BoothStatus.OPEN:
        message = Message(
            "Booth {booth} is {status:word}; this is possible only while it is open.",
            booth=booth.id,
            status=booth.status.value,
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    return booth


def booths_at(festival: str) -> OwnedQuery[Booth]:
    """All booths of the festival."""
    return OwnedQuery(Booth, "festival", festival)


def booths_of(state: State, festival: str) -> list[Booth]:
    """All booths of the festival, in the order of their ids."""
    return state.find(booths_at(festival))


def update_sums(state: State, festival: Festival, changed: str = "") -> Decision:
    """The festival closed and its sums published once every piece is accounted for, and again when they change.

    Until then the festival is closing. `changed`: the booth that the event concerns.
    """
    if festival.status not in (FestivalStatus.CLOSING, FestivalStatus.CLOSED):
        return state, []
    booths = booths_of(state, festival.id)
    # From the changed booth on: it or the next one is usually not accounted for yet. Else each of thousands of
    # returns would add up hundreds of booths.
    first = bisect_left(booths, changed, key=attrgetter("id"))
    if not all(booth.accounted for booth in chain(booths[first:], booths[:first])):
        return _put_if_changed(state, festival, replace(festival, status=FestivalStatus.CLOSING)), []
    sums = _sums(booths)
    if sums == festival.sums:
        return _put_if_changed(state, festival, replace(festival, status=FestivalStatus.CLOSED)), []
    festival = replace(festival, status=FestivalStatus.CLOSED, sums=sums, revision=festival.revision + 1)
    closed = FestivalClosed(
        festival=festival.id,
        received=sums.received,
        sold=sums.sold,
        returned=sums.returned,
        lost=sums.lost,
        surplus=sums.surplus,
        lost_on_the_way=sums.lost_on_the_way,
        revision=festival.revision,
        found=sums.found,
    )
    return state.put(festival), [FESTIVAL.of(closed)]


def _put_if_changed(state: State, before: Festival, after: Festival) -> State:
    return state if after == before else state.put(after)


def _sums(booths: list[Booth]) -> Sums:
    accounts: list[Account] = [account for booth in booths for account in booth.accounts().values()]
    return Sums(
        received=sum(account.received - account.moved_out for account in accounts),
        sold=sum(account.sold for account in accounts),
        returned=sum(account.returned for account in accounts),
        lost=sum(account.lost for account in accounts),
        surplus=sum(account.surplus for account in accounts),
        lost_on_the_way=sum(lot.lost_on_the_way for booth in booths for lot in booth.lots),
        found=sum(lot.found for booth in booths for lot in booth.lots),
    )
