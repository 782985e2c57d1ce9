"""Evidence from tills' records, and from the organiser's orders about receipts.

Tills are no services, so their bodies are validated by the models of the published language, as sales does.
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from ops.verify.topic_evidence.event import Pair, PublishedEvent, Triple
from services.sales.domain.forwarding import record_id
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
    DeviceForwarded,
    DrawerOpened,
    ForwardedAs,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    RecordForwarded,
    TillClosed,
    TillRecord,
    VoidRefused,
)

# Booth, receipt and line.
SaleLine: TypeAlias = tuple[str, str, int]
_TILL_MODELS = {body.__name__: body for body in TILL.bodies}


class ReportedLine(NamedTuple):
    """A line of a receipt, in pieces and rupiah; `reason`: the cashier's reason for its price."""

    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    net_rupiah: int
    reason: str


class ReportedReceipt(NamedTuple):
    """A receipt as a till reported it."""

    till: str
    device: str
    seq: int
    drawer: str
    payment: PaymentKind
    discount_rupiah: int
    price_list: int
    sold_at: datetime
    lines: tuple[ReportedLine, ...]


class DeviceRecord(NamedTuple):
    """The position of a record among its device's records. `last_seq`: the last number, if the record closes the
    till; `opening`: the opening of the booth that it then closes, None if it was forwarded: the opening at which it
    came."""

    till: str
    device: str
    seq: int
    previous: str | None
    id: str
    last_seq: int | None
    opening: int | None = 1

    def closes(self, opening: int) -> int | None:
        """The last number, if the record closes the till in this opening of the booth, or may do so."""
        return self.last_seq if self.opening is None or self.opening >= opening else None

    def closed_before(self, opening: int) -> bool:
        """Whether the record may have closed the till in an earlier opening only."""
        return opening > 1 and self.opening is None


class RequestedVoid(NamedTuple):
    """A requested void of pieces of one line; `till` None: the organiser requested it. `event`: the id of the
    requesting event."""

    event: str
    qty: int
    till: str | None


class Refund(NamedTuple):
    """The drawer, hour and payment kind of a refund by a till."""

    booth: str
    drawer: str
    hour: int
    kind: PaymentKind


@dataclass(slots=True)
class ReportedDrawer:
    """The reported state of a drawer, without receipts and voids."""

    cashier: str | None = None
    opened_at: datetime | None = None
    float_rupiah: int = 0
    dropped_rupiah: int = 0
    counted_rupiah: int | None = None
    counted_at: datetime | None = None


