"""A model of what terminals and tills were acknowledged for, and organisers were done for: folded in memory.

It knows none of the services' rules: whatever became of a report or a receipt, it must be kept once, as it was told.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from services.production.domain.entities import ReportKind
from shared.events.language import Body, Topic
from shared.events.production import ProductionCorrected, ProductionReported, RecallLot
from shared.events.sales import (
    CashCounted,
    CashDropped,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    TillRecord,
)

# A facility or a booth, and what is counted there.
Sums: TypeAlias = Counter[tuple[str, str]]

PIECES_MADE = "pieces reported"
RECEIPTS = "receipts"
SALES = "sales"
PIECES_SOLD = "pieces sold"
RUPIAH = "rupiah"
VOIDED = "pieces voided"


def reports_of(kind: ReportKind) -> str:
    """What the reports of a kind are counted as."""
    return f"{kind.value} reports"


class Acknowledged(NamedTuple):
    """A record that Kafka has acknowledged; `digest` of its body as it was sent."""

    source: str
    id: str
    topic: Topic
    digest: bytes
    body: Body


class OrderedVoid(NamedTuple):
    """Pieces of a receipt's line that an organiser voided, and festival had it done."""

    booth: str
    receipt: str
    line: int
    qty: int


class Made(NamedTuple):
    """A report. `pieces` of a production, or by how many a correction changes its lot; none are in a recall."""

    facility: str
    terminal: str
    kind: ReportKind
    pieces: int


class SoldLine(NamedTuple):
    """A line of a receipt: pieces, rupiah for one of them and for all of them in the end."""

    lot: str | None
    product: str
    qty: int
    price_rupiah: int
    net_rupiah: int


class Issued(NamedTuple):
    """A receipt."""

    till: str
    device: str
    lines: tuple[SoldLine, ...]


@dataclass(slots=True)
class ExpectedDevice:
    """How often a device used each number: more than once if there are two of it. `last`: of its last words."""

    numbers: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class ExpectedDrawer:
    """Rupiah. `counts`: all that were said; `taken` by receipts and `refunded` by voids, in any way."""

    float_rupiah: int = 0
    dropped_rupiah: int = 0
    receipts: int = 0
    taken_rupiah: int = 0
    refunded_rupiah: int = 0
    counts: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Told:
    """`records`: topic and digest by ledger id. `reports` by their id, all else by the booth and an id. Bodies are
    let go: after half an hour there are some 200,000."""

    records: dict[str, tuple[Topic, bytes]] = field(default_factory=dict)
    reports: dict[str, Made] = field(default_factory=dict)
    receipts: dict[tuple[str, str], Issued] = field(default_factory=dict)
    devices: dict[tuple[str, str], ExpectedDevice] = field(default_factory=lambda: defaultdict(ExpectedDevice))
    drawers: dict[tuple[str, str], ExpectedDrawer] = field(default_factory=lambda: defaultdict(ExpectedDrawer))
    _voids: dict[tuple[str, str, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, said: Acknowledged) -> None:
        """One record; in whatever order they come, the same is known in the end. Two spools may have the same one."""
        id = f"{said.source} {said.id}"
        if id in self.records:
            return
        self.records[id] = said.topic, said.digest
        if isinstance(said.body, TillRecord):
            self._number(said.body)
        match said.body:
            case ProductionReported() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.PRODUCTION, body.qty)
            case ProductionCorrected() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.CORRECTION, body.change)
            case RecallLot() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.RECALL, 0)
            case ReceiptIssued() as body:
                self._issued(said.id, body)
            case ReceiptVoided() as body:
                for line in body.lines:
                    self.order(OrderedVoid(body.booth, body.receipt, line.line, line.qty))
                if body.refund_rupiah:
                    self.drawers[body.booth, body.drawer or body.device].refunded_rupiah += body.refund_rupiah
            case DrawerOpened() as body:
                self.drawers[body.booth, said.id].float_rupiah = body.float_rupiah
            case CashDropped() as body:
                self.drawers[body.booth, body.drawer].dropped_rupiah += body.rupiah
            case CashCounted() as body:
                self.drawers[body.booth, body.drawer].counts.add(body.counted_rupiah)
            case TillRecord():
                pass
            case other:
                raise TypeError(f"neither a terminal nor a till says {type(other).__name__}")

    def order(self, void: OrderedVoid) -> None:
        """Pieces that did not stand, by a till or by an organiser."""
        self._voids[void.booth, void.receipt, void.line].append(void.qty)

    def voided(self, booth: str, receipt: str, line: int, qty: int) -> int:
        """How many of the line's pieces do not stand. A void of more than it has is refused as a whole. The load
        never says two voids that only together are too many: their order would decide."""
        return sum(void for void in self._voids.get((booth, receipt, line), ()) if void <= qty)

    @property
    def sums(self) -> Sums:
        """What was told of each facility and each booth. What nobody told of can't be voided."""
        sums = Sums()
        for made in self.reports.values():
            sums[made.facility, reports_of(made.kind)] += 1
            if made.kind is ReportKind.PRODUCTION:
                sums[made.facility, PIECES_MADE] += made.pieces
        for (booth, receipt), issued in self.receipts.items():
            sums[booth, RECEIPTS] += 1
            for number, line in enumerate(issued.lines, 1):
                sums[booth, SALES] += 1
                sums[booth, PIECES_SOLD] += line.qty
                sums[booth, RUPIAH] += line.net_rupiah
                sums[booth, VOIDED] += self.voided(booth, receipt, number, line.qty)
        return sums

    def _issued(self, id: str, body: ReceiptIssued) -> None:
        lines = tuple(
            SoldLine(line.lot, line.product, line.qty, line.unit_price_rupiah, net)
            for line, net in zip(body.lines, body.net_rupiah, strict=True)
        )
        self.receipts[body.booth, id] = Issued(body.till, body.device, lines)
        # What is paid while no drawer is open is kept under the device's name.
        drawer = self.drawers[body.booth, body.drawer or body.device]
        drawer.receipts += 1
        drawer.taken_rupiah += sum(line.net_rupiah for line in lines)

    def _number(self, body: TillRecord) -> None:
        device = self.devices[body.booth, body.device]
        device.numbers[body.seq] += 1
        if isinstance(body, TillClosed):
            device.last[body.last_seq] += 1
