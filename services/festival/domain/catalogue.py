"""The catalogue's products as festival's rules use them: a booth sells only these."""

from collections.abc import Callable, Iterable, Set
from difflib import get_close_matches
from typing import TypeAlias

from services.festival.domain.command import Rejection
from shared.events.festival import CommandRefusal
from shared.runtime.state import State
from shared.wording import Message

# The names of products by their codes, as far as the event's reads tell.
Catalogue: TypeAlias = Callable[[State], "dict[str, str]"]
# The least similarity, from 0 to 1, at which a code may be a typing error of another. Codes have three letters.
ALIKE = 0.6
NAMED = 3


def check_products(field: str, products: Iterable[str], catalogue: dict[str, str]) -> Rejection | None:
    """The rejection of the first product that is not in the catalogue, with the nearest ones; None if all are."""
    unknown = next((product for product in products if product not in catalogue), None)
    if unknown is None:
        return None
    nearest = nearest_products(unknown, catalogue.keys())
    hint = ", ".join(f"{code} ({catalogue[code]})" for code in nearest)
    message = (
        Message("The catalogue has no product {product}. The nearest are {nearest}.", product=unknown, nearest=hint)
        if hint
        else Message(
            "The catalogue has no product {product}. Add it to the catalogue first, or correct the code.",
            product=unknown,
        )
    )
    return Rejection(field, CommandRefusal.UNKNOWN_PRODUCT, message)


def nearest_products(code: str, known: Set[str]) -> list[str]:
    """The most similar known codes, ignoring case, at most three; of equals the first by alphabet."""
    return get_close_matches(code.upper(), sorted(known, reverse=True), NAMED, ALIKE)
