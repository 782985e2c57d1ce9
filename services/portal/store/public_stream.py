"""What the public topics say of sales, festivals and lots, kept in memory, with the names that the catalogue has.

Nothing else is shown to strangers.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.portal.store.public_names import PublicNames
from shared.events.festival import FestivalAnnounced, FestivalChanged
from shared.events.inventory import StockChanged
from shared.events.language import Body
from shared.events.sales import AdjustmentPublished, SalePublished


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
    """A facility's part of a sale, or of an adjustment (without a time). `lots`: pieces by lot."""

    revision: int
    facility: str
    festival: str
    product: str
    qty: int
    rupiah: int
    lots: tuple[tuple[str, int], ...]
    sold_at: datetime | None = None


class PublicStream:
    """The latest state of each sale, adjustment, festival and lot. Events come in any order, and again."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], PublicPart] = {}
        self._lots: dict[str, PublicLot] = {}
        self._festivals: dict[str, PublicFestival] = {}
        self._by_lot: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.names = PublicNames()
        self.is_whole = False

    def mark_whole(self) -> None:
        """All that the topics had at the start of the portal is known."""
        self.is_whole = True

    def take(self, body: Body) -> None:
        """Keep what the event says, if nothing newer is known."""
        match body:
            case SalePublished():
                lots = tuple((share.lot, share.qty) for share in body.lots)
                self._keep(
                    f"sale {body.sale}",
                    PublicPart(
                        body.revision,
                        body.facility,
                        body.festival,
                        body.product,
                        body.qty,
                        body.amount_rupiah,
                        lots,
                        body.sold_at,
                    ),
                )
            case AdjustmentPublished():
                lots = tuple((share.lot, share.qty) for share in body.lots)
                self._keep(
                    f"adjustment {body.adjustment}",
                    PublicPart(
                        body.revision,
                        body.facility,
                        body.festival,
                        body.product,
                        body.qty,
                        body.amount_rupiah,
                        lots,
                    ),
                )
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

    def _keep(self, name: str, part: PublicPart) -> None:
        known = self._parts.get((name, part.facility))
        if known is None or known.revision <= part.revision:
            self._parts[name, part.facility] = part
            for lot, _ in part.lots:
                self._by_lot[lot].add((name, part.facility))

    def parts(self) -> Iterable[PublicPart]:
        """All parts that count."""
        return self._parts.values()

    def sold_of(self, lot: str) -> dict[str, int]:
        """The pieces of the lot that were sold, by festival."""
        sold: dict[str, int] = defaultdict(int)
        for key in self._by_lot.get(lot, ()):
            part = self._parts[key]
            sold[part.festival] += sum(qty for name, qty in part.lots if name == lot)
        return {festival: qty for festival, qty in sorted(sold.items()) if qty}

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

    def category(self, part: PublicPart) -> str:
        """The category of what was sold, by one of its lots; empty if no lot is known yet."""
        known = (self._lots.get(lot) for lot, _ in part.lots)
        return next((lot.category for lot in known if lot is not None), "")

    def is_of_today(self, part: PublicPart, now: datetime) -> bool:
        """Whether it was sold on the day that it is now at the festival."""
        festival = self._festivals.get(part.festival)
        zone = ZoneInfo(festival.zone) if festival is not None else ZoneInfo("Asia/Jakarta")
        return part.sold_at is not None and part.sold_at.astimezone(zone).date() == now.astimezone(zone).date()
