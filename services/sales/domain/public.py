"""What anyone may see of a facility's sales: no maker, no buyer, no cashier, no till, no booth, no receipt."""

from dataclasses import dataclass
from uuid import UUID

from shared.events.ids import named_uuid
from shared.events.language import Publication
from shared.events.sales import PUBLIC_SALES, AdjustmentPublished, PoolAdjusted, SalePublished, SaleShared
from shared.runtime.processor import Decision
from shared.runtime.state import State

# Of what only sales knows together: no id that is published leads back to a receipt or joins its lines.
_SALES = UUID("3d0f6f0e-6a0c-5c1c-9a35-4b3d0c5f2b61").bytes


@dataclass(frozen=True, slots=True)
class FacilityFeed:
    """A facility's public events: how many were published. Each carries its number, so that a gap shows."""

    id: str
    sequence: int = 0


def publish(state: State, body: SaleShared | PoolAdjusted) -> Decision:
    """The facility's next public event."""
    known = state.get(FacilityFeed, body.facility)
    feed = FacilityFeed(body.facility, 1 if known is None else known.sequence + 1)
    told = _sale(body, feed.sequence) if isinstance(body, SaleShared) else _adjustment(body, feed.sequence)
    return state.put(feed), [told]


def public_sale(booth: str, sale: str) -> str:
    """The id under which a sale is public."""
    return named_uuid(_SALES, f"{booth} {sale}")


def public_adjustment(booth: str, product: str) -> str:
    """The id under which the adjustments of a booth's product are public."""
    return named_uuid(_SALES, f"{booth} * {product}")


def _sale(body: SaleShared, sequence: int) -> Publication:
    return PUBLIC_SALES.of(
        SalePublished.model_construct(
            sale=public_sale(body.booth, body.sale),
            facility=body.facility,
            festival=body.festival,
            product=body.product,
            revision=body.revision,
            sequence=sequence,
            lots=body.lots,
            qty=body.qty,
            amount_rupiah=body.amount_rupiah,
            sold_at=body.sold_at,
        )
    )


def _adjustment(body: PoolAdjusted, sequence: int) -> Publication:
    return PUBLIC_SALES.of(
        AdjustmentPublished(
            adjustment=public_adjustment(body.booth, body.product),
            facility=body.facility,
            festival=body.festival,
            product=body.product,
            revision=body.revision,
            sequence=sequence,
            cause=body.cause,
            counted=body.counted,
            lots=body.lots,
            qty=body.adjusted_qty,
            amount_rupiah=body.adjusted_rupiah,
        )
    )
