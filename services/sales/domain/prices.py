"""A booth's price lists, and how the price of a sale stands to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PriceList:
    """Rupiah per piece by product, from `valid_from` (UTC; None: from the opening on)."""

    revision: int
    valid_from: datetime | None
    prices: tuple[tuple[str, int], ...]

    def price(self, product: str) -> int | None:
        return dict(self.prices).get(product)


@dataclass(frozen=True, slots=True)
class PriceComparison:
    """`old_list`: another list was valid when it was sold, and the product has another price there. `departs`: the
    price is not the one of the list that the till knew."""

    old_list: bool
    departs: bool


def compare_price(
    lists: Sequence[PriceList], known: int, product: str, price_rupiah: int, sold_at: datetime
) -> PriceComparison:
    """How a sale at this price stands to the lists, of which the till knew revision `known` (0: none)."""
    told = next((one for one in lists if one.revision == known), None)
    valid = valid_at(lists, sold_at)
    listed = told.price(product) if told is not None else None
    due = valid.price(product) if valid is not None else None
    return PriceComparison(
        old_list=told is not None and valid is not None and valid.revision > known and due != listed,
        departs=listed is not None and listed != price_rupiah,
    )


def valid_at(lists: Sequence[PriceList], at: datetime) -> PriceList | None:
    """The list of the highest revision that was valid then."""
    started = [one for one in lists if one.valid_from is None or one.valid_from <= at]
    return max(started, key=lambda one: one.revision, default=None)


def with_list(lists: tuple[PriceList, ...], new: PriceList) -> tuple[PriceList, ...]:
    """The lists in the order of their revisions, each once."""
    return tuple(sorted((*(one for one in lists if one.revision != new.revision), new), key=lambda one: one.revision))
