"""What terminals and tills say in the benches, without end, and what sales must have heard of their booths before."""

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


class Words(NamedTuple):
    """A record of a terminal or a till, and its id."""

    id: str
    body: Body


def reports() -> Iterator[Words]:
    """Good reports of all facilities in turn."""
    known = reference.load().catalogue
    makers = [(code, sorted(facility.products)[0]) for code, facility in sorted(known.facilities.items())]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for number in count():
        code, product = makers[number % len(makers)]
        body = ProductionReported(facility=code, terminal=f"{code}-1", product=product, qty=1, made_on=yesterday)
        yield Words(f"report-{number}", body)


def sales() -> Iterator[Words]:
    """Labelled sales of one piece each at all booths in turn."""
    return _receipts((_line(1, "L-1"),))


def baskets() -> Iterator[Words]:
    """Labelled pieces of several makers on one receipt, at all booths in turn."""
    return _receipts(tuple(_line(maker, f"L-{maker}") for maker in range(1, MAKERS + 1)))


def unlabelled() -> Iterator[Words]:
    """Sales of one piece each without a label at all booths in turn: whose it was is a matter of shares."""
    return _receipts((_line(1, None),))


def openings(makers: int = 1) -> Iterator[Body]:
    """Each booth opens and has more than it can sell, of so many makers."""
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


def _receipts(lines: tuple[ReceiptLine, ...]) -> Iterator[Words]:
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
        yield Words(f"{booth}-{seq}", body)


def _line(number: int, lot: str | None) -> ReceiptLine:
    return ReceiptLine(line=number, lot=lot, product="SVR", qty=1, unit_price_rupiah=PRICE)


def _booth(number: int) -> str:
    return f"H1-B{number % BOOTHS:02}"
