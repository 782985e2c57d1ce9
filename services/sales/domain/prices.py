"""A booth's price lists, and the comparison of a sale's price with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PriceList:
    """Rupiah per piece by product, from `valid_from` (UTC) on. `valid_from` is None for the list of the opening."""

    revision: int
    valid_from: datetime | None
    prices: tuple[tuple[str, int], ...]

    def price(self, product: str) -> int | None:
        """The product's price in rupiah, or None if the list does not have it."""
        return dict(self.prices).get(product)


@dataclass(frozen=True, slots=True)
class PriceComparison:
    """`old_list`: the valid list was newer than the till's list and had another price for the product. `departs`: the
    price differs from the till's list."""

    old_list: bool
    departs: bool


def compare_price(
    lists: Sequence[PriceList], till_revision: int, product: str, price_rupiah: int, sold_at: datetime
) -> PriceComparison:
    """The comparison of a sale's price with the lists. The till knew revision `till_revision` (0: none)."""
    till_list = next((price_list for price_list in lists if price_list.revision == till_revision), None)
    valid = valid_at(lists, sold_at)
    listed = till_list.price(product) if till_list is not None else None
    due = valid.price(product) if valid is not None else None
    return PriceComparison(
        old_list=till_list is not None and valid is not None and valid.revision > till_revision and due != listed,
        departs=listed is not None and listed != price_rupiah,
    )


def valid_at(lists: Sequence[PriceList], at: datetime) -> PriceList | None:
    """The list with the highest revision that was valid at this time."""
    started = [price_list for price_list in lists if price_list.valid_from is None or price_list.valid_from <= at]
    return max(started, key=lambda price_list: price_list.revision, default=None)


def with_list(lists: tuple[PriceList, ...], price_list: PriceList) -> tuple[PriceList, ...]:
    """The lists with this one, in the order of their revisions, each revision once."""
    return tuple(
        sorted(
            (*(other for other in lists if other.revision != price_list.revision), price_list),
            key=lambda other: other.revision,
        )
    )
