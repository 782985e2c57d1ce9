"""What the other services answer, as far as pages read it. Fields that no page shows are left out."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class SumsRow:
    """The final sums of a festival, in pieces."""

    received: int
    sold: int
    returned: int
    lost: int
    surplus: int
    lost_on_the_way: int
    found: int


@dataclass(frozen=True, slots=True)
class FestivalRow:
    """A festival. `sums`: once every piece is accounted for."""

    festival: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date
    status: str
    sums: SumsRow | None = None


@dataclass(frozen=True, slots=True)
class PriceRow:
    product: str
    price_rupiah: int
    category: str | None = None


@dataclass(frozen=True, slots=True)
class BoothLotRow:
    """A lot at a booth, in pieces."""

    lot: str
    facility: str | None
    product: str | None
    in_transit: int
    received: int
    sold: int
    lost: int
    returned: int
    left: int
    withdrawn: str | None = None


@dataclass(frozen=True, slots=True)
class BoothRow:
    """A booth with what it holds."""

    booth: str
    festival: str
    name: str
    status: str
    deadline: datetime | None
    prices: tuple[PriceRow, ...]
    tills: tuple[str, ...]
    disputed: tuple[str, ...]
    merged_into: str | None
    lots: tuple[BoothLotRow, ...]

    @property
    def short(self) -> str:
        """The booth's name within its festival, e.g. `B1`."""
        return self.booth.partition(".")[2]

    @property
    def left(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def sold(self) -> int:
        return sum(lot.sold for lot in self.lots)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for stock without its lines. `short`: pieces that the plan does not cover."""

    request: str
    status: str
    asked: int
    held: int
    short: int
    day: date | None
    hold_until: datetime | None
    lapsed: bool


@dataclass(frozen=True, slots=True)
class SentLotRow:
    lot: str
    sent: int
    counted: int | None
    lost: int | None = None
    surplus: int | None = None


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment from a facility to a booth."""

    shipment: str
    request: str
    facility: str
    booth: str
    status: str
    due: datetime | None
    overdue: bool
    lots: tuple[SentLotRow, ...]

    @property
    def pieces(self) -> int:
        return sum(lot.sent for lot in self.lots)


@dataclass(frozen=True, slots=True)
class OpenStepRow:
    """A step until a festival is closed, as a sentence with its template. `blocks`: it must be done before."""

    what: str
    message: str
    template: str
    values: dict[str, str | int]
    blocks: bool
    booth: str | None = None
    lot: str | None = None
    shipment: str | None = None
    transfer: str | None = None
    sale: str | None = None


@dataclass(frozen=True, slots=True)
class OpenStepsPage:
    missing: tuple[OpenStepRow, ...]
