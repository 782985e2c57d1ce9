"""A receipt as a till issued it. Each line is a sale, and each sale records the lots of its pieces."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import NAMESPACE_URL, uuid5

from shared.events.amounts import value
from shared.events.language import Event
from shared.events.sales import PartBasis, PaymentKind
from shared.runtime.state import KeyRange, OwnedQuery

# A sale's id is the receipt's id, a slash and the line. Both together must fit into an `Id` of the published events.
RECEIPT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class SaleStatus(StrEnum):
    """The state of a sale in one word: the first of these that applies to at least one of its pieces."""

    WAITING = "waiting"
    DISPUTED = "disputed"
    RECORDED = "recorded"
    REJECTED = "rejected"
    VOIDED = "voided"
    FORWARDED = "forwarded"


@dataclass(frozen=True, slots=True)
class Part:
    """`qty` pieces of a sale that came from one lot."""

    lot: str
    facility: str
    qty: int
    basis: PartBasis
    recalled: bool = False


# Parts of a sale with their rupiah.
PartAmounts: TypeAlias = list[tuple[Part, int]]


@dataclass(frozen=True, slots=True)
class Sale:
    """One line of a receipt, in pieces: `qty` = the parts + waiting + disputed + rejected + voided + forwarded.

    `forwarded` pieces count at another booth. `lot` is the lot on the label. `revision`: the number of published
    snapshots.
    """

    line: int
    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    net_rupiah: int
    price_reason: str = ""
    parts: tuple[Part, ...] = ()
    waiting: int = 0
    disputed: int = 0
    rejected: int = 0
    voided: int = 0
    forwarded: int = 0
    revision: int = 0

    @property
    def recorded(self) -> int:
        """Pieces whose lot is known."""
        return sum(part.qty for part in self.parts)

    @property
    def in_doubt(self) -> int:
        """Pieces that wait for stock or for a decision."""
        return self.waiting + self.disputed

    @property
    def status(self) -> SaleStatus:
        if self.waiting:
            return SaleStatus.WAITING
        if self.disputed:
            return SaleStatus.DISPUTED
        if self.parts:
            return SaleStatus.RECORDED
        if self.rejected:
            return SaleStatus.REJECTED
        return SaleStatus.FORWARDED if self.forwarded else SaleStatus.VOIDED

    @property
    def part_amounts(self) -> PartAmounts:
        """Each part with its rupiah, by cumulative rounding. Their sum is the value of the recorded pieces."""
        amounts: list[tuple[Part, int]] = []
        pieces = below = 0
        for part in self.parts:
            pieces += part.qty
            upto = value(self.net_rupiah, self.qty, pieces)
            amounts.append((part, upto - below))
            below = upto
        return amounts

    @property
    def in_doubt_rupiah(self) -> int:
        """Rupiah of the waiting and disputed pieces."""
        return value(self.net_rupiah, self.qty, self.recorded + self.in_doubt) - self.recorded_rupiah

    @property
    def recorded_rupiah(self) -> int:
        return value(self.net_rupiah, self.qty, self.recorded)

    @property
    def returned_rupiah(self) -> int:
        """Rupiah of the voided pieces."""
        return self.net_rupiah - value(self.net_rupiah, self.qty, self.qty - self.voided)

    @property
    def open_rupiah(self) -> int:
        """Rupiah of the waiting, disputed, rejected and forwarded pieces."""
        return self.net_rupiah - self.returned_rupiah - self.recorded_rupiah

    def with_part(self, part: Part) -> "Sale":
        """The sale with these pieces recorded. Pieces of an equal part are merged, which keeps parts as few as
        lots."""
        for index, existing in enumerate(self.parts):
            if (existing.lot, existing.basis, existing.recalled) == (part.lot, part.basis, part.recalled):
                merged = replace(existing, qty=existing.qty + part.qty)
                return replace(self, parts=(*self.parts[:index], merged, *self.parts[index + 1 :]))
        return replace(self, parts=(*self.parts, part))

    def with_voided(self, qty: int) -> "Sale":
        """The sale with `qty` more pieces voided; `qty` is at most the number not voided yet.

        Waiting, disputed, rejected and forwarded pieces are voided first, then the recorded parts from the last on.
        """
        remaining = qty
        doubtful = []
        for pieces in (self.waiting, self.disputed, self.rejected, self.forwarded):
            reduction = min(pieces, remaining)
            doubtful.append(pieces - reduction)
            remaining -= reduction
        parts = list(self.parts)
        while remaining:
            part = parts.pop()
            if part.qty > remaining:
                parts.append(replace(part, qty=part.qty - remaining))
            remaining -= min(part.qty, remaining)
        waiting, disputed, rejected, forwarded = doubtful
        return replace(
            self,
            parts=tuple(parts),
            waiting=waiting,
            disputed=disputed,
            rejected=rejected,
            voided=self.voided + qty,
            forwarded=forwarded,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """`number`: the receipt's place among the booth's receipts, in order of acceptance. `drawer`: the drawer of the
    payment."""

    id: str
    receipt: str
    booth: str
    number: int
    till: str
    device: str
    seq: int
    drawer: str
    payment: PaymentKind
    discount_rupiah: int
    price_list: int
    sold_at: datetime
    sales: tuple[Sale, ...]

    def sale_id(self, sale: Sale) -> str:
        """The id of the sale: `<receipt>/<line>`."""
        return f"{self.receipt}/{sale.line}"

    def sale(self, line: int) -> Sale | None:
        """The sale of this line, or None if there is no such line."""
        return self.sales[line - 1] if 0 < line <= len(self.sales) else None

    def with_sale(self, sale: Sale) -> "Receipt":
        """The receipt with this sale in place of the sale of the same line."""
        if len(self.sales) == 1:
            return replace(self, sales=(sale,))
        return replace(self, sales=(*self.sales[: sale.line - 1], sale, *self.sales[sale.line :]))

    @property
    def is_waiting(self) -> bool:
        """Whether a sale of the receipt waits for stock."""
        return any(sale.waiting for sale in self.sales)

    @property
    def waiting(self) -> str | None:
        """The booth, while anything of the receipt waits: what a booth's waiting receipts are looked up by."""
        return self.booth if self.is_waiting else None

    @property
    def disputed(self) -> str | None:
        """The booth, while anything of the receipt is in dispute: what its disputed receipts are looked up by."""
        return self.booth if any(sale.disputed for sale in self.sales) else None

    @property
    def sold(self) -> str:
        """What a booth's receipts are looked up by in the order in which they were sold."""
        return _sold_key(self.booth, self.sold_at)


