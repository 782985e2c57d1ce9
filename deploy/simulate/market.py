"""What the tills of one booth sell, from what the booth holds. Pure: the same seed gives the same sales."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from deploy.simulate.goods import GOODS
from deploy.simulate.season import Spoken, new_id, speak
from shared.events.festival import OpenBooth
from shared.events.language import Body
from shared.events.sales import (
    TILL,
    BoothCounted,
    LotCount,
    SaleReported,
    SaleVoided,
    TillClosed,
)

VOIDED_IN_THOUSAND = 10
UNLABELLED_IN_THOUSAND = 80
OVERSOLD_IN_THOUSAND = 2
DOUBLED_IN_THOUSAND = 20


@dataclass(slots=True)
class Shelf:
    """Pieces of one lot that are still to be sold."""

    lot: str
    product: str
    made_on: date
    left: int


@dataclass(slots=True)
class Market:
    """The sales of one booth. What `late` tills record is held back until `held` is taken."""

    booth: OpenBooth
    rng: random.Random
    late: frozenset[str] = frozenset()
    held: list[Spoken] = field(default_factory=list)
    pieces: int = 0
    sales: int = 0
    sold_out: dict[str, datetime] = field(default_factory=dict)
    _shelves: dict[str, list[Shelf]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def stock(self, lot: str, product: str, made_on: date, qty: int) -> None:
        """The booth received `qty` pieces of the lot."""
        shelves = self._shelves[product]
        known = next((shelf for shelf in shelves if shelf.lot == lot), None)
        if known is not None:
            known.left += qty
            return
        shelves.append(Shelf(lot, product, made_on, qty))
        # As sales attributes a sale without a lot: the oldest first.
        shelves.sort(key=lambda shelf: (shelf.made_on, shelf.lot))

    def take(self, lot: str, qty: int) -> int:
        """So many pieces of the lot are gone otherwise, or all if there are fewer: how many that is."""
        for shelves in self._shelves.values():
            for shelf in shelves:
                if shelf.lot == lot:
                    qty = min(qty, shelf.left)
                    shelf.left -= qty
                    return qty
        return 0

    def withdraw(self, lot: str) -> None:
        """The lot was recalled: it is sold no more."""
        for shelves in self._shelves.values():
            shelves[:] = [shelf for shelf in shelves if shelf.lot != lot]

    @property
    def left(self) -> int:
        return sum(shelf.left for shelves in self._shelves.values() for shelf in shelves)

    def early(self, product: str, at: datetime) -> Spoken:
        """A sale before the booth is known to hold anything."""
        return self._sale("T1", None, product, 1, at)

    def sell(self, part: float, start: datetime, end: datetime) -> list[Spoken]:
        """Sell `part` of all that is left, spread from `start` to `end`; late tills' records are held back."""
        target = round(self.left * part)
        spoken: list[Spoken] = []
        began, sold = self.left, 0
        while sold < target and self.left:
            at = start + (end - start) * (sold / max(1, target))
            till = self.rng.choice(self.booth.tills)
            shelf = self._choose()
            qty = min(shelf.left, self.rng.choices((1, 2, 3), (75, 18, 7))[0])
            over = self.rng.randrange(1000) < OVERSOLD_IN_THOUSAND
            named = over or till in self.late or self.rng.randrange(1000) >= UNLABELLED_IN_THOUSAND
            if not named:
                shelf = next(s for s in self._shelves[shelf.product] if s.left >= qty)
            sale = self._sale(till, shelf.lot if named else None, shelf.product, qty + 500 * over, at)
            self._hand(till, sale, spoken)
            if over:
                continue  # of more than the booth holds: in dispute until a person decides
            shelf.left -= qty
            sold += qty
            if named and self.rng.randrange(1000) < VOIDED_IN_THOUSAND:
                self._hand(till, self._void(till, sale, at), spoken)
                shelf.left += qty
                sold -= qty
            if not any(s.left for s in self._shelves[shelf.product]):
                self.sold_out.setdefault(shelf.product, at)
        self.pieces += began - self.left
        return spoken

    def fullest(self) -> Shelf:
        """The lot of which most is left."""
        return max((s for shelves in self._shelves.values() for s in shelves), key=lambda s: (s.left, s.lot))

    def sell_withdrawn(self, shelf: Shelf, at: datetime) -> Spoken:
        """A piece of a recalled lot that was sold before the till had heard of it."""
        return self._sale(self.booth.tills[0], shelf.lot, shelf.product, 1, at)

    def close(self, at: datetime) -> list[Spoken]:
        """The last words: what is left was counted, and each till closes; a late till's are held back."""
        spoken: list[Spoken] = []
        left = {shelf.lot: shelf.left for shelves in self._shelves.values() for shelf in shelves}
        lots = tuple(LotCount(lot=lot, qty=qty) for lot, qty in sorted(left.items()))
        for till in self.booth.tills:
            if till == self.booth.tills[0]:
                body: Body = BoothCounted(booth=self.booth.booth, till=till, seq=self._next(till), lots=lots)
                self._hand(till, self._say(till, body, at), spoken)
            number = self._next(till)
            body = TillClosed(booth=self.booth.booth, till=till, seq=number, last_seq=number)
            self._hand(till, self._say(till, body, at), spoken)
        return spoken

    def _choose(self) -> Shelf:
        products = [product for product, shelves in self._shelves.items() if any(s.left for s in shelves)]
        weights = [GOODS[p].liking * sum(s.left for s in self._shelves[p]) ** 0.5 for p in products]
        [product] = self.rng.choices(products, weights)
        return self.rng.choice([shelf for shelf in self._shelves[product] if shelf.left])

    def _sale(self, till: str, lot: str | None, product: str, qty: int, at: datetime) -> Spoken:
        self.sales += 1
        price = next(price.price_rupiah for price in self.booth.prices if price.product == product)
        body = SaleReported(
            booth=self.booth.booth,
            till=till,
            seq=self._next(till),
            lot=lot,
            product=product,
            qty=qty,
            unit_price_rupiah=price,
            sold_at=at,
        )
        return self._say(till, body, at)

    def _void(self, till: str, sale: Spoken, at: datetime) -> Spoken:
        id = dict(sale.headers)["ce_id"]
        assert id is not None
        body = SaleVoided(booth=self.booth.booth, till=till, seq=self._next(till), sale=id.decode(), voided_at=at)
        return self._say(till, body, at)

    def _say(self, till: str, body: Body, at: datetime) -> Spoken:
        return speak(TILL, body, id=new_id(self.rng), source=f"till/{self.booth.booth}/{till}", at=at)

    def _hand(self, till: str, record: Spoken, spoken: list[Spoken]) -> None:
        stream = self.held if till in self.late else spoken
        stream.append(record)
        if self.rng.randrange(1000) < DOUBLED_IN_THOUSAND:
            stream.append(record)

    def _next(self, till: str) -> int:
        self._numbers[till] += 1
        return self._numbers[till]


def interleaved(streams: Sequence[Sequence[Spoken]]) -> list[Spoken]:
    """One stream of many, each in its own order, all advancing alike."""
    order = sorted(
        ((n + 1) / (len(stream) + 1), which, n) for which, stream in enumerate(streams) for n in range(len(stream))
    )
    return [streams[which][n] for _, which, n in order]
