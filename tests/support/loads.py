"""Something to do for each service: what must be there first, and then work without end. All quantities made up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from services.production import reference
from shared.events.festival import (
    BOOTH_STOCK,
    ORGANISER,
    AnnounceFestival,
    BoothOpened,
    BoothStocked,
    CloseFestival,
    Demand,
    OpenBooth,
    Price,
    RequestAllocation,
)
from shared.events.identity import IDENTITY_COMMANDS, GrantRole, OpenAccount, Role, WithdrawRole
from shared.events.inventory import INVENTORY, STOCK_ORDERS, ReleaseRequested, ReservationRequested, StockChanged
from shared.events.production import (
    ANSWERS,
    PRODUCTION,
    TERMINAL,
    CorrectionRequested,
    LotRecorded,
    ProductionReported,
    ReportAccepted,
)
from shared.events.sales import (
    SALES,
    TILL,
    DeviceHeard,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    VoidedLine,
)
from tests.support.probe import Probe, ProbeRecord

MADE_ON = date(2026, 4, 1)
SOLD_AT = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)
LOTS = 30
KEYS = 9  # festivals or booths: some on every lane


async def send_at_once(probe: Probe, records: Iterable[ProbeRecord]) -> None:
    """Send these events all at once."""
    await asyncio.gather(*(probe.send(record.topic, record.body, id=record.id) for record in records))


def before(service: str) -> list[ProbeRecord]:
    """What the work of `after` stands on."""
    return list(_BEFORE[service]())


def after(service: str) -> Iterator[ProbeRecord]:
    """Work without end; every seventh is said twice."""
    for number, record in enumerate(_AFTER[service]()):
        yield record
        if number % 7 == 0:
            yield record


def _lots() -> Iterator[ProbeRecord]:
    for n in range(LOTS):
        body = LotRecorded(lot=f"L{n}", facility="LP-KPG", product="KTI", category="tenun", qty=900, made_on=MADE_ON)
        yield ProbeRecord(PRODUCTION, body, f"lot-{n}")


def _orders() -> Iterator[ProbeRecord]:
    for n in count():
        lot, reservation = f"L{n % LOTS}", f"r{n}"
        order = ReservationRequested(
            lot=lot, reservation=reservation, festival="F1", booth="F1.B1", request="F1/q", qty=3
        )
        yield ProbeRecord(STOCK_ORDERS, order, f"reserve-{n}")
        if n % 3 == 0:
            yield ProbeRecord(
                STOCK_ORDERS, ReleaseRequested(lot=lot, reservation=reservation, festival="F1"), f"release-{n}"
            )
        if n % 5 == 0:
            change = CorrectionRequested(lot=lot, facility="LP-KPG", correction=f"c{n}", change=1)
            yield ProbeRecord(PRODUCTION, change, f"correction-{n}")


def _nothing() -> Iterator[ProbeRecord]:
    return iter(())


def _reports() -> Iterator[ProbeRecord]:
    facilities = sorted(reference.load().catalogue.facilities.values(), key=lambda facility: facility.code)
    for n in count():
        facility = facilities[n % len(facilities)]
        body = ProductionReported(
            facility=facility.code,
            terminal=f"{facility.code}.T1",
            product="XXX" if n % 11 == 0 else min(facility.products),
            qty=1 + n % 9,
            made_on=date(2023, 4, 1 + n % 17),
            maker="p.MADEUP",
        )
        yield ProbeRecord(TERMINAL, body, f"report-{n}")


def _festivals() -> Iterator[ProbeRecord]:
    for n in range(LOTS):
        yield ProbeRecord(INVENTORY, _balance(f"L{n}"), f"stock-{n}")
    for n in range(KEYS):
        announced = AnnounceFestival(
            festival=f"F{n}",
            name="Festival",
            place="Kupang",
            zone="Asia/Makassar",
            first_day=date(2026, 4, 18),
            last_day=date(2026, 4, 20),
            confirmed=True,
        )
        yield ProbeRecord(ORGANISER, announced, f"announce-{n}")
        prices = (Price(product="KTI", price_rupiah=10_000),)
        booth = OpenBooth(festival=f"F{n}", booth=f"F{n}.B1", name="Booth", prices=prices, tills=(f"F{n}.T1",))
        yield ProbeRecord(ORGANISER, booth, f"open-{n}")


def _requests() -> Iterator[ProbeRecord]:
    """Each is planned by the stock view, and its reservations' deadline has come at once."""
    for n in count():
        festival = f"F{n % KEYS}"
        demand = Demand(booth=f"{festival}.B1", product="KTI", qty=1 + n % 20)
        request = RequestAllocation(
            festival=festival, request=f"R{n}", demands=(demand,), consent=n % 4 != 0, hold_hours=0
        )
        yield ProbeRecord(ORGANISER, request, f"request-{n}")
        if n % 50 == 49:
            yield ProbeRecord(ORGANISER, CloseFestival(festival=f"F{n % KEYS}X", till_hours=0), f"close-{n}")


