"""What a facility's products were asked for at a festival, gathered from its booths: what to make next.

A booth counts once it is settled, and again whenever that changed. The signal is given once every booth that opened
has counted, and again, with a higher revision, after each change.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from shared.events.language import Publication
from shared.events.sales import (
    DEMAND,
    DemandCounted,
    DemandLine,
    DemandSignalled,
    ProductDemand,
    ShareOpened,
    SoldOut,
)
from shared.runtime.processor import Decision
from shared.runtime.state import State

# A signal has to stay a readable record, however many booths there are; its sums are over all of them.
MOST_LISTED = 50
HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was there from `at` on; `until` None: to the end."""

    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One product at one booth, as in DemandLine."""

    booth: str
    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    price_rupiah: int | None
    there_minutes: int
    missing_minutes: int
    lost_sales: int
    sold_out: tuple[Gap, ...] = ()

    @property
    def pace(self) -> Fraction:
        """Pieces per open hour in which they were there; over an hour at least, or a lucky minute would win."""
        return Fraction(self.sold * HOUR_MINUTES, max(self.there_minutes, HOUR_MINUTES))


@dataclass(frozen=True, slots=True)
class BoothDemand:
    """`lines` None: the booth is not settled yet."""

    booth: str
    lines: tuple[Line, ...] | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product over all booths, which are in the order of their pace, the best first."""

    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    lost_sales: int
    booths: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """`revision` 0: nothing was said yet."""

    id: str
    facility: str
    festival: str
    booths: tuple[BoothDemand, ...] = ()
    revision: int = 0

    @property
    def complete(self) -> bool:
        return bool(self.booths) and all(booth.lines is not None for booth in self.booths)

    @property
    def products(self) -> tuple[Product, ...]:
        """What is known so far, in the order of what was most asked for: sold and lost."""
        found: dict[str, list[Line]] = defaultdict(list)
        for booth in self.booths:
            for line in booth.lines or ():
                found[line.product].append(line)
        products = [_product(product, lines) for product, lines in found.items()]
        return tuple(sorted(products, key=lambda one: (-one.sold - one.lost_sales, one.product)))


def demand_id(facility: str, festival: str) -> str:
    return f"{facility}/{festival}"


def decide(state: State, body: ShareOpened | DemandCounted) -> Decision:
    """What is known of the demand after a booth opened, or counted; said when all have counted and that changed."""
    id = demand_id(body.facility, body.festival)
    known = state.get(Demand, id)
    demand = known or Demand(id, body.facility, body.festival)
    before = next((booth for booth in demand.booths if booth.booth == body.booth), BoothDemand(body.booth))
    after = before
    if isinstance(body, DemandCounted):
        after = replace(before, lines=tuple(_kept(line) for line in body.lines))
    others = [other for other in demand.booths if other.booth != body.booth]
    demand = replace(demand, booths=tuple(sorted([*others, after], key=lambda booth: booth.booth)))
    said: list[Publication] = []
    if after != before and demand.complete:
        demand = replace(demand, revision=demand.revision + 1)
        said.append(DEMAND.of(_signal(demand)))
    return (state if demand == known else state.put(demand)), [*said]


def _signal(demand: Demand) -> DemandSignalled:
    return DemandSignalled(
        facility=demand.facility,
        festival=demand.festival,
        revision=demand.revision,
        products=tuple(
            ProductDemand(
                product=one.product,
                stocked=one.stocked,
                sold=one.sold,
                unsold=one.unsold,
                sold_rupiah=one.sold_rupiah,
                lost_sales=one.lost_sales,
                booths=tuple(_said(line) for line in one.booths[:MOST_LISTED]),
            )
            for one in demand.products
        ),
    )


def _product(product: str, lines: Iterable[Line]) -> Product:
    ranked = sorted(lines, key=lambda line: (-line.pace, -line.sold, line.booth))
    return Product(
        product=product,
        stocked=sum(line.stocked for line in ranked),
        sold=sum(line.sold for line in ranked),
        unsold=sum(line.unsold for line in ranked),
        sold_rupiah=sum(line.sold_rupiah for line in ranked),
        lost_sales=sum(line.lost_sales for line in ranked),
        booths=tuple(ranked),
    )


def _kept(said: DemandLine) -> Line:
    gaps = tuple(Gap(gap.at, gap.until) for gap in said.sold_out)
    return Line(**{name: getattr(said, name) for name in DemandLine.model_fields} | {"sold_out": gaps})


def _said(line: Line) -> DemandLine:
    gaps = tuple(SoldOut(at=gap.at, until=gap.until) for gap in line.sold_out)
    return DemandLine(**{name: getattr(line, name) for name in DemandLine.model_fields} | {"sold_out": gaps})
