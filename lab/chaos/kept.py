"""What production and sales keep against what terminals and tills were acknowledged for: each of it once, as it was
told, and nothing besides."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.chaos.told import (
    PIECES_MADE,
    PIECES_SOLD,
    RECEIPTS,
    RUPIAH,
    SALES,
    VOIDED,
    ExpectedDevice,
    ExpectedDrawer,
    Issued,
    Made,
    SoldLine,
    Sums,
    Told,
    reports_of,
)
from services.production.domain.entities import Outcome, ReportKind
from shared.runtime.processor import Document
from shared.shown import pluralize

# What the comparison reads of each collection, by service and name.
READ: dict[tuple[str, str], tuple[str, ...]] = {
    ("production", "reports"): ("facility", "terminal", "kind", "outcome", "change"),
    ("production", "lots"): ("facility", "report", "qty"),
    ("sales", "receipts"): ("booth", "receipt", "till", "device", "sales"),
    ("sales", "booths"): ("devices", "drawers"),
}
SHOWN = 10


@dataclass(slots=True)
class Kept:
    """Gathers what differs: give it the documents of each collection, in the order of `READ` and as many at a time as
    you like, then `close` it."""

    told: Told
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    _sums: Sums = field(default_factory=Sums)
    _reports: set[str] = field(default_factory=set)
    # Accepted reports of a production, until their lot is seen.
    _without_lot: set[str] = field(default_factory=set)
    _receipts: set[tuple[str, str]] = field(default_factory=set)
    _devices: set[tuple[str, str]] = field(default_factory=set)
    _drawers: set[tuple[str, str]] = field(default_factory=set)

    def look(self, collection: str, documents: Iterable[Document]) -> None:
        """Some documents of one of the collections."""
        looking = {"reports": self._report, "lots": self._lot, "receipts": self._receipt, "booths": self._booth}
        for document in documents:
            looking[collection](document)

    def close(self) -> None:
        """Every document was looked at: what is missing, and whether the sums agree."""
        told = self.told
        for id in told.reports.keys() - self._reports:
            self.lost.append(f"production does not keep report {id} of {told.reports[id].facility}")
        for id in self._without_lot:
            self.lost.append(f"production accepted report {id}, but keeps no lot of it")
        for booth, id in told.receipts.keys() - self._receipts:
            self.lost.append(f"sales does not keep receipt {id} of {booth}")
        for booth, id in told.devices.keys() - self._devices:
            self.lost.append(f"sales never heard device {id} of {booth}")
        for booth, id in told.drawers.keys() - self._drawers:
            self.lost.append(f"sales does not keep drawer {id} of {booth}")
        sums = told.sums
        for place, what in sorted(sums.keys() | self._sums.keys()):
            said, kept = sums[place, what], self._sums[place, what]
            if said != kept:
                found = self.lost if kept < said else self.doubled
                found.append(f"{place}: {said} {what} were acknowledged, {kept} are kept")

    def _report(self, document: Document) -> None:
        id, kind, outcome = document["_id"], ReportKind(document["kind"]), Outcome(document["outcome"])
        self._sums[document["facility"], reports_of(kind)] += 1
        made = self.told.reports.get(id)
        if made is None:
            self.doubled.append(f"production keeps report {id}, which no terminal was acknowledged for")
            return
        self._reports.add(id)
        # Of a refused report the pieces need not be kept, and those of an accepted production are its lot's.
        elsewhere = kind is not ReportKind.CORRECTION or (outcome is Outcome.REJECTED and document["change"] is None)
        pieces = made.pieces if elsewhere else document["change"]
        kept = Made(document["facility"], document["terminal"], kind, pieces)
        if kept != made:
            self.torn.append(f"production keeps report {id} as {_words(kept)}, but {_words(made)} was acknowledged")
        if kind is ReportKind.PRODUCTION:
            if outcome is Outcome.ACCEPTED:
                self._without_lot.add(id)
            else:
                self._sums[made.facility, PIECES_MADE] += made.pieces

    def _lot(self, document: Document) -> None:
        lot, id, qty = document["_id"], document["report"], document["qty"]
        self._sums[document["facility"], PIECES_MADE] += qty
        if id not in self._without_lot:
            self.doubled.append(f"production keeps lot {lot} of report {id}, which has another or was not accepted")
            return
        self._without_lot.remove(id)
        pieces = self.told.reports[id].pieces
        if qty != pieces:
            self.torn.append(f"lot {lot} holds {qty} pieces, but its report {id} was acknowledged with {pieces}")

    def _receipt(self, document: Document) -> None:
        pair = booth, id = document["booth"], document["receipt"]
        self._sums[booth, RECEIPTS] += 1
        issued = self.told.receipts.get(pair)
        if issued is None:
            self.doubled.append(f"sales keeps receipt {id} of {booth}, which no till was acknowledged for")
        elif pair in self._receipts:
            self.doubled.append(f"sales keeps receipt {id} of {booth} twice")
        self._receipts.add(pair)
        lines = tuple(
            SoldLine(sale["lot"], sale["product"], sale["qty"], sale["unit_price_rupiah"], sale["net_rupiah"])
            for sale in document["sales"]
        )
        kept = Issued(document["till"], document["device"], lines)
        if issued is not None and kept != issued:
            self.torn.append(f"sales keeps receipt {id} of {booth} as {kept}, but {issued} was told")
        for number, sale in enumerate(document["sales"], 1):
            self._sale(pair, number, sale, issued)

    def _sale(self, receipt: tuple[str, str], line: int, sale: Document, issued: Issued | None) -> None:
        booth, id = receipt
        qty, voided = sale["qty"], sale["voided"]
        self._sums[booth, SALES] += 1
        self._sums[booth, PIECES_SOLD] += qty
        self._sums[booth, RUPIAH] += sale["net_rupiah"]
        self._sums[booth, VOIDED] += voided
        # Of a part: lot, facility, pieces, and more.
        pieces = sum(part[2] for part in sale["parts"]) + sale["waiting"] + sale["disputed"] + sale["rejected"]
        if pieces + voided != qty:
            self.torn.append(f"line {line} of receipt {id} of {booth} has {qty} pieces, its parts {pieces + voided}")
        told = self.told.voided(booth, id, line, qty)
        if issued is not None and voided != told:
            self.torn.append(
                f"{voided} pieces of line {line} of receipt {id} of {booth} are voided, but {told} were told"
            )

    def _booth(self, document: Document) -> None:
        booth = document["_id"]
        for device in document["devices"]:
            self._device(booth, device)
        for drawer in document["drawers"]:
            self._drawer(booth, drawer)

    def _device(self, booth: str, document: Document) -> None:
        pair = booth, document["device"]
        self._devices.add(pair)
        told = self.told.devices.get(pair, ExpectedDevice())
        numbers = Counter(
            n for branch in document["branches"] for first, last in branch["seen"] for n in range(first, last + 1)
        )
        where = f"of device {document['device']} of {booth}"
        if missing := told.numbers - numbers:
            self.lost.append(f"sales never heard {_numbers(missing)} {where}")
        if more := numbers - told.numbers:
            self.doubled.append(f"sales heard {_numbers(more)} {where}, which was acknowledged for fewer")
        last = Counter(branch["last_seq"] for branch in document["branches"] if branch["last_seq"] is not None)
        if last != told.last:
            self.torn.append(
                f"the last records {where} are {sorted(told.last.elements())}, "
                f"but sales takes {sorted(last.elements())} for them"
            )

    def _drawer(self, booth: str, document: Document) -> None:
        id = document["id"]
        pair = booth, id
        self._drawers.add(pair)
        told = self.told.drawers.get(pair, ExpectedDrawer())
        kept = (
            document["float_rupiah"],
            document["dropped_rupiah"],
            # Of a taking: hour, kind, receipts, net rupiah, rupiah paid back.
            sum(taking[2] for taking in document["takings"]),
            sum(taking[3] for taking in document["takings"]),
            sum(taking[4] for taking in document["takings"]),
        )
        said = (
            told.float_rupiah,
            told.dropped_rupiah,
            told.receipts,
            told.taken_rupiah,
            told.refunded_rupiah,
        )
        if kept != said:
            self.torn.append(
                f"sales keeps drawer {id} of {booth} as (float, dropped, receipts, taken, paid back) {kept}, "
                f"but {said} was told"
            )
        counted = document["counted_rupiah"]
        if (counted is not None or told.counts) and counted not in told.counts:
            self.torn.append(f"drawer {id} of {booth} was counted with {counted}, but {sorted(told.counts)} was told")


def _words(made: Made) -> str:
    return f"{made.kind.value} of {made.pieces} by {made.facility} {made.terminal}"


def _numbers(numbers: Counter[int]) -> str:
    first = ", ".join(map(str, sorted(numbers.elements())[:SHOWN]))
    count = numbers.total()
    return f"{pluralize(count, 'record')} ({first}{', …' if count > SHOWN else ''})"
