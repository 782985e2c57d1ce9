"""What anyone may see of a sale: no maker, no buyer, no cashier, no till, no booth."""

from services.sales.domain.booth import BoothLot
from services.sales.domain.sale import Sale
from shared.events.language import Publication
from shared.events.sales import PUBLIC_SALES, SalePublished, SaleWithdrawn


def published(sale: Sale, lot: BoothLot, festival: str) -> Publication:
    """The sale stands."""
    return PUBLIC_SALES.of(
        SalePublished(
            sale=sale.sale,
            facility=lot.facility,
            festival=festival,
            product=lot.product,
            lot=lot.lot,
            qty=sale.qty,
            amount_rupiah=sale.amount_rupiah,
            sold_at=sale.sold_at,
        )
    )


def withdrawn(sale: Sale, lot: BoothLot, festival: str) -> Publication:
    """The sale was published and stands no more."""
    return PUBLIC_SALES.of(
        SaleWithdrawn(
            sale=sale.sale,
            facility=lot.facility,
            festival=festival,
            product=lot.product,
            lot=lot.lot,
            qty=sale.qty,
            amount_rupiah=sale.amount_rupiah,
        )
    )
