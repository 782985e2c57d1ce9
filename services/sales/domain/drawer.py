"""The money of a booth's tills, by drawer: what came in and went out by payment kind and hour, and what was
counted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.events.sales import CashCounted, CashDropped, DrawerOpened, PaymentKind


@dataclass(frozen=True, slots=True)
class Taking:
    """One hour (counted since 1970 in UTC) and payment kind of a drawer: receipts, their net rupiah, and rupiah paid
    back."""

    hour: int
    kind: PaymentKind
    receipts: int = 0
    net_rupiah: int = 0
    refunded_rupiah: int = 0


@dataclass(frozen=True, slots=True)
class Drawer:
    """Who had the drawer (a pseudonym) from when, with how much in it. Payments taken while no drawer was open are
    under the device's id, without a cashier. `counted_rupiah`: by the blind count; `expected_rupiah`: what the
    device's own records added up to then."""

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

    def with_taking(self, more: Taking) -> "Drawer":
        """The drawer with this in its hour, by the places of its fields: every receipt comes by here."""
        return Drawer(
            self.id,
            self.till,
            self.device,
            self.cashier,
            self.opened_at,
            self.float_rupiah,
            _add_taking(self.takings, more),
            self.dropped_rupiah,
            self.counted_rupiah,
            self.expected_rupiah,
            self.counted_at,
        )

    @property
    def cash_rupiah(self) -> int:
        """Rupiah that should be in the drawer, by what sales knows."""
        cash = (one for one in self.takings if one.kind is PaymentKind.CASH)
        return self.float_rupiah - self.dropped_rupiah + sum(one.net_rupiah - one.refunded_rupiah for one in cash)

    @property
    def difference_rupiah(self) -> int | None:
        """Rupiah counted beyond (or below) what should be there; None: it was not counted."""
        return None if self.counted_rupiah is None else self.counted_rupiah - self.cash_rupiah


Drawers = tuple[Drawer, ...]


def pay_in(drawers: Drawers, drawer: Drawer, kind: PaymentKind, at: datetime, rupiah: int) -> Drawers:
    """A receipt was paid into `drawer` (as it is if it is new)."""
    taking = Taking(epoch_seconds(at) // HOUR, kind, 1, rupiah)
    return _change(drawers, drawer, lambda known: known.with_taking(taking))


def refund(drawers: Drawers, drawer: Drawer, kind: PaymentKind, at: datetime, rupiah: int) -> Drawers:
    """Money was paid back out of `drawer`."""
    paid = Taking(epoch_seconds(at) // HOUR, kind, refunded_rupiah=rupiah)
    return _change(drawers, drawer, lambda known: known.with_taking(paid))


def open_drawer(drawers: Drawers, body: DrawerOpened, id: str) -> Drawers:
    return _change(
        drawers,
        Drawer(id, body.till, body.device),
        lambda known: replace(known, cashier=body.cashier, opened_at=body.opened_at, float_rupiah=body.float_rupiah),
    )


def drop_cash(drawers: Drawers, body: CashDropped) -> Drawers:
    return _change(
        drawers,
        Drawer(body.drawer, body.till, body.device),
        lambda known: replace(known, dropped_rupiah=known.dropped_rupiah + body.rupiah),
    )


def count_cash(drawers: Drawers, body: CashCounted) -> Drawers:
    """The count with the latest moment stands."""

    def count(known: Drawer) -> Drawer:
        if known.counted_at is not None and known.counted_at > body.counted_at:
            return known
        return replace(
            known,
            counted_rupiah=body.counted_rupiah,
            expected_rupiah=body.expected_rupiah,
            counted_at=body.counted_at,
        )

    return _change(drawers, Drawer(body.drawer, body.till, body.device), count)


def _change(drawers: Drawers, new: Drawer, change: Callable[[Drawer], Drawer]) -> Drawers:
    for place, known in enumerate(drawers):
        if known.id == new.id:
            return (*drawers[:place], change(known), *drawers[place + 1 :])
    return (*drawers, change(new))


def _add_taking(takings: tuple[Taking, ...], more: Taking) -> tuple[Taking, ...]:
    # The hour of now is the last one.
    for place in range(len(takings) - 1, -1, -1):
        known = takings[place]
        if known.hour == more.hour and known.kind is more.kind:
            both = Taking(
                known.hour,
                known.kind,
                known.receipts + more.receipts,
                known.net_rupiah + more.net_rupiah,
                known.refunded_rupiah + more.refunded_rupiah,
            )
            return (*takings[:place], both, *takings[place + 1 :])
    return (*takings, more)
