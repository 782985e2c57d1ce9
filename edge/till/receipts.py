"""The receipts that a till knows: what of each line still stands, and what a void pays back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edge.spool import Said
from shared.errors import WrongEntry
from shared.events.amounts import value
from shared.events.language import Body
from shared.events.sales import PaymentKind, ReceiptIssued, ReceiptVoided, SaleAccounted, VoidedLine, VoidRefused

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line of a receipt: `qty` pieces of which `voided` are known to be void. `own`: this device issued it."""

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
        """Rupiah for a void of `pieces`, at most those that are left: the difference of two roundings, so that all
        voids of the line together return its net amount."""
        return value(self.net_rupiah, self.qty, self.left) - value(self.net_rupiah, self.qty, self.left - pieces)


@dataclass(frozen=True, slots=True)
class Receipts:
    """`lines` by receipt and number of the line; `paid` is known of this device's own receipts only."""

    lines: Mapping[str, Mapping[int, KnownLine]]
    paid: Mapping[str, PaymentKind]

    def sold_by_lot(self) -> dict[str, int]:
        """Pieces that this device sold by label and that stand."""
        return _sums((line.lot, line.left) for line in self._own() if line.lot is not None)

    def sold_by_product(self) -> dict[str, int]:
        """Pieces that this device sold and that stand."""
        return _sums((line.product, line.left) for line in self._own())

    def _own(self) -> Iterable[KnownLine]:
        return (line for lines in self.lines.values() for line in lines.values() if line.own)


def known_receipts(said: Sequence[Said], heard: Iterable[Body]) -> Receipts:
    """What the device knows from its own records and from what sales told the booth."""
    snapshots, refusals = latest(heard), refused(heard, said)
    voids = _own_voids(said, refusals)
    lines: dict[str, dict[int, KnownLine]] = {}
    paid = {}
    for (receipt, number), snapshot in snapshots.items():
        lines.setdefault(receipt, {})[number] = KnownLine(
            line=number,
            lot=snapshot.lot,
            product=snapshot.product,
            qty=snapshot.qty,
            net_rupiah=snapshot.net_rupiah,
            voided=voids.known(receipt, number, snapshot.voided),
            own=False,
        )
    for record in said:
        if isinstance(record.body, ReceiptIssued):
            paid[record.id] = record.body.payment.kind
            for line, net in zip(record.body.lines, record.body.net_rupiah, strict=True):
                told = snapshots.get((record.id, line.line))
                lines.setdefault(record.id, {})[line.line] = KnownLine(
                    line=line.line,
                    lot=line.lot,
                    product=line.product,
                    qty=line.qty,
                    net_rupiah=net,
                    voided=voids.known(record.id, line.line, told.voided if told else 0),
                    own=True,
                )
    return Receipts(lines, paid)


def to_void(
    lines: Mapping[int, KnownLine], line: int | None = None, pieces: int | None = None
) -> tuple[VoidedLine, ...]:
    """All that is left of a receipt's `lines`, of one line, or so many pieces of it.

    Raises WrongEntry if nothing is left, fewer are left, or there is no such line.
    """
    if line is None:
        voided = tuple(VoidedLine(line=one.line, qty=one.left) for _, one in sorted(lines.items()) if one.left)
        if not voided:
            raise WrongEntry("Nothing of this receipt is left to void: all of it is void already.")
        return voided
    if line not in lines:
        raise WrongEntry(f"The receipt has no line {line}; it has {len(lines)}.")
    left = lines[line].left
    if left == 0:
        raise WrongEntry(f"Nothing of line {line} is left to void: all of it is void already.")
    qty = left if pieces is None else pieces
    if not 1 <= qty <= left:
        raise WrongEntry(f"Of line {line} from 1 to {left} pieces can be voided, and not {qty}.")
    return (VoidedLine(line=line, qty=qty),)


def latest(heard: Iterable[Body]) -> dict[tuple[str, int], SaleAccounted]:
    """The snapshot with the highest revision of each receipt and line."""
    snapshots: dict[tuple[str, int], SaleAccounted] = {}
    for body in heard:
        if isinstance(body, SaleAccounted):
            place = (body.receipt, line_of(body.sale))
            known = snapshots.get(place)
            if known is None or known.revision < body.revision:
                snapshots[place] = body
    return snapshots


def line_of(sale: str) -> int:
    """The number of the line in a sale's id, `<receipt>/<line>`."""
    return int(sale.rpartition("/")[2])


def refused(heard: Iterable[Body], said: Sequence[Said]) -> dict[tuple[str, int], VoidRefused]:
    """The refusals of this device's voids, by the void's id and line. A refusal names the till and the pieces; of
    several such voids of one line the last is meant, for those before it were worked first."""
    open_voids: dict[tuple[str, int, str, int], list[str]] = {}
    for record in said:
        if isinstance(record.body, ReceiptVoided):
            for line in record.body.lines:
                which = (record.body.receipt, line.line, record.body.till, line.qty)
                open_voids.setdefault(which, []).append(record.id)
    answers = {}
    for body in heard:
        if isinstance(body, VoidRefused) and body.till is not None:
            candidates = open_voids.get((body.receipt, body.line, body.till, body.qty))
            if candidates:
                answers[candidates.pop(), body.line] = body
    return answers


@dataclass(frozen=True, slots=True)
class _Voids:
    """This device's own voids that were not refused, by receipt and line: `sent` and `unsent` pieces."""

    sent: Mapping[tuple[str, int], int]
    unsent: Mapping[tuple[str, int], int]

    def known(self, receipt: str, line: int, heard: int) -> int:
        """Pieces that are void, of which sales has told `heard`: those that were not sent are not among them."""
        unsent = self.unsent.get((receipt, line), 0)
        return max(heard, self.sent.get((receipt, line), 0)) + unsent


def _own_voids(said: Sequence[Said], refusals: Mapping[tuple[str, int], VoidRefused]) -> _Voids:
    voids = [
        (record.acknowledged, (record.body.receipt, line.line), line.qty)
        for record in said
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
