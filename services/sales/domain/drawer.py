"""The cash drawers of a booth's tills: receipts and refunds by payment kind and hour, and blind counts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.events.sales import CashCounted, CashDropped, DrawerOpened, PaymentKind


@dataclass(frozen=True, slots=True)
class Taking:
    """The receipts of one hour (counted since 1970 in UTC) and payment kind, their net rupiah, and refunded
    rupiah."""

    hour: int
    kind: PaymentKind
    receipts: int = 0
    net_rupiah: int = 0
    refunded_rupiah: int = 0


@dataclass(frozen=True, slots=True)
class Drawer:
    """One cashier's session (a pseudonym) with a cash drawer, from `opened_at` on with `float_rupiah` in it.

    Payments without an open drawer are kept under the device's id, without a cashier. `counted_rupiah`: the blind
    count. `expected_rupiah`: the sum by the device's own records at the count.
    """

    id: str
    till: str
    device: str
    cashier: str | None = None
    opened_at: datetime | None = None
    float_rupiah: int = 0
    takings: tuple[Taking, ...] = ()
    dropped_rupiah: int = 0
    counted_rupiah: int | None = None
    expected_rupiah: int | None = None
    counted_at: datetime | None = None

    def with_taking(self, taking: Taking) -> "Drawer":
        """The drawer with this amount added to its hour.

        The positional constructor saves time, since every receipt needs it.
        """
        return Drawer(
            self.id,
            self.till,
            self.device,
            self.cashier,
            self.opened_at,
            self.float_rupiah,
            _add_taking(self.takings, taking),
            self.dropped_rupiah,
            self.counted_rupiah,
            self.expected_rupiah,
            self.counted_at,
        )

    @property
    def cash_rupiah(self) -> int:
        """Rupiah that should be in the drawer, by the records that sales has."""
        cash_takings = (taking for taking in self.takings if taking.kind is PaymentKind.CASH)
        return (
            self.float_rupiah
            - self.dropped_rupiah
            + sum(taking.net_rupiah - taking.refunded_rupiah for taking in cash_takings)
        )

    @property
    def difference_rupiah(self) -> int | None:
        """Rupiah counted above (or below) `cash_rupiah`; None without a count."""
        return None if self.counted_rupiah is None else self.counted_rupiah - self.cash_rupiah


Drawers = tuple[Drawer, ...]


def pay_in(drawers: Drawers, drawer: Drawer, kind: PaymentKind, at: datetime, rupiah: int) -> Drawers:
    """The drawers after a receipt was paid into `drawer`, which is added if it is new."""
    taking = Taking(epoch_seconds(at) // HOUR, kind, 1, rupiah)
    return _change(drawers, drawer, lambda current: current.with_taking(taking))


def refund(drawers: Drawers, drawer: Drawer, kind: PaymentKind, at: datetime, rupiah: int) -> Drawers:
    """The drawers after a refund out of `drawer`, which is added if it is new."""
    refunded = Taking(epoch_seconds(at) // HOUR, kind, refunded_rupiah=rupiah)
    return _change(drawers, drawer, lambda current: current.with_taking(refunded))


def open_drawer(drawers: Drawers, body: DrawerOpened, id: str) -> Drawers:
    """The drawers after a cashier opened one; its id is the event's."""
    return _change(
        drawers,
        Drawer(id, body.till, body.device),
        lambda current: replace(
            current, cashier=body.cashier, opened_at=body.opened_at, float_rupiah=body.float_rupiah
        ),
    )


def drop_cash(drawers: Drawers, body: CashDropped) -> Drawers:
    """The drawers after money was taken out of one for safekeeping."""
    return _change(
        drawers,
        Drawer(body.drawer, body.till, body.device),
        lambda current: replace(current, dropped_rupiah=current.dropped_rupiah + body.rupiah),
    )


def count_cash(drawers: Drawers, body: CashCounted) -> Drawers:
    """The drawers after a blind count. The count with the latest moment is kept."""

    def count(current: Drawer) -> Drawer:
        if current.counted_at is not None and current.counted_at > body.counted_at:
            return current
        return replace(
            current,
            counted_rupiah=body.counted_rupiah,
            expected_rupiah=body.expected_rupiah,
            counted_at=body.counted_at,
        )

    return _change(drawers, Drawer(body.drawer, body.till, body.device), count)


def _change(drawers: Drawers, initial: Drawer, change: Callable[[Drawer], Drawer]) -> Drawers:
    for index, drawer in enumerate(drawers):
        if drawer.id == initial.id:
            return (*drawers[:index], change(drawer), *drawers[index + 1 :])
    return (*drawers, change(initial))


def _add_taking(takings: tuple[Taking, ...], taking: Taking) -> tuple[Taking, ...]:
    # Searched from the end, because the current hour is the last one.
    for index in range(len(takings) - 1, -1, -1):
        existing = takings[index]
        if existing.hour == taking.hour and existing.kind is taking.kind:
            total = Taking(
                existing.hour,
                existing.kind,
                existing.receipts + taking.receipts,
                existing.net_rupiah + taking.net_rupiah,
                existing.refunded_rupiah + taking.refunded_rupiah,
            )
            return (*takings[:index], total, *takings[index + 1 :])
    return (*takings, taking)
