"""What tills reported, and what the organiser ordered of receipts.

Tills are no services: their bodies are read by the published language, as their reader does.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from ops.verify.heard.words import Pair, Triple, Word
from services.sales.domain.receipt import entity_id, receipt_id
from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.envelope import EPOCH
from shared.events import lot_number
from shared.events.festival import DisputeResolved, VoidOrdered
from shared.events.language import Event
from shared.events.sales import (
    TILL,
    CashCounted,
    CashDropped,
    DrawerOpened,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    TillRecord,
    VoidRefused,
)

# Booth, receipt and line.
SaleLine: TypeAlias = tuple[str, str, int]
_KINDS = {body.__name__: body for body in TILL.bodies}


class ToldLine(NamedTuple):
    """A line of a receipt, in pieces and rupiah; `reason`: the cashier's for its price."""

    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    net_rupiah: int
    reason: str


class ToldReceipt(NamedTuple):
    """A receipt as a till told it."""

    till: str
    device: str
    seq: int
    drawer: str
    payment: PaymentKind
    discount_rupiah: int
    price_list: int
    sold_at: datetime
    lines: tuple[ToldLine, ...]


class DeviceRecord(NamedTuple):
    """Where a record stands among those of its device. `last_seq`: of its last word."""

    till: str
    device: str
    seq: int
    previous: str | None
    id: str
    last_seq: int | None


class AskedVoid(NamedTuple):
    """Pieces of one line that were to be voided; without a till the organiser asked. `event`: the id of the event
    that asked."""

    event: str
    qty: int
    till: str | None


class PaidBack(NamedTuple):
    """Where money that a till paid back came from, in which hour and which way."""

    booth: str
    drawer: str
    hour: int
    kind: PaymentKind


@dataclass(slots=True)
class DrawerTold:
    """What was told of a drawer besides receipts and voids."""

    cashier: str | None = None
    opened_at: datetime | None = None
    float_rupiah: int = 0
    dropped_rupiah: int = 0
    counted_rupiah: int | None = None
    counted_at: datetime | None = None


@dataclass(slots=True)
class TillsHeard:
    """`receipts` by the id that sales keeps them under, each as often as it was told; `records` by booth, in their
    order; `refused`: till and pieces of the voids that were refused; `refunds`: rupiah that tills paid back; `named`:
    booth, sale and lot that the organiser credited."""

    receipts: dict[str, list[ToldReceipt]] = field(default_factory=lambda: defaultdict(list))
    records: dict[str, list[DeviceRecord]] = field(default_factory=lambda: defaultdict(list))
    voids: dict[SaleLine, list[AskedVoid]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[SaleLine, Counter[tuple[str | None, int]]] = field(default_factory=lambda: defaultdict(Counter))
    refunds: Counter[PaidBack] = field(default_factory=Counter)
    drawers: dict[Pair, DrawerTold] = field(default_factory=lambda: defaultdict(DrawerTold))
    named: set[Triple] = field(default_factory=set)

    def record(self, word: Word) -> None:
        """Any record of a till."""
        body = _KINDS[word.type].model_validate_json(word.value)
        if not isinstance(body, TillRecord):
            return  # an operator's word on a stray booth
        last_seq = body.last_seq if isinstance(body, TillClosed) else None
        self.records[body.booth].append(
            DeviceRecord(body.till, body.device, body.seq, body.previous, word.id, last_seq)
        )
        match body:
            case ReceiptIssued():
                name = receipt_id(Event(word.id, word.source, body.booth, EPOCH, EPOCH, body))
                self.receipts[entity_id(body.booth, name)].append(_receipt(body))
            case ReceiptVoided():
                self._void(body, word.id)
            case DrawerOpened():
                drawer = self.drawers[body.booth, word.id]
                drawer.cashier, drawer.opened_at = body.cashier, body.opened_at
                drawer.float_rupiah = body.float_rupiah
            case CashDropped():
                self.drawers[body.booth, body.drawer].dropped_rupiah += body.rupiah
            case CashCounted():
                drawer = self.drawers[body.booth, body.drawer]
                if drawer.counted_at is None or drawer.counted_at <= body.counted_at:
                    drawer.counted_rupiah, drawer.counted_at = body.counted_rupiah, body.counted_at

    def order_void(self, word: Word) -> None:
        body = VoidOrdered.model_validate_json(word.value)
        asked = AskedVoid(word.id, body.qty, None)
        self.voids[body.booth, body.receipt, body.line].append(asked)

    def refuse_void(self, word: Word) -> None:
        body = VoidRefused.model_validate_json(word.value)
        self.refused[body.booth, body.receipt, body.line][body.till, body.qty] += 1

    def resolve(self, word: Word) -> None:
        body = DisputeResolved.model_validate_json(word.value)
        if body.lot is not None:
            number = lot_number.parse(body.lot)
            self.named.add((body.booth, body.sale, body.lot if number is None else str(number)))

    def _void(self, body: ReceiptVoided, id: str) -> None:
        hour = epoch_seconds(body.voided_at) // HOUR
        self.refunds[PaidBack(body.booth, body.drawer or body.device, hour, body.refund)] += body.refund_rupiah
        for line in body.lines:
            asked = AskedVoid(id, line.qty, body.till)
            self.voids[body.booth, body.receipt, line.line].append(asked)


def _receipt(body: ReceiptIssued) -> ToldReceipt:
    return ToldReceipt(
        body.till,
        body.device,
        body.seq,
        body.drawer or body.device,
        body.payment.kind,
        body.discount_rupiah,
        body.price_list,
        body.sold_at,
        tuple(
            ToldLine(line.lot, line.product, line.qty, line.unit_price_rupiah, net, line.price_reason)
            for line, net in zip(body.lines, body.net_rupiah, strict=True)
        ),
    )
