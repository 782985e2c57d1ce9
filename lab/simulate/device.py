"""A till's device: it numbers its records, keeps a drawer, and sends at once or when it has a network again. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.simulate.records import GeneratedRecord, make_record, new_id
from shared.events.language import Body
from shared.events.sales import (
    TILL,
    CashCounted,
    CashDropped,
    DeviceIntroduced,
    DrawerOpened,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
)

# MADE UP: what is in a drawer in the morning, and from how much on some of it is taken to a safe place.
FLOAT_RUPIAH = 200_000
DROP_FROM_RUPIAH = 1_000_000
MISCOUNTED_IN_HUNDRED = 10
DOUBLED_IN_THOUSAND = 20
_NOTE_RUPIAH = 10_000


@dataclass(slots=True)
class SimulatedDevice:
    """One device at a booth.

    `price_list` is the latest revision that it received. `unsent` holds what it recorded without a network. Nobody
    ever reads the unsent records of a `doomed` device.
    """

    booth: str
    till: str
    id: str
    rng: random.Random
    online: bool = True
    doomed: bool = False
    price_list: int = 1
    unsent: list[GeneratedRecord] = field(default_factory=list)
    _sent: list[GeneratedRecord] = field(default_factory=list)
    _seq: int = 0
    _last_id: str | None = None
    _drawer: str | None = None
    _cash_rupiah: int = 0

    def drain(self) -> list[GeneratedRecord]:
        """The records that it has sent since the last call."""
        records, self._sent = self._sent, []
        return records

    def introduce(self, at: datetime) -> None:
        """Record that the device is at the booth; its first record."""
        self.record(DeviceIntroduced, at, introduced_at=at)

    def issue(self, at: datetime, payment: PaymentKind, due_rupiah: int, **receipt: Any) -> str:
        """Record a receipt over `due_rupiah`. Returns its id."""
        open_drawer = self._open_drawer(at)
        if payment is PaymentKind.CASH:
            self._cash_rupiah += due_rupiah
            cash_rupiah = -(-due_rupiah // _NOTE_RUPIAH) * _NOTE_RUPIAH
            paid = Payment(kind=payment, given_rupiah=cash_rupiah, change_rupiah=cash_rupiah - due_rupiah)
        else:
            paid = Payment(kind=payment, reference=f"{self.rng.getrandbits(32):08x}")
        drawer = open_drawer if payment is PaymentKind.CASH else None
        return self.record(
            ReceiptIssued, at, payment=paid, drawer=drawer, price_list=self.price_list, sold_at=at, **receipt
        )

    def void(self, at: datetime, payment: PaymentKind, refund_rupiah: int, **void: Any) -> None:
        """Record that goods came back. Without enough cash in the drawer the refund is paid in another way."""
        drawer = self._open_drawer(at)
        refund = payment
        if payment is PaymentKind.CASH:
            if self._cash_rupiah < refund_rupiah:
                refund = PaymentKind.OTHER
            else:
                self._cash_rupiah -= refund_rupiah
        self.record(
            ReceiptVoided,
            at,
            refund=refund,
            refund_rupiah=refund_rupiah,
            drawer=drawer if refund is PaymentKind.CASH else None,
            voided_at=at,
            **void,
        )

    def drop(self, at: datetime) -> None:
        """Take cash to a safe place, if the drawer holds much."""
        if self._drawer is None or self._cash_rupiah < DROP_FROM_RUPIAH:
            return
        rupiah = self._cash_rupiah - FLOAT_RUPIAH
        self._cash_rupiah -= rupiah
        self.record(CashDropped, at, drawer=self._drawer, rupiah=rupiah, reason="brankas", dropped_at=at)

    def close(self, at: datetime, opening: int) -> None:
        """Count the drawer, now and then wrongly, and write the last record of this opening of the booth."""
        if self._drawer is not None:
            miscounted = self.rng.randrange(100) < MISCOUNTED_IN_HUNDRED
            error = self.rng.choice((-10_000, -2_000, 500, 5_000)) if miscounted else 0
            self.record(
                CashCounted,
                at,
                drawer=self._drawer,
                counted_rupiah=max(0, self._cash_rupiah + error),
                expected_rupiah=self._cash_rupiah,
                counted_at=at,
            )
        self.record(TillClosed, at, last_seq=self._seq + 1, opening=opening)

    def record(self, kind: Callable[..., Body], at: datetime, **fields: Any) -> str:
        """Write the device's next record, of this kind and with these fields. Returns its id."""
        self._seq += 1
        body = kind(booth=self.booth, till=self.till, device=self.id, seq=self._seq, previous=self._last_id, **fields)
        self._last_id = new_id(self.rng)
        source = f"till/{self.booth}/{self.till}"
        record = make_record(TILL, body, id=self._last_id, source=source, at=at, device=self.id)
        stream = self._sent if self.online else self.unsent
        stream.append(record)
        if self.rng.randrange(1000) < DOUBLED_IN_THOUSAND:
            stream.append(record)
        return self._last_id

    def _open_drawer(self, at: datetime) -> str:
        if self._drawer is None:
            cashier = f"K{self.rng.randint(1, 40):02}"
            self._drawer = self.record(DrawerOpened, at, cashier=cashier, float_rupiah=FLOAT_RUPIAH, opened_at=at)
            self._cash_rupiah = FLOAT_RUPIAH
        return self._drawer
