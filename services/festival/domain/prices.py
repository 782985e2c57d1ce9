"""A booth's price list: revision 1 comes with the booth, every change makes the next one.

A list is valid from a moment until the next one is. The moments never go back, so that the list of any moment is the
one of the highest revision that is valid by then.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.festival.domain.booth import PriceTag
from services.festival.domain.command import CommandResult, Rejection, first_names
from services.festival.domain.festival import Festival, find_open_booth
from shared.events.festival import BOOTH_STOCK, ChangePrice, CommandRefusal, Price, PricesChanged
from shared.runtime.state import State


def change(state: State, festival: Festival, body: ChangePrice, at: datetime) -> CommandResult:
    """The next revision of the list of an open booth, with the changes before it. `at` is when the command was given:
    a price that is valid from no moment named is valid from then on, and no price from a moment before it."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if all(tag.product != body.product for tag in booth.prices):
        known = first_names(sorted(tag.product for tag in booth.prices))
        message = f"Booth {booth.id} has no price for {body.product}, so it doesn't sell it; it sells {known}."
        return Rejection("product", CommandRefusal.NO_PRICE, message)
    valid_from = at if body.valid_from is None else body.valid_from
    wrong = _check_moment(festival, valid_from, at, booth.price_list, booth.prices_from)
    if wrong is not None:
        return wrong
    prices = tuple(
        replace(tag, price_rupiah=body.price_rupiah) if tag.product == body.product else tag for tag in booth.prices
    )
    booth = replace(booth, prices=prices, price_list=booth.price_list + 1, prices_from=valid_from)
    changed = PricesChanged(
        booth=booth.id, revision=booth.price_list, valid_from=valid_from, prices=tuple(map(_price, prices))
    )
    return state.put(booth), [BOOTH_STOCK.of(changed)]


def _check_moment(
    festival: Festival, valid_from: datetime, at: datetime, revision: int, before: datetime | None
) -> Rejection | None:
    if valid_from < at:
        message = (
            f"{_local_time(festival, valid_from)} has passed, and goods were sold at the old price since; "
            "leave the moment out for a price that is valid from now on."
        )
        return Rejection("valid_from", CommandRefusal.OUT_OF_RANGE, message)
    if before is not None and valid_from < before:
        message = (
            f"Price list {revision} is valid from {_local_time(festival, before)}: a change can't be valid from before "
            f"that, and {_local_time(festival, valid_from)} is. Name that moment or a later one."
        )
        return Rejection("valid_from", CommandRefusal.OUT_OF_RANGE, message)
    if valid_from > max(at, _end(festival)):
        message = f"{_local_time(festival, valid_from)} is after the last day, {festival.last_day}."
        return Rejection("valid_from", CommandRefusal.WRONG_DAYS, message)
    return None


def _end(festival: Festival) -> datetime:
    """When the last day is over at the festival."""
    return datetime.combine(festival.last_day, time(), ZoneInfo(festival.zone)) + timedelta(days=1)


def _local_time(festival: Festival, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(festival.zone)):%Y-%m-%d %H:%M %Z}"


def _price(tag: PriceTag) -> Price:
    return Price(product=tag.product, price_rupiah=tag.price_rupiah, category=tag.category)
