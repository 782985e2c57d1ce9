"""What the sales service answers of receipts, takings, devices and strays, as far as pages read it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.portal.domain.answers import BoothRow
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class SoldLineRow:
    """A line of a receipt. `old_list`: its till did not know the valid price. `departs`: it has another price."""

    sale: str
    line: int
    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    net_rupiah: int
    status: str
    waiting: int
    disputed: int
    rejected: int
    voided: int
    forwarded: int
    price_reason: str
    old_list: bool
    departs: bool

    @property
    def voidable(self) -> int:
        """The pieces that can still be voided."""
        return max(0, self.qty - self.voided - self.forwarded)


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt with its lines. `seq`: the number that its till shows."""

    receipt: str
    till: str
    seq: int
    payment: str
    sold_at: datetime
    sales: tuple[SoldLineRow, ...]


@dataclass(frozen=True, slots=True)
class TakingRow:
    """The takings of one kind of payment."""

    payment: str
    receipts: int
    net_rupiah: int
    refunded_rupiah: int


@dataclass(frozen=True, slots=True)
class TakingsDayRow:
    day: date
    takings: tuple[TakingRow, ...]


@dataclass(frozen=True, slots=True)
class DrawerRow:
    """A cashier's session, by a pseudonym. `cash_rupiah`: what should be in it, told after the count alone."""

    till: str
    cashier: str | None
    opened_at: datetime | None
    float_rupiah: int
    dropped_rupiah: int
    cash_rupiah: int | None
    counted_rupiah: int | None
    difference_rupiah: int | None


@dataclass(frozen=True, slots=True)
class BoothTakings:
    """The takings of a booth by day, and its drawers."""

    days: tuple[TakingsDayRow, ...]
    drawers: tuple[DrawerRow, ...]

    @property
    def net_rupiah(self) -> int:
        return sum(taking.net_rupiah - taking.refunded_rupiah for day in self.days for taking in day.takings)


@dataclass(frozen=True, slots=True)
class BranchRow:
    complete: bool


@dataclass(frozen=True, slots=True)
class SellingDeviceRow:
    """A device of a booth. `missing`: the numbers of its records that have not come, as first and last."""

    till: str
    device: str | None
    listed: bool
    struck: bool
    closed: bool
    complete: bool
    missing: tuple[tuple[int, int], ...]
    branches: tuple[BranchRow, ...]

    @property
    def lacks(self) -> Message:
        """What has not come of it."""
        if self.device is None:
            return Message("Nothing was heard of it.")
        if self.missing:
            ranges = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in self.missing)
            return Message("Its records {ranges} have not come.", ranges=ranges)
        if len(self.branches) > 1:
            still_open = sum(not branch.complete for branch in self.branches)
            return Message("{count:copy|copies} of it did not close.", count=still_open)
        return Message("It has not closed.")


@dataclass(frozen=True, slots=True)
class RefusedOrderRow:
    """A void that was refused, as fewer pieces are left of the line."""

    receipt: str
    line: int
    qty: int
    left: int


@dataclass(frozen=True, slots=True)
class SellingLotRow:
    """A lot as sales counts it while the booth sells."""

    lot: str
    sold: int
    lost: int
    unsold: int


@dataclass(frozen=True, slots=True)
class SellingBoothRow:
    """A booth as sales knows it, with the devices that sell there."""

    booth: str
    tills: tuple[SellingDeviceRow, ...]
    refused_orders: tuple[RefusedOrderRow, ...] = ()
    lots: tuple[SellingLotRow, ...] = ()

    @property
    def sold_by_lot(self) -> dict[str, int]:
        return {lot.lot: lot.sold for lot in self.lots}


@dataclass(frozen=True, slots=True)
class AwaitedDevice:
    """A device that keeps a booth from settling."""

    booth: BoothRow
    device: SellingDeviceRow


@dataclass(frozen=True, slots=True)
class StrayRow:
    """Sales for a booth that nobody has opened. `moved_to`: where they count."""

    booth: str
    tills: tuple[str, ...]
    receipts: int
    rupiah: int
    first_at: datetime | None
    last_at: datetime | None
    moved_to: str | None
    unmoved: int


def awaited(booths: Mapping[str, BoothRow], selling: Iterable[SellingBoothRow]) -> Iterator[AwaitedDevice]:
    """The devices that the booths wait for: of closing ones each that is not complete, of open ones those of which
    records are missing or that nobody has named."""
    for row in selling:
        booth = booths.get(row.booth)
        if booth is None or booth.status not in ("open", "closing"):
            continue
        for device in row.tills:
            is_whole = not device.missing and len(device.branches) < 2
            is_well = booth.status == "open" and device.listed and is_whole
            if not device.struck and not device.complete and not is_well:
                yield AwaitedDevice(booth, device)
