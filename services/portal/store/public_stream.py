"""What the public topics say of sales, festivals and lots, kept in memory, with the names that the catalogue has.

Nothing else is shown to strangers.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from sys import intern
from typing import TypeAlias
from zoneinfo import ZoneInfo

from services.portal.store.public_names import PublicNames
from shared.events.festival import FestivalAnnounced, FestivalChanged
from shared.events.inventory import StockChanged
from shared.events.language import Body
from shared.events.sales import AdjustmentPublished, SalePublished

# What is farther from now was never today, in whatever zone.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PublicFestival:
    """A festival as it was announced last."""

    festival: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class PublicLot:
    """A lot by its latest balance."""

    lot: str
    revision: int
    facility: str
    product: str
    category: str
    made_on: date
    best_before: date | None
    recalled: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class PublicPart:
    """A facility's part of a sale, or of an adjustment (without a time). `lots`: pieces by lot. `hour`: the beginning
    of the one in which it was sold."""

    revision: int
    facility: str
    festival: str
    qty: int
    rupiah: int
    lots: tuple[tuple[str, int], ...]
    hour: datetime | None = None

    @property
    def group(self) -> "Group":
        """What it is summed by. The first lot tells its category."""
        return self.facility, self.festival, self.lots[0][0] if self.lots else ""


Group: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PublicSum:
    """What was sold of a facility at a festival, of one category: in all, and on the day that it is there now."""

    facility: str
    festival: str
    category: str
    qty: int
    rupiah: int
    today_qty: int


class PublicStream:
    """The latest state of each sale, adjustment, festival and lot. Events come in any order, and again."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], PublicPart] = {}
        self._lots: dict[str, PublicLot] = {}
        self._festivals: dict[str, PublicFestival] = {}
        # Kept with each part: a page for strangers must not go through all sales.
        self._sums: dict[Group, tuple[int, int]] = {}
        self._hours: dict[datetime, dict[Group, int]] = defaultdict(lambda: defaultdict(int))
        self._sold: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.names = PublicNames()
        self.is_whole = False

    def mark_whole(self) -> None:
        """All that the topics had at the start of the portal is known."""
        self.is_whole = True

    def take(self, body: Body) -> None:
        """Keep what the event says, if nothing newer is known."""
        match body:
            case SalePublished():
                self._keep(f"sale {body.sale}", body, body.sold_at.replace(minute=0, second=0, microsecond=0))
            case AdjustmentPublished():
                self._keep(f"adjustment {body.adjustment}", body, None)
            case StockChanged():
                known = self._lots.get(body.lot)
                if known is None or known.revision <= body.revision:
                    self._lots[body.lot] = PublicLot(
                        body.lot,
                        body.revision,
                        body.facility,
                        body.product,
                        body.category,
                        body.made_on,
                        body.best_before,
                        body.recalled,
                        body.withdrawn,
                    )
            case FestivalAnnounced() | FestivalChanged():
                self._festivals[body.festival] = PublicFestival(
                    body.festival, body.name, body.place, body.zone, body.first_day, body.last_day
                )
            case _:
                self.names.take(body)

    def _keep(self, name: str, body: SalePublished | AdjustmentPublished, hour: datetime | None) -> None:
        key = name, intern(body.facility)
        known = self._parts.get(key)
        if known is not None and known.revision > body.revision:
            return
        lots = tuple((intern(share.lot), share.qty) for share in body.lots)
        part = PublicPart(body.revision, key[1], intern(body.festival), body.qty, body.amount_rupiah, lots, hour)
        if known is not None:
            self._count(known, -1)
        self._parts[key] = part
        self._count(part, 1)

    def _count(self, part: PublicPart, times: int) -> None:
        qty, rupiah = self._sums.get(part.group, (0, 0))
        self._sums[part.group] = qty + times * part.qty, rupiah + times * part.rupiah
        if part.hour is not None:
            self._hours[part.hour][part.group] += times * part.qty
        for lot, pieces in part.lots:
            self._sold[lot][part.festival] += times * pieces

    def sums(self, now: datetime) -> Iterator[PublicSum]:
        """What was sold, in all and today."""
        today: dict[Group, int] = defaultdict(int)
        for hour, pieces in self._hours.items():
            if abs(now - hour) < DAY:
                of_today = {name for name in {group[1] for group in pieces} if self._is_today(name, hour, now)}
                for group, qty in pieces.items():
                    today[group] += qty if group[1] in of_today else 0
        for group, (qty, rupiah) in self._sums.items():
            facility, festival, lot = group
            known = self._lots.get(lot)
            category = known.category if known is not None else ""
            yield PublicSum(facility, festival, category, qty, rupiah, today.get(group, 0))

    def sold_of(self, lot: str) -> dict[str, int]:
        """The pieces of the lot that were sold, by festival."""
        return {festival: qty for festival, qty in sorted(self._sold.get(lot, {}).items()) if qty}

    def pieces_sold(self, lot: str) -> int:
        """The pieces of the lot that were sold, everywhere."""
        return sum(self.sold_of(lot).values())

    def lot(self, lot: str) -> PublicLot | None:
        return self._lots.get(lot)

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

    def _is_today(self, festival: str, hour: datetime, now: datetime) -> bool:
        """Whether the hour is of the day that it is now at the festival."""
        known = self._festivals.get(festival)
        zone = ZoneInfo(known.zone) if known is not None else ZoneInfo("Asia/Jakarta")
        return hour.astimezone(zone).date() == now.astimezone(zone).date()
