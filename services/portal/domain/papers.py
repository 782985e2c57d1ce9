"""The papers of parcels: what goes into each, lot by lot."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from services.portal.domain.answers import PlanPage, ShipmentRow
from services.portal.domain.parcels import RESERVED


@dataclass(frozen=True, slots=True)
class PaperLine:
    """Pieces of a lot in a parcel. `product` is empty where it is not known."""

    lot: str
    product: str
    qty: int


@dataclass(frozen=True, slots=True)
class ParcelPaper:
    """A parcel on paper. `shipment` is empty before it is sent."""

    shipment: str
    request: str
    facility: str
    booth: str
    lines: tuple[PaperLine, ...]

    @property
    def qty(self) -> int:
        return sum(line.qty for line in self.lines)


def packing_lists_of(plans: Iterable[PlanPage]) -> list[ParcelPaper]:
    """A paper for each parcel that can be sent, by facility and booth."""
    pieces: dict[tuple[str, str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for plan in plans:
        for line in plan.lines:
            if line.status == RESERVED:
                pieces[line.facility, line.booth, plan.request][line.product, line.lot] += line.qty
    return [
        ParcelPaper(
            "",
            request,
            facility,
            booth,
            tuple(PaperLine(lot, product, qty) for (product, lot), qty in sorted(lots.items())),
        )
        for (facility, booth, request), lots in sorted(pieces.items())
    ]


def paper_of(shipment: ShipmentRow) -> ParcelPaper:
    """The paper of a parcel that was sent."""
    lines = tuple(PaperLine(lot.lot, "", lot.sent) for lot in shipment.lots)
    return ParcelPaper(shipment.shipment, shipment.request, shipment.facility, shipment.booth, lines)
