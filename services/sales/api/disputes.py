"""The pages of sales in doubt over HTTP, by booth."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel

from services.sales.domain import Booth, Receipt
from services.sales.domain.doubts import Doubt, DoubtReason, doubts, takings_rupiah
from services.sales.domain.receipt import entity_id, parse_sale_id

# Limits the size of a page. As these are decided, later ones move up.
MOST_SHOWN = 200


class DoubtPage(BaseModel):
    """A sale with pieces that no stock covers.

    - `waiting`: pieces that stock may still cover, or the organiser decides. `disputed`: pieces that the organiser
      has to decide, since no more stock will come.
    - `rupiah`: of both. `sold_at`: since then they are in doubt.
    """

    sale: str
    receipt: str
    till: str
    lot: str | None
    product: str
    qty: int
    waiting: int
    disputed: int
    rupiah: int
    sold_at: datetime
    why: DoubtReason

    @classmethod
    def of(cls, doubt: Doubt) -> "DoubtPage":
        receipt, sale = doubt.receipt, doubt.sale
        return cls(
            sale=receipt.sale_id(sale),
            receipt=receipt.receipt,
            till=receipt.till,
            lot=sale.lot,
            product=sale.product,
            qty=sale.qty,
            waiting=sale.waiting,
            disputed=sale.disputed,
            rupiah=sale.in_doubt_rupiah,
            sold_at=receipt.sold_at,
            why=doubt.why,
        )


class BoothDoubtsPage(BaseModel):
    """A booth's sales in doubt, the oldest first, and its takings less what was paid back.

    `sold`: the pieces sold so far that its stock covers. `receipts`: the receipts with such sales. A page shows at
    most 200 of them.
    """

    booth: str
    festival: str | None
    name: str | None
    zone: str | None
    status: str
    takings_rupiah: int
    sold: int
    receipts: int
    sales: list[DoubtPage]

    @classmethod
    def of(cls, booth: Booth, receipts: Iterable[Receipt]) -> "BoothDoubtsPage":
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            zone=booth.zone,
            status=booth.status.value,
            takings_rupiah=takings_rupiah(booth),
            sold=sum(lot.sold for lot in booth.lots),
            receipts=len(_names(booth)),
            sales=[DoubtPage.of(doubt) for doubt in doubts(booth, receipts)],
        )


def receipts_in_doubt(booth: Booth) -> list[str]:
    """The document ids of the receipts that a page shows."""
    return [entity_id(booth.id, name) for name in _names(booth)[:MOST_SHOWN]]


def _names(booth: Booth) -> list[str]:
    return list(dict.fromkeys([*booth.waiting, *(parse_sale_id(sale)[0] for sale in booth.disputed)]))
