"""A sale as a till reported it, and what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from shared.events.language import Event

# What the published language takes as an id.
SALE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")


class SaleStatus(StrEnum):
    """`WAITING` for stock that covers it. `REJECTED`: disputed, and the organiser did not accept it. `VOIDED`: it
    did not stand, whatever it was before."""

    WAITING = "waiting"
    RECORDED = "recorded"
    DISPUTED = "disputed"
    REJECTED = "rejected"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Sale:
    """`lot` is what the label said; once recorded, it is where the pieces came from, and `facility` and `festival`
    are who is owed for them."""

    id: str
    sale: str
    booth: str
    till: str
    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    sold_at: datetime
    status: SaleStatus = SaleStatus.WAITING
    festival: str | None = None
    facility: str | None = None
    lot_attributed: bool = False
    lot_recalled: bool = False
    dispute_accepted: bool = False

    @property
    def amount_rupiah(self) -> int:
        return self.qty * self.unit_price_rupiah


def sale_id(event: Event) -> str:
    """The id that its till gave the sale, or one made of it where the language could not carry that one on."""
    return event.id if SALE_ID.fullmatch(event.id) else str(uuid5(NAMESPACE_URL, f"{event.source} {event.id}"))


def entity_id(booth: str, sale: str) -> str:
    """The booth is part of it: two booths that use one id lie in two lanes and must not share a document. No id
    has a space in it, so no two pairs look alike."""
    return f"{booth} {sale}"
