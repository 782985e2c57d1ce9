"""A model of what terminals and tills were acknowledged for: all that they said, folded in memory.

It knows none of the services' rules: whatever became of a report or a sale, it must be kept once, as it was told.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from services.production.domain.entities import ReportKind
from shared.events.language import Body, Topic
from shared.events.production import ProductionCorrected, ProductionReported, RecallLot
from shared.events.sales import BoothCounted, SaleReported, SaleVoided, TillClosed

# A facility or a booth, and what is counted there.
Sums: TypeAlias = Counter[tuple[str, str]]

PIECES_MADE = "pieces reported"
SALES = "sales"
PIECES_SOLD = "pieces sold"
VOIDED = "sales voided"


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


class Made(NamedTuple):
    """A report. `pieces` of a production, or by how many a correction changes its lot; none are in a recall."""

    facility: str
    terminal: str
    kind: ReportKind
    pieces: int


class Sold(NamedTuple):
    """A sale."""

    till: str
    qty: int
    price_rupiah: int


@dataclass(slots=True)
class Till:
    """The numbers that a till gave its records, and the last of all by its own last word."""

    numbers: set[int] = field(default_factory=set)
    last: int | None = None


@dataclass(slots=True)
class Told:
    """`records`: topic and digest by ledger id. `reports` by their id, all else by the booth and an id or a till's
    name. Bodies are let go: after half an hour there are some 200,000."""

    records: dict[str, tuple[Topic, bytes]] = field(default_factory=dict)
    reports: dict[str, Made] = field(default_factory=dict)
    sales: dict[tuple[str, str], Sold] = field(default_factory=dict)
    voided: set[tuple[str, str]] = field(default_factory=set)
    tills: dict[tuple[str, str], Till] = field(default_factory=lambda: defaultdict(Till))

    def hear(self, said: Acknowledged) -> None:
        """One record; in whatever order they come, the same is known in the end."""
        self.records[f"{said.source} {said.id}"] = said.topic, said.digest
        match said.body:
            case ProductionReported() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.PRODUCTION, body.qty)
            case ProductionCorrected() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.CORRECTION, body.change)
            case RecallLot() as body:
                self.reports[said.id] = Made(body.facility, body.terminal, ReportKind.RECALL, 0)
            case SaleReported() as body:
                self._number(body.booth, body.till, body.seq)
                self.sales[body.booth, said.id] = Sold(body.till, body.qty, body.unit_price_rupiah)
            case SaleVoided() as body:
                self._number(body.booth, body.till, body.seq)
                self.voided.add((body.booth, body.sale))
            case BoothCounted() as body:
                self._number(body.booth, body.till, body.seq)
            case TillClosed() as body:
                till = self._number(body.booth, body.till, body.seq)
                till.last = max(till.last or 0, body.last_seq)
            case other:
                raise TypeError(f"neither a terminal nor a till says {type(other).__name__}")

    @property
    def sums(self) -> Sums:
        """What was told of each facility and each booth. A sale that was voided twice is one, and one that nobody
        told of can't be voided."""
        sums = Sums()
        for made in self.reports.values():
            sums[made.facility, reports_of(made.kind)] += 1
            if made.kind is ReportKind.PRODUCTION:
                sums[made.facility, PIECES_MADE] += made.pieces
        for (booth, _), sold in self.sales.items():
            sums[booth, SALES] += 1
            sums[booth, PIECES_SOLD] += sold.qty
        for booth, _ in self.voided & self.sales.keys():
            sums[booth, VOIDED] += 1
        return sums

    def _number(self, booth: str, till: str, seq: int) -> Till:
        heard = self.tills[booth, till]
        heard.numbers.add(seq)
        return heard