def _balance(lot: str) -> StockChanged:
    return StockChanged(
        lot=lot,
        revision=1,
        facility=f"LP-{int(lot[1:]) % 4}",
        product="KTI",
        category="tenun",
        made_on=MADE_ON,
        best_before=None,
        recalled=False,
        recorded=500,
        corrected=0,
        on_hand=500,
        reserved=0,
        dispatched=0,
        returned=0,
        written_off=0,
    )


def _booths() -> Iterator[ProbeRecord]:
    for n in range(KEYS):
        prices = (Price(product="KTI", price_rupiah=10_000),)
        opened = BoothOpened(booth=f"F.B{n}", festival="F", name="Booth", prices=prices, tills=(f"F.B{n}.T1",))
        yield ProbeRecord(BOOTH_STOCK, opened, f"opened-{n}")
        for lot in range(3):
            stocked = BoothStocked(
                booth=f"F.B{n}",
                festival="F",
                lot=f"L{n}-{lot}",
                facility=f"LP-{lot}",
                product="KTI",
                made_on=MADE_ON,
                qty=400,
            )
            yield ProbeRecord(BOOTH_STOCK, stocked, f"stocked-{n}-{lot}")


def _sales() -> Iterator[ProbeRecord]:
    """Receipts of one to three lines, every fifth piece without a label; now and then some of one come back."""
    records: dict[str, list[str]] = defaultdict(list)
    for n in count():
        booth = f"F.B{n % KEYS}"
        lines = tuple(
            ReceiptLine(
                line=line,
                lot=f"L{n % KEYS}-{(n + line) % 3}" if (n + line) % 5 else None,
                product="KTI",
                qty=1 + n % 3,
                unit_price_rupiah=10_000,
            )
            for line in range(1, 2 + n % 3)
        )
        receipt = ReceiptIssued(
            **_place(booth, records[booth], f"sale-{n}"),
            lines=lines,
            discount_rupiah=n % 4,
            payment=Payment(kind=PaymentKind.CASH),
            sold_at=SOLD_AT,
        )
        yield ProbeRecord(TILL, receipt, f"sale-{n}")
        if n % 6 == 0:
            void = ReceiptVoided(
                **_place(booth, records[booth], f"void-{n}"),
                receipt=f"sale-{n}",
                lines=(VoidedLine(line=1, qty=1),),
                refund_rupiah=10_000,
                voided_at=SOLD_AT,
            )
            yield ProbeRecord(TILL, void, f"void-{n}")


def _place(booth: str, records: list[str], id: str) -> dict[str, Any]:
    """Where the booth's next record, of this id, stands on its device."""
    before = records[-1] if records else None
    records.append(id)
    return {"booth": booth, "till": f"{booth}.T1", "device": f"{booth}.D1", "seq": len(records), "previous": before}


def _accounts() -> Iterator[ProbeRecord]:
    for n in range(KEYS):
        yield ProbeRecord(IDENTITY_COMMANDS, OpenAccount(subject=_subject(n), credential=f"c-{n}"), f"account-{n}")


def _grants() -> Iterator[ProbeRecord]:
    """Each account gets a role and loses it again."""
    for n in count():
        body = WithdrawRole if n // KEYS % 2 else GrantRole
        yield ProbeRecord(IDENTITY_COMMANDS, body(subject=_subject(n), role=Role.AUDITOR), f"role-{n}")


def _subject(n: int) -> str:
    return f"s-{'abcdefghi'[n % KEYS] * 16}"


def _news() -> Iterator[ProbeRecord]:
    for n in count():
        answer = ReportAccepted(facility=f"LP-{n % KEYS}", terminal="T1", report=f"report-{n}", lot=f"L{n}")
        yield ProbeRecord(ANSWERS, answer, f"answer-{n}")
        if n % 3 == 0:
            yield ProbeRecord(
                SALES, DeviceHeard(booth=f"F.B{n // 3 % KEYS}", till="T1", device=f"D{n}"), f"heard-{n}"
            )


_BEFORE = {
    "inventory": _lots,
    "production": _nothing,
    "festival": _festivals,
    "sales": _booths,
    "identity": _accounts,
    "gateway": _nothing,
}
_AFTER = {
    "inventory": _orders,
    "production": _reports,
    "festival": _requests,
    "sales": _sales,
    "identity": _grants,
    "gateway": _news,
}