@dataclass(slots=True)
class TillEvidence:
    """`receipts`: all reports of a receipt by its id in sales; `records` by booth, in the order of the log;
    `refused`: till and pieces of refused voids; `refunds`: rupiah that tills paid back; `named`: booth, sale and lot
    that the organiser credited; `elsewhere`: booth and ce_id of records that count at another booth only;
    `forwarded`: by booth, the record ids (see `record_id`) of its records that were published for another booth;
    `came`: booth and device, of devices that came to the booth from another one."""

    receipts: dict[str, list[ReportedReceipt]] = field(default_factory=lambda: defaultdict(list))
    records: dict[str, list[DeviceRecord]] = field(default_factory=lambda: defaultdict(list))
    voids: dict[SaleLine, list[RequestedVoid]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[SaleLine, Counter[tuple[str | None, int]]] = field(default_factory=lambda: defaultdict(Counter))
    refunds: Counter[Refund] = field(default_factory=Counter)
    drawers: dict[Pair, ReportedDrawer] = field(default_factory=lambda: defaultdict(ReportedDrawer))
    named: set[Triple] = field(default_factory=set)
    elsewhere: set[Pair] = field(default_factory=set)
    forwarded: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    came: set[Pair] = field(default_factory=set)
    _forwarded: list[tuple[RecordForwarded | DeviceForwarded, str]] = field(default_factory=list)

    def add(self, event: PublishedEvent) -> None:
        """Take in a record of a till, or an event about receipts; other events are ignored."""
        match event.type:
            case "VoidOrdered":
                self._order_void(event)
            case "DisputeResolved":
                self._resolve(event)
            case "VoidRefused":
                self._refuse_void(event)
            case "RecordForwarded":
                self._forward(event)
            case "DeviceForwarded":
                self._forwarded.append((DeviceForwarded.model_validate_json(event.value), event.id))
            case type if type in _TILL_MODELS:
                self._record(event)

    def _record(self, event: PublishedEvent) -> None:
        body = _TILL_MODELS[event.type].model_validate_json(event.value)
        assert isinstance(body, TillRecord), "a till's topic has only their records"
        self._number(body, event.id)
        if (body.booth, event.id) not in self.elsewhere:
            self._count(body, event.id, event.source, event.id)

    def take_forwarded(self) -> None:
        """Count the forwarded records at their new booths. All of them were added, and no record of a till was."""
        for body, cause in self._forwarded:
            if isinstance(body, DeviceForwarded):
                self.came.add((body.key, body.device))
                self._forward_device(body)
                continue
            record = _TILL_MODELS[body.type].model_validate_json(body.record)
            assert isinstance(record, TillRecord), "only records of tills are forwarded"
            self.forwarded[body.booth].append(record_id(body.booth, record.device, record.seq, body.id))
            self.came.add((body.key, record.device))
            record = record.model_copy(update={"booth": body.key})
            self._number(record, body.id, forwarded=True)
            if body.effect is not ForwardedAs.NUMBER and (body.key, body.id) not in self.elsewhere:
                self._count(record, body.id, body.source, cause)
        self._forwarded.clear()

    def _forward(self, event: PublishedEvent) -> None:
        body = RecordForwarded.model_validate_json(event.value)
        self._forwarded.append((body, event.id))
        if body.effect is ForwardedAs.WHOLE:
            self.elsewhere.add((body.booth, body.id))

    def _forward_device(self, body: DeviceForwarded) -> None:
        """Count the device's records at its new booth, which may have had some of them before it had the device."""
        known_ids: dict[int, deque[str]] = defaultdict(deque)
        for record in self.records[body.key]:
            if record.device == body.device:
                known_ids[record.seq].append(record.id)
        for branch in body.branches:
            for run in branch.runs:
                previous = run.after
                for seq in range(run.first, run.last + 1):
                    # Only the last record's id is told. Another one's must not be that of any record.
                    id = run.head if seq == run.last else str(uuid5(NAMESPACE_OID, f"{body.device} {seq}"))
                    last_seq = branch.last_seq if seq == run.last == branch.last_seq else None
                    if known_ids[seq]:
                        previous = known_ids[seq].popleft()
                        continue
                    self.records[body.key].append(
                        DeviceRecord(body.till, body.device, seq, previous, id, last_seq, None)
                    )
                    previous = id

    def _number(self, body: TillRecord, id: str, *, forwarded: bool = False) -> None:
        last_seq, opening = (body.last_seq, body.opening) if isinstance(body, TillClosed) else (None, 1)
        of_opening = None if forwarded else opening
        self.records[body.booth].append(
            DeviceRecord(body.till, body.device, body.seq, body.previous, id, last_seq, of_opening)
        )

    def _count(self, body: TillRecord, id: str, source: str, cause: str) -> None:
        """Take in what the record says of its booth. `cause`: the id of the event that sales worked."""
        match body:
            case ReceiptIssued():
                name = receipt_id(Event(id, source, body.booth, EPOCH, EPOCH, body))
                self.receipts[entity_id(body.booth, name)].append(_receipt(body))
            case ReceiptVoided():
                self._void(body, cause)
            case DrawerOpened():
                drawer = self.drawers[body.booth, id]
                drawer.cashier, drawer.opened_at = body.cashier, body.opened_at
                drawer.float_rupiah = body.float_rupiah
            case CashDropped():
                self.drawers[body.booth, body.drawer].dropped_rupiah += body.rupiah
            case CashCounted():
                drawer = self.drawers[body.booth, body.drawer]
                if drawer.counted_at is None or drawer.counted_at <= body.counted_at:
                    drawer.counted_rupiah, drawer.counted_at = body.counted_rupiah, body.counted_at

    def _order_void(self, event: PublishedEvent) -> None:
        body = VoidOrdered.model_validate_json(event.value)
        requested = RequestedVoid(event.id, body.qty, None)
        self.voids[body.booth, body.receipt, body.line].append(requested)

    def _refuse_void(self, event: PublishedEvent) -> None:
        body = VoidRefused.model_validate_json(event.value)
        self.refused[body.booth, body.receipt, body.line][body.till, body.qty] += 1

    def _resolve(self, event: PublishedEvent) -> None:
        body = DisputeResolved.model_validate_json(event.value)
        if body.lot is not None:
            number = lot_number.parse(body.lot)
            self.named.add((body.booth, body.sale, body.lot if number is None else str(number)))

    def _void(self, body: ReceiptVoided, id: str) -> None:
        hour = epoch_seconds(body.voided_at) // HOUR
        self.refunds[Refund(body.booth, body.drawer or body.device, hour, body.refund)] += body.refund_rupiah
        for line in body.lines:
            requested = RequestedVoid(id, line.qty, body.till)
            self.voids[body.booth, body.receipt, line.line].append(requested)


def _receipt(body: ReceiptIssued) -> ReportedReceipt:
    return ReportedReceipt(
        body.till,
        body.device,
        body.seq,
        body.drawer or body.device,
        body.payment.kind,
        body.discount_rupiah,
        body.price_list,
        body.sold_at,
        tuple(
            ReportedLine(line.lot, line.product, line.qty, line.unit_price_rupiah, net, line.price_reason)
            for line, net in zip(body.lines, body.net_rupiah, strict=True)
        ),
    )
