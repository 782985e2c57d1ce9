"""A receipt as a till issued it. Each of its lines is a sale, and each sale says where its pieces came from."""

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

# A sale's id is the receipt's, a slash and the line: both must fit into what the published language takes as an id.
RECEIPT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class SaleStatus(StrEnum):
    """The state of a sale in one word: the first of these that holds for at least one of its pieces."""

    WAITING = "waiting"
    DISPUTED = "disputed"
    RECORDED = "recorded"
    REJECTED = "rejected"
    VOIDED = "voided"


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
    """One line of a receipt, in pieces: `qty` = the parts + waiting + disputed + rejected + voided.

    `lot` is what the label said. `revision` counts the snapshots that were told, from 1.
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
    revision: int = 0

    @property
    def recorded(self) -> int:
        """Pieces whose lot is known."""
        return sum(part.qty for part in self.parts)

    @property
    def status(self) -> SaleStatus:
        if self.waiting:
            return SaleStatus.WAITING
        if self.disputed:
            return SaleStatus.DISPUTED
        if self.parts:
            return SaleStatus.RECORDED
        return SaleStatus.REJECTED if self.rejected else SaleStatus.VOIDED

    @property
    def part_amounts(self) -> PartAmounts:
        """Each part with its rupiah, by cumulative rounding: all of them are the value of the recorded pieces."""
        amounts: list[tuple[Part, int]] = []
        pieces = below = 0
        for part in self.parts:
            pieces += part.qty
            upto = value(self.net_rupiah, self.qty, pieces)
            amounts.append((part, upto - below))
            below = upto
        return amounts

    @property
    def recorded_rupiah(self) -> int:
        return value(self.net_rupiah, self.qty, self.recorded)

    @property
    def returned_rupiah(self) -> int:
        """Rupiah of the voided pieces."""
        return self.net_rupiah - value(self.net_rupiah, self.qty, self.qty - self.voided)

    @property
    def open_rupiah(self) -> int:
        """Rupiah of the pieces that wait, are in dispute or were rejected."""
        return self.net_rupiah - self.returned_rupiah - self.recorded_rupiah

    def with_part(self, part: Part) -> "Sale":
        """The sale with these pieces recorded; they join an equal part, so that parts stay as few as lots."""
        for place, known in enumerate(self.parts):
            if (known.lot, known.basis, known.recalled) == (part.lot, part.basis, part.recalled):
                merged = replace(known, qty=known.qty + part.qty)
                return replace(self, parts=(*self.parts[:place], merged, *self.parts[place + 1 :]))
        return replace(self, parts=(*self.parts, part))

    def without(self, qty: int) -> "Sale":
        """The sale with `qty` more pieces voided: first those that are in doubt, then the recorded ones, the last
        part first. `qty` is at most what is not voided yet."""
        left = qty
        doubt = []
        for pieces in (self.waiting, self.disputed, self.rejected):
            taken = min(pieces, left)
            doubt.append(pieces - taken)
            left -= taken
        parts = list(self.parts)
        while left:
            part = parts.pop()
            if part.qty > left:
                parts.append(replace(part, qty=part.qty - left))
            left -= min(part.qty, left)
        waiting, disputed, rejected = doubt
        return replace(
            self,
            parts=tuple(parts),
            waiting=waiting,
            disputed=disputed,
            rejected=rejected,
            voided=self.voided + qty,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """`number` is its place among the booth's receipts, in the order in which sales took them in. `drawer` is where
    the payment went."""

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
        return f"{self.receipt}/{sale.line}"

    def sale(self, line: int) -> Sale | None:
        return self.sales[line - 1] if 0 < line <= len(self.sales) else None

    def put(self, sale: Sale) -> "Receipt":
        """The receipt with this sale in place of the one of its line."""
        if len(self.sales) == 1:
            return replace(self, sales=(sale,))
        return replace(self, sales=(*self.sales[: sale.line - 1], sale, *self.sales[sale.line :]))

    @property
    def waits(self) -> bool:
        return any(sale.waiting for sale in self.sales)

    @property
    def waiting(self) -> str | None:
        """The booth, while anything of the receipt waits: what a booth's waiting receipts are looked up by."""
        return self.booth if self.waits else None

    @property
    def sold(self) -> str:
        """What a booth's receipts are looked up by in the order in which they were sold."""
        return _sold_key(self.booth, self.sold_at)


def waiting_at(booth: str) -> OwnedQuery[Receipt]:
    """The booth's receipts that wait."""
    return OwnedQuery(Receipt, "waiting", booth)


def sold_after(booth: str, moment: datetime) -> KeyRange[Receipt]:
    """The booth's receipts that were sold after the moment."""
    return KeyRange(Receipt, "sold", _sold_key(booth, moment), f"{booth}!")


def _sold_key(booth: str, sold_at: datetime) -> str:
    # Text has the order of the moments. No id has a space in it.
    return f"{booth} {sold_at.isoformat(timespec='milliseconds')}"


def receipt_id(event: Event) -> str:
    """The id that its till gave the receipt, or one made of it where the language could not carry that one on."""
    return event.id if RECEIPT_ID.fullmatch(event.id) else str(uuid5(NAMESPACE_URL, f"{event.source} {event.id}"))


def receipt_of(sale: str) -> tuple[str, int]:
    """The receipt and the line of a sale's id; line 0 if it is none."""
    receipt, _, line = sale.rpartition("/")
    return receipt, int(line) if line.isascii() and line.isdecimal() and len(line) <= 3 else 0


def entity_id(booth: str, receipt: str) -> str:
    """The booth is part of it: two booths that use one id lie in two lanes and must not share a document. No id
    has a space in it, so no two pairs look alike."""
    return f"{booth} {receipt}"
