"""Sales in doubt: pieces that wait for stock, or for the organiser's decision, with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.receipt import Receipt, Sale


class DoubtReason(StrEnum):
    """The reason why no stock covers the pieces.

    - `BOOTH_NOT_OPENED`: no festival has opened the booth.
    - `NOT_STOCKED`: the lot, or the product without a label, was never counted in there.
    - `OTHER_PRODUCT`: the lot on the label is of another product there.
    - `BEYOND_STOCK`: more was sold than was counted in.
    """

    BOOTH_NOT_OPENED = "booth_not_opened"
    NOT_STOCKED = "not_stocked"
    OTHER_PRODUCT = "other_product"
    BEYOND_STOCK = "beyond_stock"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sale with pieces in doubt."""

    receipt: Receipt
    sale: Sale
    why: DoubtReason


def doubts(booth: Booth, receipts: Iterable[Receipt]) -> list[Doubt]:
    """The sales in doubt among the booth's receipts, in the order of their sale."""
    sales_in_doubt = [
        Doubt(receipt, sale, _why(booth, sale)) for receipt in receipts for sale in receipt.sales if sale.in_doubt
    ]
    return sorted(sales_in_doubt, key=lambda doubt: (doubt.receipt.sold_at, doubt.receipt.receipt, doubt.sale.line))


def takings_rupiah(booth: Booth) -> int:
    """The rupiah that the booth's tills took, less what they paid back."""
    return sum(taking.net_rupiah - taking.refunded_rupiah for drawer in booth.drawers for taking in drawer.takings)


def _why(booth: Booth, sale: Sale) -> DoubtReason:
    if booth.status is BoothStatus.UNKNOWN:
        return DoubtReason.BOOTH_NOT_OPENED
    if sale.lot is None:
        return DoubtReason.BEYOND_STOCK if booth.lots_of(sale.product) else DoubtReason.NOT_STOCKED
    lot = booth.find_lot(sale.lot)
    if lot is None:
        return DoubtReason.NOT_STOCKED
    return DoubtReason.BEYOND_STOCK if lot.product == sale.product else DoubtReason.OTHER_PRODUCT
