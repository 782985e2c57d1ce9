"""What sales keeps of each sale, summed up by booth and lot."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ops.verify.evidence import Evidence
from ops.verify.heard import Pair, Sum
from services.sales.domain import Booth, Receipt
from services.sales.domain.receipt import Part, Sale
from shared.events.sales import PartBasis


class PartSold(NamedTuple):
    """One part of a sale, with its receipt and its rupiah."""

    receipt: Receipt
    sale: Sale
    part: Part
    rupiah: int


@dataclass(slots=True)
class LotSold:
    """What single sales tell of a lot at a booth: `label`: with a label or by the organiser's word, of which `named`
    pieces by the latter; `share`: its part of unlabelled sales."""

    facility: str
    product: str
    label: Sum = field(default_factory=Sum)
    share: Sum = field(default_factory=Sum)
    named: int = 0


def parts(evidence: Evidence) -> Iterator[PartSold]:
    """Every part of every sale."""
    for receipt in evidence.of(Receipt).values():
        for sale in receipt.sales:
            for part, rupiah in sale.part_amounts:
                yield PartSold(receipt, sale, part, rupiah)


def by_lot(evidence: Evidence) -> dict[Pair, LotSold]:
    """The parts of all sales by booth and lot."""
    sums: dict[Pair, LotSold] = {}
    for receipt, sale, part, rupiah in parts(evidence):
        pair = (receipt.booth, part.lot)
        lot = sums.get(pair) or sums.setdefault(pair, LotSold(part.facility, sale.product))
        (lot.share if part.basis is PartBasis.SHARE else lot.label).add(part.qty, rupiah)
        if part.basis is PartBasis.NAMED:
            lot.named += part.qty
    return sums


def sold(evidence: Evidence) -> Mapping[tuple[str, str, str, str], Sum]:
    """What was sold by facility, festival, booth and product: the parts of sales, and what adjustments of unlabelled
    sales moved."""
    sums: dict[tuple[str, str, str, str], Sum] = defaultdict(Sum)
    booths = evidence.of(Booth)
    for (id, _), lot in by_lot(evidence).items():
        booth = booths.get(id)
        festival = (booth.festival if booth is not None else None) or ""
        earned = sums[lot.facility, festival, id, lot.product]
        earned.add(*lot.label.both)
        earned.add(*lot.share.both)
    for booth in booths.values():
        for pool in booth.pools:
            for moved in pool.adjusted:
                held = booth.find_lot(moved.lot)
                facility = held.facility if held is not None else ""
                sums[facility, booth.festival or "", booth.id, pool.product].add(moved.qty, moved.rupiah)
    return {key: earned for key, earned in sums.items() if earned.qty or earned.rupiah}
