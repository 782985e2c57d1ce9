"""The cash of a till: its drawers from opening to count, and the day by kinds of payment. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from edge.spool import Said
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
    """A drawer from when a cashier took it. `expected_rupiah`: the float and the cash that was taken, less what was
    paid back and dropped. Before the count nobody may see it."""

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
    """One kind of payment on one day. Rupiah; None: a drawer is open, and its cashier is to count it blind."""

    kind: PaymentKind
    receipts: int
    net_rupiah: int | None
    refunds: int
    refunded_rupiah: int | None


def drawers(said: Sequence[Said]) -> list[CashDrawer]:
    """Every drawer that was opened on this device, the first one first."""
    return [_drawer(record.id, record.body, said) for record in said if isinstance(record.body, DrawerOpened)]


def open_drawer(said: Sequence[Said]) -> CashDrawer | None:
    """The drawer that was not counted yet."""
    return next((drawer for drawer in drawers(said) if drawer.counted_at is None), None)


def day_lines(said: Sequence[Said], day: date, day_of: Callable[[datetime], date]) -> list[DayLine]:
    """Receipts and refunds of a day by kind of payment; `day_of` says on which day a moment falls."""
    uncounted = {drawer.id for drawer in drawers(said) if drawer.counted_at is None}
    receipts = [
        record.body
        for record in said
        if isinstance(record.body, ReceiptIssued) and day_of(record.body.sold_at) == day
    ]
    voids = [
        record.body
        for record in said
        if isinstance(record.body, ReceiptVoided) and day_of(record.body.voided_at) == day
    ]
    return [_day_line(kind, receipts, voids, uncounted) for kind in PaymentKind]


def _day_line(
    kind: PaymentKind, receipts: Iterable[ReceiptIssued], voids: Iterable[ReceiptVoided], uncounted: set[str]
) -> DayLine:
    paid = [receipt for receipt in receipts if receipt.payment.kind is kind]
    refunds = [void for void in voids if void.refund is kind]
    # The sums of the kind would tell the cashier what to count.
    drawers_used = {receipt.drawer for receipt in paid} | {void.drawer for void in refunds}
    blind = kind is PaymentKind.CASH and not uncounted.isdisjoint(drawers_used)
    return DayLine(
        kind=kind,
        receipts=len(paid),
        net_rupiah=None if blind else sum(sum(receipt.net_rupiah) for receipt in paid),
        refunds=len(refunds),
        refunded_rupiah=None if blind else sum(void.refund_rupiah for void in refunds),
    )


def _drawer(id: str, opened: DrawerOpened, said: Sequence[Said]) -> CashDrawer:
    taken = dropped = 0
    count: CashCounted | None = None
    for record in said:
        match record.body:
            case ReceiptIssued(drawer=drawer) if drawer == id and record.body.payment.kind is PaymentKind.CASH:
                taken += sum(record.body.net_rupiah)
            case ReceiptVoided(drawer=drawer) if drawer == id and record.body.refund is PaymentKind.CASH:
                taken -= record.body.refund_rupiah
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
        expected_rupiah=count.expected_rupiah if count else opened.float_rupiah + taken - dropped,
        counted_rupiah=count.counted_rupiah if count else None,
        counted_at=count.counted_at if count else None,
    )
