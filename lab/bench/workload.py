"""Endless records of terminals and tills for the benches, and the booths' events that sales must work before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from services.production import reference
from shared.events.festival import BoothOpened, BoothStocked, Price
from shared.events.language import MAX_QTY, Body
from shared.events.production import ProductionReported
from shared.events.sales import Payment, PaymentKind, ReceiptIssued, ReceiptLine

BOOTHS = 12
MAKERS = 3
PRICE = 25_000


class WorkloadRecord(NamedTuple):
    """A record of a terminal or a till, and its id."""

    id: str
    body: Body


def reports() -> Iterator[WorkloadRecord]:
    """Valid reports of all facilities in turn."""
    catalogue = reference.load().catalogue
    makers = [(code, sorted(facility.products)[0]) for code, facility in sorted(catalogue.facilities.items())]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for number in count():
        code, product = makers[number % len(makers)]
        body = ProductionReported(facility=code, terminal=f"{code}-1", product=product, qty=1, made_on=yesterday)
        yield WorkloadRecord(f"report-{number}", body)


def sales() -> Iterator[WorkloadRecord]:
    """Labelled sales of one piece each at all booths in turn."""
    return _receipts((_line(1, "L-1"),))


def baskets() -> Iterator[WorkloadRecord]:
    """Labelled pieces of several makers on one receipt, at all booths in turn."""
    return _receipts(tuple(_line(maker, f"L-{maker}") for maker in range(1, MAKERS + 1)))


def unlabelled() -> Iterator[WorkloadRecord]:
    """Unlabelled sales of one piece each at all booths in turn; they are shared between the makers."""
    return _receipts((_line(1, None),))


def openings(makers: int = 1) -> Iterator[Body]:
    """The opening of each booth, and its stock: goods of so many makers, more than it can sell."""
    for number in range(BOOTHS):
        booth = _booth(number)
        price = Price(product="SVR", price_rupiah=PRICE)
        yield BoothOpened(booth=booth, festival="H1", name=booth, prices=(price,), tills=(f"{booth}-T1",))
        for maker in range(1, makers + 1):
            yield BoothStocked(
                booth=booth,
                festival="H1",
                lot=f"L-{maker}",
                facility=f"F-{maker}",
                product="SVR",
                made_on=datetime.now(UTC).date(),
                qty=MAX_QTY,
            )


def _receipts(lines: tuple[ReceiptLine, ...]) -> Iterator[WorkloadRecord]:
    now = datetime.now(UTC)
    for number in count():
        booth, seq = _booth(number), number // BOOTHS + 1
        body = ReceiptIssued(
            booth=booth,
            till=f"{booth}-T1",
            device=f"{booth}-D1",
            seq=seq,
            previous=f"{booth}-{seq - 1}" if seq > 1 else None,
            lines=lines,
            payment=Payment(kind=PaymentKind.QRIS),
            sold_at=now,
        )
        yield WorkloadRecord(f"{booth}-{seq}", body)


def _line(number: int, lot: str | None) -> ReceiptLine:
    return ReceiptLine(line=number, lot=lot, product="SVR", qty=1, unit_price_rupiah=PRICE)


def _booth(number: int) -> str:
    return f"H1.B{number % BOOTHS:02}"