def waiting_at(booth: str) -> OwnedQuery[Receipt]:
    """The booth's receipts that wait."""
    return OwnedQuery(Receipt, "waiting", booth)


def disputed_at(booth: str) -> OwnedQuery[Receipt]:
    """The booth's receipts with a sale in dispute."""
    return OwnedQuery(Receipt, "disputed", booth)


def sold_after(booth: str, moment: datetime) -> KeyRange[Receipt]:
    """The booth's receipts that were sold after the moment."""
    return KeyRange(Receipt, "sold", _sold_key(booth, moment), f"{booth}!")


def _sold_key(booth: str, sold_at: datetime) -> str:
    # Text has the order of the moments. No id has a space in it.
    return f"{booth} {sold_at.isoformat(timespec='milliseconds')}"


def receipt_id(event: Event) -> str:
    """The receipt's id: the event's id, or an id derived from it if the event's id has other characters."""
    return receipt_of(event.source, event.known_as)


def receipt_of(source: str, id: str) -> str:
    """The receipt's id: that of the till's record, as in `receipt_id`."""
    return id if RECEIPT_ID.fullmatch(id) else str(uuid5(NAMESPACE_URL, f"{source} {id}"))


def parse_sale_id(sale: str) -> tuple[str, int]:
    """The receipt and the line of a sale's id. The line is 0 if this is no sale's id."""
    receipt, _, line = sale.rpartition("/")
    return receipt, int(line) if line.isascii() and line.isdecimal() and len(line) <= 3 else 0


def entity_id(booth: str, receipt: str) -> str:
    """The id of a receipt's document.

    It contains the booth, because two booths with one receipt id lie in two lanes and need two documents. No id
    contains a space, so different pairs give different ids.
    """
    return f"{booth} {receipt}"
