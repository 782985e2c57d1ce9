"""Compares the documents of production and sales with the expected state: each entry once, unchanged."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.chaos.expected import (
    PIECES_MADE,
    PIECES_SOLD,
    RECEIPTS,
    RUPIAH,
    SALES,
    VOIDED,
    ExpectedDevice,
    ExpectedDrawer,
    ExpectedLine,
    ExpectedReceipt,
    ExpectedReport,
    ExpectedState,
    Sums,
    reports_of,
)
from services.production.domain.entities import ReportKind, ReportOutcome
from shared.runtime.processor import Document
from shared.shown import pluralize

# The fields that the comparison reads of each collection, by service and name.
FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("production", "reports"): ("facility", "terminal", "kind", "outcome", "change"),
    ("production", "lots"): ("facility", "report", "qty"),
    ("sales", "receipts"): ("booth", "receipt", "till", "device", "sales"),
    ("sales", "booths"): ("devices", "drawers"),
}
MAX_NUMBERS = 10


@dataclass(slots=True)
class Comparison:
    """Collects the differences in sentences.

    Add the documents of each collection, in the order of `FIELDS` and any number at a time, then call `finish`.
    `mismatched`: entries that are kept with other values.
    """

    expected: ExpectedState
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    _sums: Sums = field(default_factory=Sums)
    _reports: set[str] = field(default_factory=set)
    # Accepted reports of a production, until their lot is added.
    _without_lot: set[str] = field(default_factory=set)
    _receipts: set[tuple[str, str]] = field(default_factory=set)
    _devices: set[tuple[str, str]] = field(default_factory=set)
    _drawers: set[tuple[str, str]] = field(default_factory=set)

    def add_documents(self, collection: str, documents: Iterable[Document]) -> None:
        """Compare some documents of one of the collections."""
        for document in documents:
            match collection:
                case "reports":
                    self._compare_report(document)
                case "lots":
                    self._compare_lot(document)
                case "receipts":
                    self._compare_receipt(document)
                case "booths":
                    self._compare_booth(document)
                case _:
                    raise ValueError(f"{collection} is not compared")

    def finish(self) -> None:
        """After the last document: find what is missing, and compare the sums."""
        expected = self.expected
        for id in expected.reports.keys() - self._reports:
            self.lost.append(f"production does not keep report {id} of {expected.reports[id].facility}")
        for id in self._without_lot:
            self.lost.append(f"production accepted report {id}, but keeps no lot of it")
        for booth, id in expected.receipts.keys() - self._receipts:
            self.lost.append(f"sales does not keep receipt {id} of {booth}")
        for booth, id in expected.devices.keys() - self._devices:
            self.lost.append(f"sales never received device {id} of {booth}")
        for booth, id in expected.drawers.keys() - self._drawers:
            self.lost.append(f"sales does not keep drawer {id} of {booth}")
        sums = expected.sums
        for place, quantity in sorted(sums.keys() | self._sums.keys()):
            acknowledged, stored = sums[place, quantity], self._sums[place, quantity]
            if acknowledged != stored:
                differences = self.lost if stored < acknowledged else self.doubled
                differences.append(f"{place}: {acknowledged} {quantity} were acknowledged, {stored} are kept")

    def _compare_report(self, document: Document) -> None:
        id, kind, outcome = document["_id"], ReportKind(document["kind"]), ReportOutcome(document["outcome"])
        self._sums[document["facility"], reports_of(kind)] += 1
        report = self.expected.reports.get(id)
        if report is None:
            self.doubled.append(f"production keeps report {id}, which no terminal was acknowledged for")
            return
        self._reports.add(id)
        # Production need not keep the pieces of a rejected report. Those of an accepted production are in its lot.
        elsewhere = kind is not ReportKind.CORRECTION or (
            outcome is ReportOutcome.REJECTED and document["change"] is None
        )
        pieces = report.pieces if elsewhere else document["change"]
        stored = ExpectedReport(document["facility"], document["terminal"], kind, pieces)
        if stored != report:
            self.mismatched.append(
                f"production keeps report {id} as {_described(stored)}, but {_described(report)} was acknowledged"
            )
        if kind is ReportKind.PRODUCTION:
            if outcome is ReportOutcome.ACCEPTED:
                self._without_lot.add(id)
            else:
                self._sums[report.facility, PIECES_MADE] += report.pieces

    def _compare_lot(self, document: Document) -> None:
        lot, id, qty = document["_id"], document["report"], document["qty"]
        self._sums[document["facility"], PIECES_MADE] += qty
        if id not in self._without_lot:
            self.doubled.append(f"production keeps lot {lot} of report {id}, which has another or was not accepted")
            return
        self._without_lot.remove(id)
        pieces = self.expected.reports[id].pieces
        if qty != pieces:
            self.mismatched.append(
                f"lot {lot} holds {qty} pieces, but its report {id} was acknowledged with {pieces}"
            )

    def _compare_receipt(self, document: Document) -> None:
        key = booth, id = document["booth"], document["receipt"]
        self._sums[booth, RECEIPTS] += 1
        receipt = self.expected.receipts.get(key)
        if receipt is None:
            self.doubled.append(f"sales keeps receipt {id} of {booth}, which no till was acknowledged for")
        elif key in self._receipts:
            self.doubled.append(f"sales keeps receipt {id} of {booth} twice")
        self._receipts.add(key)
        lines = tuple(
            ExpectedLine(sale["lot"], sale["product"], sale["qty"], sale["unit_price_rupiah"], sale["net_rupiah"])
            for sale in document["sales"]
        )
        stored = ExpectedReceipt(document["till"], document["device"], lines)
        if receipt is not None and stored != receipt:
            self.mismatched.append(f"sales keeps receipt {id} of {booth} as {stored}, but {receipt} was acknowledged")
        for number, sale in enumerate(document["sales"], 1):
            self._compare_sale(key, number, sale, acknowledged=receipt is not None)

    def _compare_sale(self, key: tuple[str, str], line: int, sale: Document, *, acknowledged: bool) -> None:
        booth, id = key
        qty, voided = sale["qty"], sale["voided"]
        self._sums[booth, SALES] += 1
        self._sums[booth, PIECES_SOLD] += qty
        self._sums[booth, RUPIAH] += sale["net_rupiah"]
        self._sums[booth, VOIDED] += voided
        # A part is stored as a list: lot, facility, pieces, and more.
        pieces = sum(part[2] for part in sale["parts"]) + sale["waiting"] + sale["disputed"] + sale["rejected"]
        if pieces + voided != qty:
            self.mismatched.append(
                f"line {line} of receipt {id} of {booth} has {qty} pieces, its parts {pieces + voided}"
            )
        expected = self.expected.voided(booth, id, line, qty)
        if acknowledged and voided != expected:
            self.mismatched.append(
                f"{voided} pieces of line {line} of receipt {id} of {booth} are voided, but {expected} were ordered"
            )

    def _compare_booth(self, document: Document) -> None:
        booth = document["_id"]
        for device in document["devices"]:
            self._compare_device(booth, device)
        for drawer in document["drawers"]:
            self._compare_drawer(booth, drawer)

    def _compare_device(self, booth: str, document: Document) -> None:
        key = booth, document["device"]
        self._devices.add(key)
        expected = self.expected.devices.get(key, ExpectedDevice())
        numbers = Counter(
            n for branch in document["branches"] for first, last in branch["seen"] for n in range(first, last + 1)
        )
        of_device = f"of device {document['device']} of {booth}"
        if missing := expected.numbers - numbers:
            self.lost.append(f"sales never received {_numbers(missing)} {of_device}")
        if extra := numbers - expected.numbers:
            self.doubled.append(f"sales received {_numbers(extra)} {of_device}, which was acknowledged for fewer")
        last = Counter(branch["last_seq"] for branch in document["branches"] if branch["last_seq"] is not None)
        if last != expected.last:
            self.mismatched.append(
                f"the last records {of_device} are {sorted(expected.last.elements())}, "
                f"but sales takes {sorted(last.elements())} for them"
            )

    def _compare_drawer(self, booth: str, document: Document) -> None:
        id = document["id"]
        key = booth, id
        self._drawers.add(key)
        expected = self.expected.drawers.get(key, ExpectedDrawer())
        stored = (
            document["float_rupiah"],
            document["dropped_rupiah"],
            # A taking is stored as a list: hour, kind, receipts, net rupiah, rupiah paid back.
            sum(taking[2] for taking in document["takings"]),
            sum(taking[3] for taking in document["takings"]),
            sum(taking[4] for taking in document["takings"]),
        )
        acknowledged = (
            expected.float_rupiah,
            expected.dropped_rupiah,
            expected.receipts,
            expected.taken_rupiah,
            expected.refunded_rupiah,
        )
        if stored != acknowledged:
            self.mismatched.append(
                f"sales keeps drawer {id} of {booth} as (float, dropped, receipts, taken, paid back) {stored}, "
                f"but {acknowledged} was acknowledged"
            )
        rupiah = document["counted_rupiah"]
        if (rupiah is not None or expected.counts) and rupiah not in expected.counts:
            counts = sorted(expected.counts)
            self.mismatched.append(f"drawer {id} of {booth} was counted with {rupiah}, but {counts} was acknowledged")


def _described(report: ExpectedReport) -> str:
    return f"{report.kind.value} of {report.pieces} by {report.facility} {report.terminal}"


def _numbers(numbers: Counter[int]) -> str:
    first = ", ".join(map(str, sorted(numbers.elements())[:MAX_NUMBERS]))
    count = numbers.total()
    return f"{pluralize(count, 'record')} ({first}{', …' if count > MAX_NUMBERS else ''})"
