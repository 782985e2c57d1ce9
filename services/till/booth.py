"""What a till knows of its booth: prices, its slice of the stock, withdrawn lots. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    LotWithdrawn,
)
from shared.events.language import Body
from shared.events.sales import SaleReported, SaleVoided


@dataclass(frozen=True, slots=True)
class LotHere:
    """A lot at the booth. `stocked` for the whole booth, less what was lost or moved; `slice` of it for this till."""

    id: str
    product: str
    made_on: date
    stocked: int
    slice: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class BoothView:
    """Pieces by lot and product; `sold` are this till's own sales that stand."""

    festival: str | None
    name: str | None
    listed: bool
    closing: datetime | None
    prices: Mapping[str, int]
    lots: Mapping[str, LotHere]
    withdrawn: frozenset[str]
    sold_by_lot: Mapping[str, int]
    sold_by_product: Mapping[str, int]

    def lots_of(self, product: str) -> list[LotHere]:
        """The product's lots here, the oldest first."""
        lots = (lot for lot in self.lots.values() if lot.product == product)
        return sorted(lots, key=lambda lot: (lot.made_on, lot.id))

    def left_of(self, product: str) -> int:
        """How many pieces of the product this till may still sell; below zero when it sold more."""
        return sum(lot.slice for lot in self.lots_of(product) if not lot.withdrawn) - self._sold_of(product)

    def left_of_lot(self, lot: str) -> int:
        """How many pieces of the lot this till may still sell."""
        here = self.lots.get(lot)
        return (here.slice if here and not here.withdrawn else 0) - self.sold_by_lot.get(lot, 0)

    def _sold_of(self, product: str) -> int:
        withdrawn = sum(self.sold_by_lot.get(lot.id, 0) for lot in self.lots_of(product) if lot.withdrawn)
        return self.sold_by_product.get(product, 0) - withdrawn


def view(till: str, heard: Iterable[Body], said: Sequence[tuple[str, Body]]) -> BoothView:
    """The booth as till `till` knows it from what it heard of the booth and said itself (with ids)."""
    booth = _Heard()
    for body in heard:
        booth.take(body)
    sold_by_lot, sold_by_product = _sold(said)
    opened = booth.opened
    tills = opened.tills if opened else ()
    return BoothView(
        festival=opened.festival if opened else None,
        name=opened.name if opened else None,
        listed=till in tills,
        closing=booth.closing,
        prices={price.product: price.price_rupiah for price in opened.prices} if opened else {},
        lots={
            id: LotHere(
                id=id,
                product=first.product,
                made_on=first.made_on,
                stocked=booth.stocked[id],
                slice=_slice(booth.stocked[id], tills, till),
                withdrawn=id in booth.withdrawn,
            )
            for id, first in booth.lots.items()
        },
        withdrawn=frozenset(booth.withdrawn),
        sold_by_lot=sold_by_lot,
        sold_by_product=sold_by_product,
    )


def _slice(stocked: int, tills: Sequence[str], till: str) -> int:
    """The till's part of `stocked`: equal parts, the first tills of the booth take what is left over."""
    if till not in tills:
        return 0
    part, over = divmod(max(stocked, 0), len(tills))
    return part + (1 if tills.index(till) < over else 0)


@dataclass(slots=True)
class _Heard:
    opened: BoothOpened | None = None
    closing: datetime | None = None
    lots: dict[str, BoothStocked] = field(default_factory=dict)
    stocked: dict[str, int] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)

    def take(self, body: Body) -> None:
        match body:
            case BoothOpened():
                self.opened = body
            case BoothStocked():
                self.lots.setdefault(body.lot, body)
                self.stocked[body.lot] = self.stocked.get(body.lot, 0) + body.qty
            case BoothStockLost() | BoothStockMoved():
                self.stocked[body.lot] = self.stocked.get(body.lot, 0) - body.qty
            case LotWithdrawn():
                self.withdrawn.add(body.lot)
            case BoothClosing():
                self.closing = body.deadline


def _sold(said: Sequence[tuple[str, Body]]) -> tuple[dict[str, int], dict[str, int]]:
    voided = {body.sale for _, body in said if isinstance(body, SaleVoided)}
    by_lot: dict[str, int] = {}
    by_product: dict[str, int] = {}
    for id, body in said:
        if isinstance(body, SaleReported) and id not in voided:
            by_product[body.product] = by_product.get(body.product, 0) + body.qty
            if body.lot is not None:
                by_lot[body.lot] = by_lot.get(body.lot, 0) + body.qty
    return by_lot, by_product
