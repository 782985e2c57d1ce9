"""What production and sales keep against what terminals and tills were acknowledged for: each of it once, as it was
told, and nothing besides."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from deploy.chaos.told import PIECES_MADE, PIECES_SOLD, SALES, VOIDED, Made, Sums, Till, Told, reports_of
from services.production.domain.entities import Outcome, ReportKind
from services.sales.domain.sale import SaleStatus
from shared.console import counted
from shared.family import Document

# What the comparison reads of each collection, by service and name.
READ: dict[tuple[str, str], tuple[str, ...]] = {
    ("production", "reports"): ("facility", "terminal", "kind", "outcome", "change"),
    ("production", "lots"): ("facility", "report", "qty"),
    ("sales", "sales"): ("booth", "sale", "till", "qty", "unit_price_rupiah", "status"),
    ("sales", "booths"): ("heard",),
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
    _sales: set[tuple[str, str]] = field(default_factory=set)
    _tills: set[tuple[str, str]] = field(default_factory=set)

    def look(self, collection: str, documents: Iterable[Document]) -> None:
        """Some documents of one of the collections."""
        looking = {"reports": self._report, "lots": self._lot, "sales": self._sale, "booths": self._booth}[collection]
        for document in documents:
            looking(document)

    def close(self) -> None:
        """Every document was looked at: what is missing, and whether the sums agree."""
        told = self.told
        for id in told.reports.keys() - self._reports:
            self.lost.append(f"production does not keep report {id} of {told.reports[id].facility}")
        for id in self._without_lot:
            self.lost.append(f"production accepted report {id}, but keeps no lot of it")
        for booth, id in told.sales.keys() - self._sales:
            self.lost.append(f"sales does not keep sale {id} of {booth}")
        for booth, name in told.tills.keys() - self._tills:
            self.lost.append(f"sales never heard till {name} of {booth}")
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

    def _sale(self, document: Document) -> None:
        pair = booth, id = document["booth"], document["sale"]
        status = SaleStatus(document["status"])
        self._sums[booth, SALES] += 1
        self._sums[booth, PIECES_SOLD] += document["qty"]
        self._sums[booth, VOIDED] += status is SaleStatus.VOIDED
        sold = self.told.sales.get(pair)
        if sold is None:
            self.doubled.append(f"sales keeps sale {id} of {booth}, which no till was acknowledged for")
            return
        if pair in self._sales:
            self.doubled.append(f"sales keeps sale {id} of {booth} twice")
        self._sales.add(pair)
        kept = (document["till"], document["qty"], document["unit_price_rupiah"])
        if kept != sold:
            self.torn.append(
                f"sales keeps sale {id} of {booth} as (till, pieces, price) {kept}, but {tuple(sold)} was told"
            )
        if (pair in self.told.voided) != (status is SaleStatus.VOIDED):
            said = "was voided" if pair in self.told.voided else "was not voided"
            self.torn.append(f"sale {id} of {booth} {said} by a till, but is {status.value}")

    def _booth(self, document: Document) -> None:
        booth = document["_id"]
        for heard in document["heard"]:
            pair = booth, heard["till"]
            self._tills.add(pair)
            told = self.told.tills.get(pair, Till())
            numbers = {n for first, last in heard["seen"] for n in range(first, last + 1)}
            where = f"of till {heard['till']} of {booth}"
            if missing := told.numbers - numbers:
                self.lost.append(f"sales never heard {_numbers(missing)} {where}")
            if more := numbers - told.numbers:
                self.doubled.append(f"sales heard {_numbers(more)} {where}, which was acknowledged for fewer")
            if heard["last_seq"] != told.last:
                self.torn.append(
                    f"the last record {where} is {told.last}, but sales takes {heard['last_seq']} for it"
                )


def _words(made: Made) -> str:
    return f"{made.kind.value} of {made.pieces} by {made.facility} {made.terminal}"


def _numbers(numbers: set[int]) -> str:
    first = ", ".join(map(str, sorted(numbers)[:SHOWN]))
    return f"{counted(len(numbers), 'record')} ({first}{', …' if len(numbers) > SHOWN else ''})"
