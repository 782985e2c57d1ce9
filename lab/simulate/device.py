"""A till's device: it numbers its records, keeps a drawer, and sends at once or when it has a network again. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.simulate.season import Spoken, new_id, speak
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
MUCH_RUPIAH = 1_000_000
MISCOUNTED_IN_HUNDRED = 10
DOUBLED_IN_THOUSAND = 20
_NOTE_RUPIAH = 10_000


@dataclass(slots=True)
class SimulatedDevice:
    """`price_list` is the revision that it knows. `unsent` is what it recorded without a network; `doomed`: nobody
    will ever read that."""

    booth: str
    till: str
    id: str
    rng: random.Random
    online: bool = True
    doomed: bool = False
    price_list: int = 1
    unsent: list[Spoken] = field(default_factory=list)
    _spoken: list[Spoken] = field(default_factory=list)
    _seq: int = 0
    _last: str | None = None
    _drawer: str | None = None
    _cash_rupiah: int = 0

    def taken(self) -> list[Spoken]:
        """What it has sent since the last time."""
        spoken, self._spoken = self._spoken, []
        return spoken

    def introduce(self, at: datetime) -> None:
        """It is at the booth, and has recorded nothing yet."""
        self._record(DeviceIntroduced, at, introduced_at=at)

    def issue(self, at: datetime, payment: PaymentKind, due_rupiah: int, **receipt: Any) -> str:
        """Somebody pays `due_rupiah` for these goods; the receipt's id."""
        open_drawer = self._opened(at)
        if payment is PaymentKind.CASH:
            self._cash_rupiah += due_rupiah
            given = -(-due_rupiah // _NOTE_RUPIAH) * _NOTE_RUPIAH
            paid = Payment(kind=payment, given_rupiah=given, change_rupiah=given - due_rupiah)
        else:
            paid = Payment(kind=payment, reference=f"{self.rng.getrandbits(32):08x}")
        drawer = open_drawer if payment is PaymentKind.CASH else None
        return self._record(
            ReceiptIssued, at, payment=paid, drawer=drawer, price_list=self.price_list, sold_at=at, **receipt
        )

    def void(self, at: datetime, paid: PaymentKind, refund_rupiah: int, **void: Any) -> None:
        """Goods came back. The money for them is paid back as it was paid, and otherwise if too little cash is
        there."""
        drawer = self._opened(at)
        refund = paid
        if paid is PaymentKind.CASH:
            if self._cash_rupiah < refund_rupiah:
                refund = PaymentKind.OTHER
            else:
                self._cash_rupiah -= refund_rupiah
        self._record(
            ReceiptVoided,
            at,
            refund=refund,
            refund_rupiah=refund_rupiah,
            drawer=drawer if refund is PaymentKind.CASH else None,
            voided_at=at,
            **void,
        )

    def drop(self, at: datetime) -> None:
        """Money is taken to a safe place, if there is much."""
        if self._drawer is None or self._cash_rupiah < MUCH_RUPIAH:
            return
        rupiah = self._cash_rupiah - FLOAT_RUPIAH
        self._cash_rupiah -= rupiah
        self._record(CashDropped, at, drawer=self._drawer, rupiah=rupiah, reason="brankas", dropped_at=at)

    def say(self, kind: Callable[..., Body], at: datetime, **said: Any) -> None:
        """Another record of this device."""
        self._record(kind, at, **said)

    def close(self, at: datetime) -> None:
        """The drawer is counted, now and then wrongly, and the last word said."""
        if self._drawer is not None:
            miscounted = self.rng.randrange(100) < MISCOUNTED_IN_HUNDRED
            wrong = self.rng.choice((-10_000, -2_000, 500, 5_000)) if miscounted else 0
            self._record(
                CashCounted,
                at,
                drawer=self._drawer,
                counted_rupiah=max(0, self._cash_rupiah + wrong),
                expected_rupiah=self._cash_rupiah,
                counted_at=at,
            )
        self._record(TillClosed, at, last_seq=self._seq + 1)

    def _opened(self, at: datetime) -> str:
        if self._drawer is None:
            cashier = f"K{self.rng.randint(1, 40):02}"
            self._drawer = self._record(DrawerOpened, at, cashier=cashier, float_rupiah=FLOAT_RUPIAH, opened_at=at)
            self._cash_rupiah = FLOAT_RUPIAH
        return self._drawer

    def _record(self, kind: Callable[..., Body], at: datetime, **said: Any) -> str:
        self._seq += 1
        body = kind(booth=self.booth, till=self.till, device=self.id, seq=self._seq, previous=self._last, **said)
        self._last = new_id(self.rng)
        spoken = speak(TILL, body, id=self._last, source=f"till/{self.booth}/{self.till}", at=at)
        stream = self._spoken if self.online else self.unsent
        stream.append(spoken)
        if self.rng.randrange(1000) < DOUBLED_IN_THOUSAND:
            stream.append(spoken)
        return self._last
