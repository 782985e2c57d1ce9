"""The demand for a facility's products at a festival, summed over its booths: a basis for what to make next.

A booth is counted once it is settled, and again after each change. The signal is published once every opened booth is
counted. Each later change publishes it with a higher revision.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from shared.events.language import Publication
from shared.events.sales import (
    DEMAND,
    BoothSettled,
    DemandCounted,
    DemandLine,
    DemandSignalled,
    ProductDemand,
    ShareHoldRequested,
    ShareOpened,
    ShareReopened,
    SoldOut,
)
from shared.runtime.processor import Decision
from shared.runtime.state import State

# Limits the size of the signal's record. Its sums cover all booths.
MOST_LISTED = 50
HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class SoldOutSpan:
    """A time without stock, from `at` on. `until` is None if no more stock came."""

    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ProductAtBooth:
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
    sold_out: tuple[SoldOutSpan, ...] = ()

    @property
    def velocity(self) -> Fraction:
        """Pieces sold per open hour with stock.

        The divisor is at least one hour. Otherwise one lucky minute would lead the ranking.
        """
        return Fraction(self.sold * HOUR_MINUTES, max(self.there_minutes, HOUR_MINUTES))


@dataclass(frozen=True, slots=True)
class DemandFromBooth:
    """One booth's part of the demand. `lines` is None until the booth is settled. `held`: it may be reopened."""

    booth: str
    lines: tuple[ProductAtBooth, ...] | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class ProductTotal:
    """A product over all booths. `booths` are in the order of their velocity, the highest first."""

    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    lost_sales: int
    booths: tuple[ProductAtBooth, ...]


@dataclass(frozen=True, slots=True)
class FacilityDemand:
    """The demand for one facility's products at one festival. `revision` is 0 until the first signal."""

    id: str
    facility: str
    festival: str
    booths: tuple[DemandFromBooth, ...] = ()
    revision: int = 0

    @property
    def complete(self) -> bool:
        """Whether every opened booth has been counted."""
        return bool(self.booths) and all(booth.lines is not None and not booth.held for booth in self.booths)

    @property
    def products(self) -> tuple[ProductTotal, ...]:
        """The totals so far, in the order of sold and lost pieces, the most wanted first."""
        lines_by_product: dict[str, list[ProductAtBooth]] = defaultdict(list)
        for booth in self.booths:
            for line in booth.lines or ():
                lines_by_product[line.product].append(line)
        products = [_total(product, lines) for product, lines in lines_by_product.items()]
        return tuple(sorted(products, key=lambda total: (-total.sold - total.lost_sales, total.product)))


def demand_id(facility: str, festival: str) -> str:
    """The id of a facility's demand at a festival."""
    return f"{facility}/{festival}"


def decide(
    state: State, body: ShareOpened | ShareHoldRequested | ShareReopened | BoothSettled | DemandCounted
) -> Decision:
    """The demand after a booth opened, was settled or counted, or was held and reopened.

    A complete demand that has changed publishes a signal.
    """
    id = demand_id(body.facility, body.festival)
    stored = state.get(FacilityDemand, id)
    demand = stored or FacilityDemand(id, body.facility, body.festival)
    before = next((booth for booth in demand.booths if booth.booth == body.booth), DemandFromBooth(body.booth))
    after = before
    match body:
        case DemandCounted():
            after = replace(before, lines=tuple(_from_event(line) for line in body.lines))
        case ShareHoldRequested():
            after = replace(before, held=True)
        case BoothSettled():
            after = replace(before, held=False)
        case ShareReopened():
            after = DemandFromBooth(body.booth)
    other_booths = [other for other in demand.booths if other.booth != body.booth]
    demand = replace(demand, booths=tuple(sorted([*other_booths, after], key=lambda booth: booth.booth)))
    publications: list[Publication] = []
    if after != before and demand.complete:
        demand = replace(demand, revision=demand.revision + 1)
        publications.append(DEMAND.of(_signal(demand)))
    return (state if demand == stored else state.put(demand)), [*publications]


def _signal(demand: FacilityDemand) -> DemandSignalled:
    return DemandSignalled(
        facility=demand.facility,
        festival=demand.festival,
        revision=demand.revision,
        products=tuple(
            ProductDemand(
                product=total.product,
                stocked=total.stocked,
                sold=total.sold,
                unsold=total.unsold,
                sold_rupiah=total.sold_rupiah,
                lost_sales=total.lost_sales,
                booths=tuple(_to_event(line) for line in total.booths[:MOST_LISTED]),
            )
            for total in demand.products
        ),
    )


def _total(product: str, lines: Iterable[ProductAtBooth]) -> ProductTotal:
    ranked = sorted(lines, key=lambda line: (-line.velocity, -line.sold, line.booth))
    return ProductTotal(
        product=product,
        stocked=sum(line.stocked for line in ranked),
        sold=sum(line.sold for line in ranked),
        unsold=sum(line.unsold for line in ranked),
        sold_rupiah=sum(line.sold_rupiah for line in ranked),
        lost_sales=sum(line.lost_sales for line in ranked),
        booths=tuple(ranked),
    )


def _from_event(line: DemandLine) -> ProductAtBooth:
    return ProductAtBooth(
        booth=line.booth,
        product=line.product,
        stocked=line.stocked,
        sold=line.sold,
        unsold=line.unsold,
        sold_rupiah=line.sold_rupiah,
        price_rupiah=line.price_rupiah,
        there_minutes=line.there_minutes,
        missing_minutes=line.missing_minutes,
        lost_sales=line.lost_sales,
        sold_out=tuple(SoldOutSpan(gap.at, gap.until) for gap in line.sold_out),
    )


def _to_event(line: ProductAtBooth) -> DemandLine:
    return DemandLine(
        booth=line.booth,
        product=line.product,
        stocked=line.stocked,
        sold=line.sold,
        unsold=line.unsold,
        sold_rupiah=line.sold_rupiah,
        price_rupiah=line.price_rupiah,
        there_minutes=line.there_minutes,
        missing_minutes=line.missing_minutes,
        lost_sales=line.lost_sales,
        sold_out=tuple(SoldOut(at=gap.at, until=gap.until) for gap in line.sold_out),
    )
