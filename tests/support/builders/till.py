"""What tests of the till say in few words: a booth, its stock and prices, receipts, and what sales tells of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from edge.spool import SpooledRecord
from edge.till.till import Till
from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    LotReinstated,
    LotWithdrawn,
    Price,
    PricesChanged,
)
from shared.events.language import Body, Event
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    SALES,
    DeviceHeard,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    SaleAccounted,
    VoidedLine,
    VoidRefused,
)

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 1))
OTHER = str(LotNumber("PR-KPG", "KTI", DAY, 2))
BOOTH = "ODOP.B07"
PRICE = 250_000


def an_opening(*tills: str, prices: dict[str, int] | None = None) -> BoothOpened:
    return BoothOpened(
        booth=BOOTH,
        festival="ODOP",
        name="Booth 7",
        prices=_prices({"KTI": PRICE} if prices is None else prices),
        tills=tills or ("T1",),
        zone="Asia/Makassar",
    )


def changed(revision: int, valid_from: datetime, **prices: int) -> PricesChanged:
    return PricesChanged(booth=BOOTH, revision=revision, valid_from=valid_from, prices=_prices(prices))


def a_stocking(lot: str, qty: int, *, days_old: int = 0, product: str = "KTI") -> BoothStocked:
    return BoothStocked(
        booth=BOOTH,
        festival="ODOP",
        lot=lot,
        facility="PR-KPG",
        product=product,
        made_on=DAY - timedelta(days=days_old),
        qty=qty,
    )


def closing(deadline: datetime, opening: int = 1) -> BoothClosing:
    return BoothClosing(booth=BOOTH, festival="ODOP", deadline=deadline, opening=opening)


def withdrawn(lot: str) -> LotWithdrawn:
    return LotWithdrawn(booth=BOOTH, lot=lot, reason="mouldy")


def a_device_notice(till: str, device: str) -> DeviceHeard:
    return DeviceHeard(booth=BOOTH, till=till, device=device)


def line(number: int = 1, qty: int = 1, *, lot: str | None = None, product: str = "KTI", **more: Any) -> ReceiptLine:
    more.setdefault("unit_price_rupiah", PRICE)
    return ReceiptLine(line=number, lot=lot, product=product, qty=qty, **more)


def receipt(
    *lines: ReceiptLine, kind: PaymentKind = PaymentKind.CASH, drawer: str | None = None, **more: Any
) -> ReceiptIssued:
    return ReceiptIssued(
        booth=BOOTH,
        till="T1",
        device="d1",
        seq=1,
        lines=lines or (line(),),
        payment=Payment(kind=kind),
        drawer=drawer,
        sold_at=more.pop("sold_at", NOW),
        **more,
    )


def void(
    of: str, *lines: tuple[int, int], rupiah: int = 0, refund: PaymentKind = PaymentKind.CASH, **more: Any
) -> ReceiptVoided:
    return ReceiptVoided(
        booth=BOOTH,
        till="T1",
        device="d1",
        seq=1,
        receipt=of,
        lines=tuple(VoidedLine(line=number, qty=qty) for number, qty in lines),
        refund=refund,
        refund_rupiah=rupiah,
        voided_at=more.pop("voided_at", NOW),
        **more,
    )


def a_spooled_record(id: str, body: Body, *, sent: bool = True, number: int = 1) -> SpooledRecord:
    return SpooledRecord(number, id, BOOTH, body, b"", [], NOW, acknowledged=sent)


def a_snapshot(receipt: str, number: int = 1, qty: int = 1, *, net: int | None = None, **more: Any) -> SaleAccounted:
    """A snapshot; of its pieces those that nothing else is said of were recorded (their parts are left out)."""
    return SaleAccounted(
        booth=BOOTH,
        sale=f"{receipt}/{number}",
        receipt=receipt,
        festival="ODOP",
        till="T1",
        lot=more.pop("lot", None),
        product=more.pop("product", "KTI"),
        qty=qty,
        unit_price_rupiah=PRICE,
        net_rupiah=qty * PRICE if net is None else net,
        sold_at=NOW,
        revision=more.pop("revision", 1),
        parts=(),
        **more,
    )


def void_refused(receipt: str, number: int, qty: int, left: int, till: str | None = "T1") -> VoidRefused:
    return VoidRefused(booth=BOOTH, receipt=receipt, line=number, till=till, qty=qty, left=left)


def receive(till: Till, *bodies: Body) -> None:
    """As a sync would keep them."""
    for topic in (BOOTH_STOCK, SALES):
        ours: Sequence[Body] = [body for body in bodies if type(body) in topic.bodies]
        events = [Event(repr(body), "somebody", BOOTH, NOW, NOW, body) for body in ours]
        till.spool.receive(topic, 0, [(event, getattr(event.body, "receipt", None)) for event in events], next=9)


def _prices(prices: dict[str, int]) -> tuple[Price, ...]:
    return tuple(Price(product=product, price_rupiah=rupiah) for product, rupiah in prices.items())


def reinstated(lot: str) -> LotReinstated:
    return LotReinstated(booth=BOOTH, lot=lot, reason="the wrong lot")
