"""What the public topics say of sales, festivals and lots, with the names that the catalogue has.

Nothing else is shown to strangers. In memory are sums by day alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from services.portal.store.public_names import PublicNames
from services.portal.store.public_parts import PublicLot, PublicPart, PublicParts
from shared.events.festival import FestivalAnnounced, FestivalChanged
from shared.events.inventory import StockChanged
from shared.events.language import Body
from shared.events.sales import AdjustmentPublished, SalePublished

# Of a festival that is not announced here yet, and of pages: it says what season it is now.
ZONE = "Asia/Jakarta"


@dataclass(frozen=True, slots=True)
class PublicFestival:
    """A festival as it was announced last."""

    festival: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date


# What is summed by: facility, festival and product.
Group: TypeAlias = tuple[str, str, str]
# Pieces and rupiah by the day of sale, as it is at the festival. None: adjustments, which have no time.
Days: TypeAlias = dict[date | None, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PublicSum:
    """What was sold in a season, of a facility at a festival and of one product: in all, and on the day that it is
    there now."""

    facility: str
    festival: str
    product: str
    qty: int
    rupiah: int
    today_qty: int


class PublicStream:
    """The latest state of each sale, adjustment, festival and lot. Events come in any order, and again.

    A season is a calendar year. A sale is of the year that it was at the festival. An adjustment is of the year in
    which its festival ends: nothing public says more.
    """

    def __init__(self) -> None:
        self._parts = PublicParts()
        self._festivals: dict[str, PublicFestival] = {}
        self._days: dict[Group, Days] = defaultdict(dict)
        self.names = PublicNames()
        self.is_whole = False

    def mark_whole(self) -> None:
        """All that the topics had at the start of the portal is known."""
        self.is_whole = True

    def take(self, body: Body) -> None:
        """Keep what the event says, if nothing newer is known."""
        match body:
            case SalePublished():
                self._keep(f"sale {body.sale}", PublicPart.of(body))
            case AdjustmentPublished():
                self._keep(f"adjustment {body.adjustment}", PublicPart.of(body))
            case StockChanged():
                self._parts.keep_lot(body)
            case FestivalAnnounced() | FestivalChanged():
                former_zone = self._zone(body.festival)
                self._festivals[body.festival] = PublicFestival(
                    body.festival, body.name, body.place, body.zone, body.first_day, body.last_day
                )
                if self._zone(body.festival) != former_zone:
                    self._count_days_again(body.festival)
            case _:
                self.names.take(body)

    def sums(self, now: datetime, season: int) -> Iterator[PublicSum]:
        """What was sold in the season, by group; and of it today."""
        for group, days in self._days.items():
            facility, festival, product = group
            qty = rupiah = 0
            for day, (pieces, amount) in days.items():
                if self._season_of(festival, day, now) == season:
                    qty += pieces
                    rupiah += amount
            today = now.astimezone(self._zone(festival)).date()
            today_qty = days.get(today, (0, 0))[0] if today.year == season else 0
            if qty or rupiah or today_qty:
                yield PublicSum(facility, festival, product, qty, rupiah, today_qty)

    def seasons(self, now: datetime) -> list[int]:
        """The season that it is now, and all in which something was sold; the latest first."""
        seasons = {
            self._season_of(festival, day, now) for (_, festival, _), days in self._days.items() for day in days
        }
        return sorted(seasons | {season_now(now)}, reverse=True)

    def sold_of(self, lot: str) -> dict[str, int]:
        """The pieces of the lot that were sold, by festival."""
        return self._parts.sold_of(lot)

    def pieces_sold(self, lot: str) -> int:
        """The pieces of the lot that were sold, everywhere."""
        return sum(self.sold_of(lot).values())

    def lot(self, lot: str) -> PublicLot | None:
        return self._parts.lot(lot)

    def festival(self, festival: str) -> PublicFestival | None:
        return self._festivals.get(festival)

    def festival_name(self, festival: str) -> str:
        """The festival's name, or its code before it was announced here."""
        known = self._festivals.get(festival)
        return known.name if known is not None else festival

    def zone_of(self, scope: str) -> str | None:
        """The time zone of a role's scope: a facility, a festival or one of its booths. None if it is not known."""
        known = self._festivals.get(scope.partition(".")[0])
        return known.zone if known is not None else self.names.zone_of(scope)

    def _keep(self, name: str, part: PublicPart) -> None:
        known, is_new = self._parts.keep(name, part)
        if not is_new:
            return
        if known is not None:
            self._count(known, -1)
        self._count(part, 1)

    def _count(self, part: PublicPart, sign: int) -> None:
        group = part.facility, part.festival, part.product
        day = part.sold_at.astimezone(self._zone(part.festival)).date() if part.sold_at is not None else None
        days = self._days[group]
        qty, rupiah = days.get(day, (0, 0))
        days[day] = qty + sign * part.qty, rupiah + sign * part.rupiah
        if not any(days[day]):
            del days[day]

    def _count_days_again(self, festival: str) -> None:
        """Sum the festival's sales by the days of its present zone."""
        groups = [days for (_, of, _), days in self._days.items() if of == festival]
        for days in groups:
            for day in [day for day in days if day is not None]:
                del days[day]
        if groups:
            for part in self._parts.sales_of(festival):
                self._count(part, 1)

    def _zone(self, festival: str) -> ZoneInfo:
        known = self._festivals.get(festival)
        return ZoneInfo(known.zone if known is not None else ZONE)

    def _season_of(self, festival: str, day: date | None, now: datetime) -> int:
        if day is not None:
            return day.year
        known = self._festivals.get(festival)
        return known.last_day.year if known is not None else season_now(now)


def season_now(now: datetime) -> int:
    """The season that it is now."""
    return now.astimezone(ZoneInfo(ZONE)).year
