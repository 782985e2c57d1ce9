"""The price lists of one booth, and which of them a device knows. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.events.festival import Price


class PriceRevision(NamedTuple):
    """Rupiah for a piece from list `revision` on, valid from `valid_from` (None: from the opening)."""

    revision: int
    rupiah: int
    valid_from: datetime | None = None


class PriceLists:
    """Every price of a booth's products, by product and revision."""

    def __init__(self, opening: Iterable[Price]) -> None:
        """`opening`: the prices of the first list."""
        self._by_product = {price.product: [PriceRevision(1, price.price_rupiah)] for price in opening}

    @property
    def products(self) -> Iterable[str]:
        return self._by_product

    def change(self, product: str, rupiah: int, valid_from: datetime) -> None:
        """Publish the next list: the product has another price from `valid_from` on."""
        revision = 1 + max(price.revision for prices in self._by_product.values() for price in prices)
        self._by_product[product].append(PriceRevision(revision, rupiah, valid_from))

    def current_revision(self, at: datetime) -> int:
        """The number of the list that is valid at this moment."""
        return max(
            price.revision
            for prices in self._by_product.values()
            for price in prices
            if price.valid_from is None or price.valid_from <= at
        )

    def price(self, product: str, revision: int) -> int:
        """Rupiah for a piece of the product by this list."""
        return [price for price in self._by_product[product] if price.revision <= revision][-1].rupiah
