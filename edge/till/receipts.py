"""The receipts that a till knows: the pieces of each line that are not voided, and the refund of a void. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edge.spool import SpooledRecord
from shared.errors import WrongEntry
from shared.events.amounts import value
from shared.events.language import Body
from shared.events.sales import PaymentKind, ReceiptIssued, ReceiptVoided, SaleAccounted, VoidedLine, VoidRefused
from shared.wording import Message

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line of a receipt: `qty` pieces, `voided` of them as far as known. `own`: this device issued it."""

    line: int
    lot: str | None
    product: str
    qty: int
    net_rupiah: int
    voided: int
    own: bool

    @property
    def left(self) -> int:
        return max(self.qty - self.voided, 0)

    def refund(self, pieces: int) -> int:
        """The refund in rupiah for a void of `pieces`, at most `left`. It is the difference of two roundings, so that
        all voids of the line together return its net amount."""
        return value(self.net_rupiah, self.qty, self.left) - value(self.net_rupiah, self.qty, self.left - pieces)


@dataclass(frozen=True, slots=True)
class Receipts:
    """`lines` by receipt and line number; `paid`: the payment kind, of this device's own receipts only."""

    lines: Mapping[str, Mapping[int, KnownLine]]
    paid: Mapping[str, PaymentKind]

    def sold_by_lot(self) -> dict[str, int]:
        """Pieces that this device sold by label, by lot, without voids."""
        return _sums((line.lot, line.left) for line in self._own() if line.lot is not None)

    def sold_by_product(self) -> dict[str, int]:
        """Pieces that this device sold, by product, without voids."""
        return _sums((line.product, line.left) for line in self._own())

    def _own(self) -> Iterable[KnownLine]:
        return (line for lines in self.lines.values() for line in lines.values() if line.own)


def known_receipts(records: Sequence[SpooledRecord], bodies: Iterable[Body]) -> Receipts:
    """The receipts known from the device's own records and from the events of sales."""
    snapshots, refusals = latest_snapshots(bodies), refused_voids(bodies, records)
    voids = _own_voids(records, refusals)
    lines: dict[str, dict[int, KnownLine]] = {}
    paid = {}
    for (receipt, number), snapshot in snapshots.items():
        lines.setdefault(receipt, {})[number] = KnownLine(
            line=number,
            lot=snapshot.lot,
            product=snapshot.product,
            qty=snapshot.qty,
            net_rupiah=snapshot.net_rupiah,
            voided=voids.voided(receipt, number, snapshot.voided),
            own=False,
        )
    for record in records:
        if isinstance(record.body, ReceiptIssued):
            paid[record.id] = record.body.payment.kind
            for line, net in zip(record.body.lines, record.body.net_rupiah, strict=True):
                accounted = snapshots.get((record.id, line.line))
                lines.setdefault(record.id, {})[line.line] = KnownLine(
                    line=line.line,
                    lot=line.lot,
                    product=line.product,
                    qty=line.qty,
                    net_rupiah=net,
                    voided=voids.voided(record.id, line.line, accounted.voided if accounted else 0),
                    own=True,
                )
    return Receipts(lines, paid)


def lines_to_void(
    lines: Mapping[int, KnownLine], line: int | None = None, pieces: int | None = None
) -> tuple[VoidedLine, ...]:
    """The void lines for all remaining pieces of a receipt, of one line, or for `pieces` of that line.

    Raises WrongEntry if nothing or too little is left, or the line does not exist.
    """
    if line is None:
        voided = tuple(
            VoidedLine(line=number, qty=known_line.left)
            for number, known_line in sorted(lines.items())
            if known_line.left
        )
        if not voided:
            raise WrongEntry(Message("Nothing of this receipt is left to void: all of it is void already."))
        return voided
    if line not in lines:
        raise WrongEntry(Message("The receipt has no line {line}; it has {lines}.", line=line, lines=len(lines)))
    remaining = lines[line].left
    if remaining == 0:
        raise WrongEntry(Message("Nothing of line {line} is left to void: all of it is void already.", line=line))
    qty = remaining if pieces is None else pieces
    if not 1 <= qty <= remaining:
        raise WrongEntry(
            Message(
                "Of line {line} from 1 to {remaining} pieces can be voided, and not {qty}.",
                line=line,
                remaining=remaining,
                qty=qty,
            )
        )
    return (VoidedLine(line=line, qty=qty),)


def latest_snapshots(bodies: Iterable[Body]) -> dict[tuple[str, int], SaleAccounted]:
    """The snapshot with the highest revision of each receipt and line."""
    snapshots: dict[tuple[str, int], SaleAccounted] = {}
    for body in bodies:
        if isinstance(body, SaleAccounted):
            key = (body.receipt, line_of(body.sale))
            snapshot = snapshots.get(key)
            if snapshot is None or snapshot.revision < body.revision:
                snapshots[key] = body
    return snapshots


def line_of(sale: str) -> int:
    """The line number in a sale's id, `<receipt>/<line>`."""
    return int(sale.rpartition("/")[2])


def refused_voids(bodies: Iterable[Body], records: Sequence[SpooledRecord]) -> dict[tuple[str, int], VoidRefused]:
    """The refusals of this device's voids, by the void's id and line. A refusal names only the till and the pieces.
    Of several equal voids of a line it means the last one, since sales worked the earlier ones first."""
    open_voids: dict[tuple[str, int, str, int], list[str]] = {}
    for record in records:
        if isinstance(record.body, ReceiptVoided):
            for line in record.body.lines:
                key = (record.body.receipt, line.line, record.body.till, line.qty)
                open_voids.setdefault(key, []).append(record.id)
    answers = {}
    for body in bodies:
        if isinstance(body, VoidRefused) and body.till is not None:
            candidates = open_voids.get((body.receipt, body.line, body.till, body.qty))
            if candidates:
                answers[candidates.pop(), body.line] = body
    return answers


@dataclass(frozen=True, slots=True)
class _Voids:
    """The pieces of this device's voids that were not refused, by receipt and line: `sent` and `unsent`."""

    sent: Mapping[tuple[str, int], int]
    unsent: Mapping[tuple[str, int], int]

    def voided(self, receipt: str, line: int, accounted: int) -> int:
        """The voided pieces: `accounted` by sales, or sent here if that is more, plus the unsent ones."""
        unsent = self.unsent.get((receipt, line), 0)
        return max(accounted, self.sent.get((receipt, line), 0)) + unsent


def _own_voids(records: Sequence[SpooledRecord], refusals: Mapping[tuple[str, int], VoidRefused]) -> _Voids:
    voids = [
        (record.acknowledged, (record.body.receipt, line.line), line.qty)
        for record in records
        if isinstance(record.body, ReceiptVoided)
        for line in record.body.lines
        if (record.id, line.line) not in refusals
    ]
    return _Voids(
        sent=_sums((place, qty) for acknowledged, place, qty in voids if acknowledged),
        unsent=_sums((place, qty) for acknowledged, place, qty in voids if not acknowledged),
    )


def _sums(pairs: Iterable[tuple[K, int]]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for key, pieces in pairs:
        sums[key] = sums.get(key, 0) + pieces
    return sums
