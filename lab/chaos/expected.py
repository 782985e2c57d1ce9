"""The expected state of production and sales, from what Kafka acknowledged and what organisers voided.

The model knows none of the services' rules: every acknowledged report and receipt must be kept once, unchanged.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from services.production.domain.entities import ReportKind
from shared.events.language import Body, Topic
from shared.events.production import LiftRecall, ProductionCorrected, ProductionReported, RecallLot, WithdrawReport
from shared.events.sales import (
    CashCounted,
    CashDropped,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    TillRecord,
)

# By facility or booth, and by what is counted there.
Sums: TypeAlias = Counter[tuple[str, str]]

PIECES_MADE = "pieces reported"
RECEIPTS = "receipts"
SALES = "sales"
PIECES_SOLD = "pieces sold"
RUPIAH = "rupiah"
VOIDED = "pieces voided"


def reports_of(kind: ReportKind) -> str:
    """The name under which reports of a kind are counted."""
    return f"{kind.value} reports"


class AcknowledgedRecord(NamedTuple):
    """A record that Kafka has acknowledged; `digest` of its body as it was sent."""

    source: str
    id: str
    topic: Topic
    digest: bytes
    body: Body


class OrderedVoid(NamedTuple):
    """Pieces of a receipt's line that an organiser voided, by a command that festival carried out."""

    booth: str
    receipt: str
    line: int
    qty: int


class ExpectedReport(NamedTuple):
    """A report. `pieces`: of a production, or the change of a correction; 0 for any
    other."""

    facility: str
    terminal: str
    kind: ReportKind
    pieces: int


class ExpectedLine(NamedTuple):
    """A line of a receipt: pieces, rupiah for one piece, and net rupiah of the line."""

    lot: str | None
    product: str
    qty: int
    price_rupiah: int
    net_rupiah: int


class ExpectedReceipt(NamedTuple):
    """A receipt."""

    till: str
    device: str
    lines: tuple[ExpectedLine, ...]


@dataclass(slots=True)
class ExpectedDevice:
    """How often a device used each number: more than once if its spool was copied. `last`: the numbers that its
    closing records name as the last."""

    numbers: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class ExpectedDrawer:
    """Rupiah of one drawer. `counts`: every counted amount; `taken` by receipts and `refunded` by voids, however they
    were paid."""

    float_rupiah: int = 0
    dropped_rupiah: int = 0
    receipts: int = 0
    taken_rupiah: int = 0
    refunded_rupiah: int = 0
    counts: set[int] = field(default_factory=set)


@dataclass(slots=True)
class ExpectedState:
    """`records`: topic and digest by ledger id. `reports` by their id, everything else by the booth and an id. Bodies
    are not kept: after half an hour there are some 200,000."""

    records: dict[str, tuple[Topic, bytes]] = field(default_factory=dict)
    reports: dict[str, ExpectedReport] = field(default_factory=dict)
    receipts: dict[tuple[str, str], ExpectedReceipt] = field(default_factory=dict)
    devices: dict[tuple[str, str], ExpectedDevice] = field(default_factory=lambda: defaultdict(ExpectedDevice))
    drawers: dict[tuple[str, str], ExpectedDrawer] = field(default_factory=lambda: defaultdict(ExpectedDrawer))
    _voids: dict[tuple[str, str, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add_record(self, record: AcknowledgedRecord) -> None:
        """Add one record, in any order. A record of two spools counts once."""
        ledger_id = f"{record.source} {record.id}"
        if ledger_id in self.records:
            return
        self.records[ledger_id] = record.topic, record.digest
        if isinstance(record.body, TillRecord):
            self._add_number(record.body)
        match record.body:
            case ProductionReported() as body:
                self._add_report(record.id, body.facility, body.terminal, ReportKind.PRODUCTION, body.qty)
            case ProductionCorrected() as body:
                self._add_report(record.id, body.facility, body.terminal, ReportKind.CORRECTION, body.change)
            case RecallLot() as body:
                self._add_report(record.id, body.facility, body.terminal, ReportKind.RECALL, 0)
            case LiftRecall() as body:
                self._add_report(record.id, body.facility, body.terminal, ReportKind.LIFT, 0)
            case WithdrawReport() as body:
                self._add_report(record.id, body.facility, body.terminal, ReportKind.WITHDRAWAL, 0)
            case ReceiptIssued() as body:
                self._add_receipt(record.id, body)
            case ReceiptVoided() as body:
                for line in body.lines:
                    self.add_void(OrderedVoid(body.booth, body.receipt, line.line, line.qty))
                if body.refund_rupiah:
                    self.drawers[body.booth, body.drawer or body.device].refunded_rupiah += body.refund_rupiah
            case DrawerOpened() as body:
                self.drawers[body.booth, record.id].float_rupiah = body.float_rupiah
            case CashDropped() as body:
                self.drawers[body.booth, body.drawer].dropped_rupiah += body.rupiah
            case CashCounted() as body:
                self.drawers[body.booth, body.drawer].counts.add(body.counted_rupiah)
            case TillRecord():
                pass
            case other:
                raise TypeError(f"neither a terminal nor a till records {type(other).__name__}")

    def add_void(self, void: OrderedVoid) -> None:
        """Add voided pieces, by a till or by an organiser."""
        self._voids[void.booth, void.receipt, void.line].append(void.qty)

    def voided(self, booth: str, receipt: str, line: int, qty: int) -> int:
        """How many of the line's `qty` pieces are voided. A void of more pieces than the line has is refused.

        The load never orders two voids that only together are too many: the result would depend on their order.
        """
        return sum(void for void in self._voids.get((booth, receipt, line), ()) if void <= qty)

    @property
    def sums(self) -> Sums:
        """The expected sums of each facility and each booth. Voids of receipts that never came do not count."""
        sums = Sums()
        for report in self.reports.values():
            sums[report.facility, reports_of(report.kind)] += 1
            if report.kind is ReportKind.PRODUCTION:
                sums[report.facility, PIECES_MADE] += report.pieces
        for (booth, id), receipt in self.receipts.items():
            sums[booth, RECEIPTS] += 1
            for number, line in enumerate(receipt.lines, 1):
                sums[booth, SALES] += 1
                sums[booth, PIECES_SOLD] += line.qty
                sums[booth, RUPIAH] += line.net_rupiah
                sums[booth, VOIDED] += self.voided(booth, id, number, line.qty)
        return sums

    def _add_report(self, id: str, facility: str, terminal: str, kind: ReportKind, pieces: int) -> None:
        self.reports[id] = ExpectedReport(facility, terminal, kind, pieces)

    def _add_receipt(self, id: str, body: ReceiptIssued) -> None:
        lines = tuple(
            ExpectedLine(line.lot, line.product, line.qty, line.unit_price_rupiah, net)
            for line, net in zip(body.lines, body.net_rupiah, strict=True)
        )
        self.receipts[body.booth, id] = ExpectedReceipt(body.till, body.device, lines)
        # Sales keeps money that is paid while no drawer is open under the device's id.
        drawer = self.drawers[body.booth, body.drawer or body.device]
        drawer.receipts += 1
        drawer.taken_rupiah += sum(line.net_rupiah for line in lines)

    def _add_number(self, body: TillRecord) -> None:
        device = self.devices[body.booth, body.device]
        device.numbers[body.seq] += 1
        if isinstance(body, TillClosed):
            device.last[body.last_seq] += 1
