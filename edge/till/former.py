"""What a till of the former version kept, in today's words: one sale was one record, paid nobody says how. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from edge.spool import Former, FormerRecord
from shared.events.language import Body
from shared.events.sales import (
    SALES,
    BoothCounted,
    LotCount,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)


def bodies(records: Sequence[FormerRecord], device: str) -> list[Body]:
    """The records of one till in today's form, in their order. Raises KeyError for a void of no record of these."""
    sales = {record.id: record.value for record in records if record.type == "SaleReported.v1"}
    return [_body(record, device, sales) for record in records]


def _body(record: FormerRecord, device: str, sales: dict[str, dict[str, Any]]) -> Body:
    told = record.value
    place: dict[str, Any] = {"booth": told["booth"], "till": told["till"], "device": device}
    place |= {"seq": record.number, "previous": record.previous}
    match record.type:
        case "SaleReported.v1":
            line = ReceiptLine(
                line=1,
                lot=told["lot"],
                product=told["product"],
                qty=told["qty"],
                unit_price_rupiah=told["unit_price_rupiah"],
            )
            return ReceiptIssued(
                **place,
                lines=(line,),
                payment=Payment(kind=PaymentKind.OTHER),
                sold_at=datetime.fromisoformat(told["sold_at"]),
            )
        case "SaleVoided.v1":
            sale = sales[told["sale"]]
            return ReceiptVoided(
                **place,
                receipt=told["sale"],
                lines=(VoidedLine(line=1, qty=sale["qty"]),),
                refund=PaymentKind.OTHER,
                refund_rupiah=sale["qty"] * sale["unit_price_rupiah"],
                voided_at=datetime.fromisoformat(told["voided_at"]),
            )
        case "BoothCounted.v1":
            lots = tuple(LotCount(lot=lot["lot"], qty=lot["qty"]) for lot in told["lots"])
            return BoothCounted(**place, counted_at=record.recorded_at, lots=lots)
        case "TillClosed.v1":
            return TillClosed(**place, last_seq=told["last_seq"])
        case unknown:
            raise KeyError(unknown)


FORMER = Former(bodies, heard_anew=(SALES,))
