"""A festival: announced, its booths opened, cancelled or closed, and the sums when every piece is accounted for."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.festival.domain.booth import Booth, BoothStatus, PriceTag
from services.festival.domain.booth_lot import Account
from services.festival.domain.command import Carried, Wrong
from shared.events import names
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    AnnounceFestival,
    BoothOpened,
    CommandRefusal,
    FestivalAnnounced,
    FestivalClosed,
    OpenBooth,
)
from shared.events.names import NameRule
from shared.events.zones import FESTIVAL_ZONES
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State

MAX_PRICES = 500
MAX_TILLS = 50
MAX_FACILITIES = 1000
MAX_WEIGHT = 100


class FestivalStatus(StrEnum):
    OPEN = "open"
    CANCELLED = "cancelled"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Sums:
    """What became of everything, in pieces: received + surplus = sold + returned + lost. One that was moved between
    booths counts once, where it came."""

    received: int
    sold: int
    returned: int
    lost: int
    surplus: int
    lost_on_the_way: int


@dataclass(frozen=True, slots=True)
class Festival:
    """`sums` and `revision` are those that were last said, at closing or after a late sale. `lead_days` and `weights`
    by facility, of those that were named."""

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


def announce(state: State, known: Festival | None, body: AnnounceFestival) -> Carried:
    """A new festival."""
    if known is not None:
        return Wrong("festival", CommandRefusal.ALREADY_EXISTS, f"The festival {body.festival} was announced before.")
    if (wrong := misnamed("festival", names.FESTIVAL, body.festival)) is not None:
        return wrong
    for field in ("name", "place"):
        if not getattr(body, field).strip():
            return Wrong(field, CommandRefusal.MISSING, f"The festival has no {field}.")
    if body.zone not in FESTIVAL_ZONES:
        return Wrong("zone", CommandRefusal.BAD_NAME, f"The time zone must be one of {', '.join(FESTIVAL_ZONES)}.")
    if body.last_day < body.first_day:
        return Wrong("last_day", CommandRefusal.WRONG_DAYS, "The last day comes before the first.")
    for field, named in (("lead_days", body.lead_days), ("weights", body.weights)):
        if (wrong := misnamed(field, names.FACILITY, *(one.facility for one in named))) is not None:
            return wrong
        if len({one.facility for one in named}) < len(named):
            return Wrong(field, CommandRefusal.NAMED_TWICE, f"A facility is named twice in {field}.")
        if len(named) > MAX_FACILITIES:
            return Wrong(field, CommandRefusal.TOO_MANY, f"At most {MAX_FACILITIES} facilities have {field}.")
    if any(one.weight > MAX_WEIGHT for one in body.weights):
        return Wrong("weights", CommandRefusal.OUT_OF_RANGE, f"A weight is a whole number from 1 to {MAX_WEIGHT}.")
    festival = Festival(
        body.festival,
        body.name,
        body.place,
        body.zone,
        body.first_day,
        body.last_day,
        lead_days=tuple(sorted((one.facility, one.days) for one in body.lead_days)),
        weights=tuple(sorted((one.facility, one.weight) for one in body.weights)),
    )
    said = FestivalAnnounced(
        festival=body.festival,
        name=body.name,
        place=body.place,
        zone=body.zone,
        first_day=body.first_day,
        last_day=body.last_day,
    )
    return state.put(festival), [FESTIVAL.of(said)]


def open_booth(state: State, festival: Festival, body: OpenBooth) -> Carried:
    """A new booth of an open festival."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    start = f"{festival.id}."
    # Before anything is looked up: another festival's booths lie in another lane, and are there sooner or later.
    if not body.booth.startswith(start):
        return Wrong("booth", CommandRefusal.BAD_NAME, f"{names.BOOTH.words} Here it begins with {start}")
    if (wrong := _misnamed_in(body)) is not None:
        return wrong
    if state.get(Booth, body.booth) is not None:
        return Wrong("booth", CommandRefusal.ALREADY_EXISTS, f"The booth {body.booth} was opened before.")
    products = {price.product for price in body.prices}
    if not products:
        return Wrong("prices", CommandRefusal.NO_PRICE, "A booth needs the price of at least one product.")
    if not body.tills:
        return Wrong("tills", CommandRefusal.MISSING, "A booth needs at least one till.")
    if len(products) < len(body.prices):
        return Wrong("prices", CommandRefusal.NAMED_TWICE, "A product has two prices.")
    if len(set(body.tills)) < len(body.tills):
        return Wrong("tills", CommandRefusal.NAMED_TWICE, "A till is named twice.")
    for field, many, most in (("prices", body.prices, MAX_PRICES), ("tills", body.tills, MAX_TILLS)):
        if len(many) > most:
            return Wrong(field, CommandRefusal.TOO_MANY, f"A booth has at most {most} {field}.")
    limits = {limit.category: limit.qty for limit in body.limits}
    if len(limits) < len(body.limits):
        return Wrong("limits", CommandRefusal.NAMED_TWICE, "A category has two limits.")
    if unknown := sorted(limits.keys() - {price.category for price in body.prices}):
        message = f"No price names the category {unknown[0]}, so its limit would bound nothing."
        return Wrong("limits", CommandRefusal.MISSING, message)
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
    said = BoothOpened(
        booth=body.booth,
        festival=festival.id,
        name=body.name,
        prices=body.prices,
        tills=body.tills,
        zone=festival.zone,
    )
    return state.put(booth), [BOOTH_STOCK.of(said)]


