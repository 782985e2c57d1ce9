"""A booth's price list: revision 1 comes with the booth, and every change makes the next revision.

A list is valid until the next one becomes valid. These moments never go back. So the list of any moment is the
highest revision that is valid by then.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.festival.domain.booth import Booth, PriceTag
from services.festival.domain.command import CommandResult, Rejection, first_names
from services.festival.domain.festival import MAX_PRICES, Festival, check_names, find_open_booth
from shared.events import names
from shared.events.catalogue import CatalogueRevision
from shared.events.festival import BOOTH_STOCK, AddProduct, ChangePrice, CommandRefusal, Price, PricesChanged
from shared.runtime.state import State
from shared.wording import Message


def change(state: State, festival: Festival, body: ChangePrice, at: datetime) -> CommandResult:
    """The booth with the next revision of its price list, and the event.

    `at` is the time of the command. Without `valid_from` the price is valid from then on; an earlier moment is
    rejected.
    """
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if all(tag.product != body.product for tag in booth.prices):
        products = first_names(sorted(tag.product for tag in booth.prices))
        message = Message(
            "Booth {booth} has no price for {product}, so it doesn't sell it; it sells "
            "{products}. Add the product first.",
            booth=booth.id,
            product=body.product,
            products=products,
        )
        return Rejection("product", CommandRefusal.NO_PRICE, message)
    prices = tuple(
        replace(tag, price_rupiah=body.price_rupiah) if tag.product == body.product else tag for tag in booth.prices
    )
    return _next_list(state, festival, booth, prices, body.valid_from, at)


def add(state: State, festival: Festival, body: AddProduct, at: datetime) -> CommandResult:
    """The open booth with one more product in the next revision of its price list, and the event; as `change`."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    category = () if body.category is None else (body.category,)
    rejection = check_names("product", names.PRODUCT, body.product) or check_names(
        "category", names.CATEGORY, *category
    )
    if rejection is not None:
        return rejection
    if any(tag.product == body.product for tag in booth.prices):
        message = Message(
            "Booth {booth} sells {product} already; its price can be changed.", booth=booth.id, product=body.product
        )
        return Rejection("product", CommandRefusal.ALREADY_EXISTS, message)
    if len(booth.prices) >= MAX_PRICES:
        message = Message("A booth has at most {most} prices.", most=MAX_PRICES)
        return Rejection("product", CommandRefusal.TOO_MANY, message)
    prices = (*booth.prices, PriceTag(body.product, body.price_rupiah, body.category))
    product_names = {body.product: body.name or ""}
    return _next_list(state, festival, booth, prices, body.valid_from, at, product_names, body.catalogue)


def _next_list(
    state: State,
    festival: Festival,
    booth: Booth,
    prices: tuple[PriceTag, ...],
    valid_from: datetime | None,
    at: datetime,
    product_names: Mapping[str, str] | None = None,
    catalogue: tuple[CatalogueRevision, ...] = (),
) -> CommandResult:
    valid_from = at if valid_from is None else valid_from
    rejection = _check_moment(festival, valid_from, at, booth.price_list, booth.prices_from)
    if rejection is not None:
        return rejection
    booth = replace(booth, prices=prices, price_list=booth.price_list + 1, prices_from=valid_from)
    price_entries = tuple(_price(tag, (product_names or {}).get(tag.product, "")) for tag in prices)
    event = PricesChanged(
        booth=booth.id,
        revision=booth.price_list,
        valid_from=valid_from,
        prices=price_entries,
        catalogue=catalogue,
    )
    return state.put(booth), [BOOTH_STOCK.of(event)]


def _check_moment(
    festival: Festival, valid_from: datetime, at: datetime, revision: int, latest: datetime | None
) -> Rejection | None:
    if valid_from < at:
        message = Message(
            "{moment} has passed, and goods were sold at the old price since. Leave the moment "
            "out for a price that is valid from now on.",
            moment=_local_time(festival, valid_from),
        )
        return Rejection("valid_from", CommandRefusal.OUT_OF_RANGE, message)
    if latest is not None and valid_from < latest:
        message = Message(
            "Price list {revision} is valid from {latest}. A change can't be valid from before "
            "that, and {moment} is. Name that moment or a later one.",
            revision=revision,
            latest=_local_time(festival, latest),
            moment=_local_time(festival, valid_from),
        )
        return Rejection("valid_from", CommandRefusal.OUT_OF_RANGE, message)
    if valid_from > max(at, _end(festival)):
        message = Message(
            "{moment} is after the last day, {last_day}.",
            moment=_local_time(festival, valid_from),
            last_day=str(festival.last_day),
        )
        return Rejection("valid_from", CommandRefusal.WRONG_DAYS, message)
    return None


def _end(festival: Festival) -> datetime:
    """The end of the last day, in the festival's zone."""
    return datetime.combine(festival.last_day, time(), ZoneInfo(festival.zone)) + timedelta(days=1)


def _local_time(festival: Festival, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(festival.zone)):%Y-%m-%d %H:%M %Z}"


def _price(tag: PriceTag, name: str) -> Price:
    return Price(product=tag.product, price_rupiah=tag.price_rupiah, category=tag.category, name=name)
