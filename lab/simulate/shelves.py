"""The stock of one booth, by product and lot. Pure."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from lab.simulate.goods import GOODS


@dataclass(slots=True)
class ShelfLot:
    """Pieces of one lot at the booth; `qty` of them are not sold yet."""

    lot: str
    product: str
    made_on: date
    qty: int


@dataclass(slots=True)
class Shelves:
    """Lots that can be sold, by product, the oldest first; and recalled lots, which lie aside."""

    _by_product: dict[str, list[ShelfLot]] = field(default_factory=lambda: defaultdict(list))
    _withdrawn: list[ShelfLot] = field(default_factory=list)

    def __iter__(self) -> Iterator[ShelfLot]:
        """Every lot that is physically at the booth."""
        for lots in self._by_product.values():
            yield from lots
        yield from self._withdrawn

    @property
    def sellable(self) -> int:
        """Pieces that can be sold."""
        return sum(lot.qty for lots in self._by_product.values() for lot in lots)

    def sellable_of(self, product: str) -> int:
        """Pieces of the product that can be sold."""
        return sum(lot.qty for lot in self._by_product[product])

    def add(self, lot: str, product: str, made_on: date, qty: int) -> None:
        """The booth received `qty` pieces of the lot."""
        lots = self._by_product[product]
        shelf_lot = next((present for present in lots if present.lot == lot), None)
        if shelf_lot is not None:
            shelf_lot.qty += qty
            return
        lots.append(ShelfLot(lot, product, made_on, qty))
        lots.sort(key=lambda present: (present.made_on, present.lot))

    def remove(self, lot: str, qty: int) -> int:
        """Remove up to `qty` pieces of the lot. Returns how many were removed."""
        for shelf_lot in self:
            if shelf_lot.lot == lot:
                qty = min(qty, shelf_lot.qty)
                shelf_lot.qty -= qty
                return qty
        return 0

    def withdraw(self, lot: str) -> None:
        """The lot was recalled: it stays at the booth, and is no longer sold."""
        for lots in self._by_product.values():
            self._withdrawn += [shelf_lot for shelf_lot in lots if shelf_lot.lot == lot]
            lots[:] = [shelf_lot for shelf_lot in lots if shelf_lot.lot != lot]

    def largest(self) -> ShelfLot:
        """The sellable lot with the most pieces."""
        return max((lot for lots in self._by_product.values() for lot in lots), key=lambda lot: (lot.qty, lot.lot))

    def choose(self, rng: random.Random) -> ShelfLot:
        """The lot that the next buyer takes from: popular products and full shelves are chosen more often."""
        products = [product for product, lots in self._by_product.items() if any(lot.qty for lot in lots)]
        weights = [GOODS[product].popularity * self.sellable_of(product) ** 0.5 for product in products]
        [product] = rng.choices(products, weights)
        return rng.choice([lot for lot in self._by_product[product] if lot.qty])
