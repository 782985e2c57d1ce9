"""Where a facility's goods are, and what it may make next."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.portal.domain.answers import DemandPage, LotRow


class LotFilter(StrEnum):
    """Which lots are shown: all, those with pieces at the facility, or those with unsold pieces elsewhere."""

    ALL = ""
    HERE = "here"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class LotPlace:
    """Where a lot's pieces are. `here`: free, at the facility. `away`: sent, and neither sold nor come home."""

    lot: str
    product: str
    made_on: date
    recalled: bool
    withdrawn: bool
    made: int
    here: int
    reserved: int
    away: int
    sold: int
    written_off: int


@dataclass(frozen=True, slots=True)
class NextProduct:
    """A product to make. `wanted`: pieces that buyers wanted at the festival where they wanted most. `unsold`: pieces
    that are there for the next one, wherever they are now."""

    product: str
    festival: str
    sold: int
    lost_sales: int
    unsold: int

    @property
    def wanted(self) -> int:
        return self.sold + self.lost_sales

    @property
    def make(self) -> int:
        return max(0, self.wanted - self.unsold)


def places_of(lots: Iterable[LotRow], sold: Mapping[str, int]) -> list[LotPlace]:
    """Where each lot is. `sold`: pieces by lot."""
    return [
        LotPlace(
            lot=row.lot,
            product=row.product,
            made_on=row.made_on,
            recalled=row.recalled,
            withdrawn=row.withdrawn,
            made=row.recorded + row.corrected,
            here=row.on_hand,
            reserved=row.reserved,
            # A sale may be known before the dispatch that it needs.
            away=max(0, row.dispatched + row.found - row.returned - sold.get(row.lot, 0)),
            sold=sold.get(row.lot, 0),
            written_off=row.written_off,
        )
        for row in lots
    ]


def filtered(lots: Iterable[LotPlace], product: str, only: LotFilter) -> list[LotPlace]:
    """The lots of the product, or of every one if it is empty, that the filter lets through."""
    return [
        row
        for row in lots
        if (not product or row.product == product)
        and (only is not LotFilter.HERE or row.here + row.reserved)
        and (only is not LotFilter.AWAY or row.away)
    ]


def run_out(demand: Iterable[DemandPage]) -> list[str]:
    """The products that ran out at a booth."""
    return sorted({row.product for page in demand for row in page.products if row.ran_out})


def next_products(demand: Iterable[DemandPage], lots: Iterable[LotPlace]) -> Sequence[NextProduct]:
    """What to make so that a festival like the one with the most demand finds enough, the most pieces first."""
    unsold: dict[str, int] = defaultdict(int)
    for lot in lots:
        if not lot.recalled:
            unsold[lot.product] += lot.here + lot.reserved + lot.away
    best: dict[str, NextProduct] = {}
    for page in demand:
        for row in page.products:
            found = NextProduct(row.product, page.festival, row.sold, row.lost_sales, unsold[row.product])
            known = best.get(row.product)
            if known is None or known.wanted < found.wanted:
                best[row.product] = found
    return sorted((row for row in best.values() if row.make), key=lambda row: (-row.make, row.product))
