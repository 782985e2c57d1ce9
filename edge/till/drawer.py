"""The cash of a till: its drawers from opening to count, and the sums of a day by kind of payment. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from edge.spool import SpooledRecord
from shared.events.sales import (
    CashCounted,
    CashDropped,
    DrawerOpened,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
)


@dataclass(frozen=True, slots=True)
class CashDrawer:
    """A cash drawer session of one cashier. `expected_rupiah`: float plus cash taken, less refunds and drops. It
    stays hidden before the count."""

    id: str
    cashier: str
    opened_at: datetime
    float_rupiah: int
    dropped_rupiah: int
    expected_rupiah: int
    counted_rupiah: int | None
    counted_at: datetime | None

    @property
    def difference_rupiah(self) -> int | None:
        """Counted less expected; None before the count."""
        return None if self.counted_rupiah is None else self.counted_rupiah - self.expected_rupiah


@dataclass(frozen=True, slots=True)
class DayLine:
    """The sums of one kind of payment on one day. Rupiah are None while an open drawer must be counted blind."""

    kind: PaymentKind
    receipts: int
    net_rupiah: int | None
    refunds: int
    refunded_rupiah: int | None


def drawers(records: Sequence[SpooledRecord]) -> list[CashDrawer]:
    """Every drawer that was opened on this device, oldest first."""
    return [_drawer(record.id, record.body, records) for record in records if isinstance(record.body, DrawerOpened)]


def open_drawer(records: Sequence[SpooledRecord]) -> CashDrawer | None:
    """The drawer without a count, if any."""
    return next((drawer for drawer in drawers(records) if drawer.counted_at is None), None)


def day_lines(records: Sequence[SpooledRecord], day: date, day_of: Callable[[datetime], date]) -> list[DayLine]:
    """Receipts and refunds of a day by kind of payment; `day_of` maps a moment to its day."""
    uncounted = {drawer.id for drawer in drawers(records) if drawer.counted_at is None}
    receipts = [
        record.body
        for record in records
        if isinstance(record.body, ReceiptIssued) and day_of(record.body.sold_at) == day
    ]
    voids = [
        record.body
        for record in records
        if isinstance(record.body, ReceiptVoided) and day_of(record.body.voided_at) == day
    ]
    return [_day_line(kind, receipts, voids, uncounted) for kind in PaymentKind]


def _day_line(
    kind: PaymentKind, receipts: Iterable[ReceiptIssued], voids: Iterable[ReceiptVoided], uncounted: set[str]
) -> DayLine:
    paid = [receipt for receipt in receipts if receipt.payment.kind is kind]
    refunds = [void for void in voids if void.refund is kind]
    # The sums would show the cashier the expected cash.
    drawers_used = {receipt.drawer for receipt in paid} | {void.drawer for void in refunds}
    blind = kind is PaymentKind.CASH and not uncounted.isdisjoint(drawers_used)
    return DayLine(
        kind=kind,
        receipts=len(paid),
        net_rupiah=None if blind else sum(sum(receipt.net_rupiah) for receipt in paid),
        refunds=len(refunds),
        refunded_rupiah=None if blind else sum(void.refund_rupiah for void in refunds),
    )


def _drawer(id: str, opened: DrawerOpened, records: Sequence[SpooledRecord]) -> CashDrawer:
    cash = dropped = 0
    count: CashCounted | None = None
    for record in records:
        match record.body:
            case ReceiptIssued(drawer=drawer) if drawer == id and record.body.payment.kind is PaymentKind.CASH:
                cash += sum(record.body.net_rupiah)
            case ReceiptVoided(drawer=drawer) if drawer == id and record.body.refund is PaymentKind.CASH:
                cash -= record.body.refund_rupiah
            case CashDropped(drawer=drawer) if drawer == id:
                dropped += record.body.rupiah
            case CashCounted(drawer=drawer) if drawer == id:
                count = record.body
    return CashDrawer(
        id=id,
        cashier=opened.cashier,
        opened_at=opened.opened_at,
        float_rupiah=opened.float_rupiah,
        dropped_rupiah=dropped,
        expected_rupiah=count.expected_rupiah if count else opened.float_rupiah + cash - dropped,
        counted_rupiah=count.counted_rupiah if count else None,
        counted_at=count.counted_at if count else None,
    )
