"""Public events of a facility's sales, without maker, buyer, cashier, till, booth or receipt."""

from dataclasses import dataclass
from uuid import UUID

from shared.events.ids import named_uuid
from shared.events.language import Publication
from shared.events.sales import PUBLIC_SALES, AdjustmentPublished, PoolAdjusted, SalePublished, SaleShared
from shared.runtime.processor import Decision
from shared.runtime.state import State

# The name of an id combines facts that only sales knows. A public id therefore reveals no receipt and joins no lines.
_SALES = UUID("3d0f6f0e-6a0c-5c1c-9a35-4b3d0c5f2b61").bytes


@dataclass(frozen=True, slots=True)
class FacilityFeed:
    """A facility's public events. `sequence`: their number so far.

    Each event carries its own number, so that subscribers detect gaps.
    """

    id: str
    sequence: int = 0


def publish(state: State, body: SaleShared | PoolAdjusted) -> Decision:
    """The facility's next public event, made from its share of a sale or from its adjustment."""
    stored = state.get(FacilityFeed, body.facility)
    feed = FacilityFeed(body.facility, 1 if stored is None else stored.sequence + 1)
    publication = _sale(body, feed.sequence) if isinstance(body, SaleShared) else _adjustment(body, feed.sequence)
    return state.put(feed), [publication]


def public_sale(booth: str, sale: str) -> str:
    """The public id of a sale."""
    return named_uuid(_SALES, f"{booth} {sale}")


def public_adjustment(booth: str, product: str) -> str:
    """The public id of the adjustments of a booth's product."""
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