def misnamed(field: str, rule: NameRule, *given: str) -> Wrong | None:
    """Why the first of these names that can't be is none; None if all can be."""
    return next((Wrong(field, CommandRefusal.BAD_NAME, words) for name in given if (words := rule.wrong(name))), None)


def _misnamed_in(body: OpenBooth) -> Wrong | None:
    """What is first said here is used by tills and in plans, which go by the same rules."""
    categories = [price.category for price in body.prices if price.category is not None]
    return (
        misnamed("booth", names.BOOTH, body.booth)
        or misnamed("prices", names.PRODUCT, *(price.product for price in body.prices))
        or misnamed("prices", names.CATEGORY, *categories)
        or misnamed("tills", names.TILL, *body.tills)
    )


def not_open(festival: Festival) -> Wrong:
    message = f"{festival.name} is {festival.status.value}; this is possible only while it is open."
    return Wrong("festival", CommandRefusal.WRONG_STATE, message)


def booth_of(state: State, festival: Festival, id: str) -> Booth | Wrong:
    """The festival's booth of this id, whatever its status."""
    booth = state.get(Booth, id)
    if booth is None or booth.festival != festival.id:
        return Wrong("booth", CommandRefusal.UNKNOWN_BOOTH, f"{festival.name} has no booth {id}.")
    return booth


def open_booth_of(state: State, festival: Festival, id: str) -> Booth | Wrong:
    """The festival's booth of this id, if both are open."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    booth = booth_of(state, festival, id)
    if isinstance(booth, Booth) and booth.status is not BoothStatus.OPEN:
        message = f"Booth {booth.id} is {booth.status.value}; this is possible only while it is open."
        return Wrong("booth", CommandRefusal.WRONG_STATE, message)
    return booth


def booths_at(festival: str) -> OwnedQuery[Booth]:
    """All booths of the festival."""
    return OwnedQuery(Booth, "festival", festival)


def booths_of(state: State, festival: str) -> list[Booth]:
    """All booths of the festival, in the order of their ids."""
    return state.find(booths_at(festival))


def account(state: State, festival: Festival) -> Decision:
    """Say the sums once every piece is accounted for, and again when they change; until then it is closing."""
    if festival.status not in (FestivalStatus.CLOSING, FestivalStatus.CLOSED):
        return state, []
    mine = booths_of(state, festival.id)
    if not all(booth.accounted for booth in mine):
        return _kept(state, festival, replace(festival, status=FestivalStatus.CLOSING)), []
    sums = _sums(mine)
    if sums == festival.sums:
        return _kept(state, festival, replace(festival, status=FestivalStatus.CLOSED)), []
    festival = replace(festival, status=FestivalStatus.CLOSED, sums=sums, revision=festival.revision + 1)
    said = FestivalClosed(
        festival=festival.id,
        received=sums.received,
        sold=sums.sold,
        returned=sums.returned,
        lost=sums.lost,
        surplus=sums.surplus,
        lost_on_the_way=sums.lost_on_the_way,
        revision=festival.revision,
    )
    return state.put(festival), [FESTIVAL.of(said)]


def _kept(state: State, before: Festival, after: Festival) -> State:
    return state if after == before else state.put(after)


def _sums(mine: list[Booth]) -> Sums:
    accounts: list[Account] = [account for booth in mine for account in booth.accounts().values()]
    return Sums(
        received=sum(account.received - account.moved_out for account in accounts),
        sold=sum(account.sold for account in accounts),
        returned=sum(account.returned for account in accounts),
        lost=sum(account.lost for account in accounts),
        surplus=sum(account.surplus for account in accounts),
        lost_on_the_way=sum(lot.lost_on_the_way for booth in mine for lot in booth.lots),
    )
