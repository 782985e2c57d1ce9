"""Conversion of the records of a till's previous version, where one sale was one record without a payment. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from edge.spool import FormerRecord, Migration
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
    """The bodies of one till's records in the current form, in order. Raises KeyError for a void of an unknown
    sale."""
    sales = {record.id: record.value for record in records if record.type == "SaleReported.v1"}
    return [_body(record, device, sales) for record in records]


def _body(record: FormerRecord, device: str, sales: dict[str, dict[str, Any]]) -> Body:
    value = record.value
    place: dict[str, Any] = {"booth": value["booth"], "till": value["till"], "device": device}
    place |= {"seq": record.number, "previous": record.previous}
    match record.type:
        case "SaleReported.v1":
            line = ReceiptLine(
                line=1,
                lot=value["lot"],
                product=value["product"],
                qty=value["qty"],
                unit_price_rupiah=value["unit_price_rupiah"],
            )
            return ReceiptIssued(
                **place,
                lines=(line,),
                payment=Payment(kind=PaymentKind.OTHER),
                sold_at=datetime.fromisoformat(value["sold_at"]),
            )
        case "SaleVoided.v1":
            sale = sales[value["sale"]]
            return ReceiptVoided(
                **place,
                receipt=value["sale"],
                lines=(VoidedLine(line=1, qty=sale["qty"]),),
                refund=PaymentKind.OTHER,
                refund_rupiah=sale["qty"] * sale["unit_price_rupiah"],
                voided_at=datetime.fromisoformat(value["voided_at"]),
            )
        case "BoothCounted.v1":
            lots = tuple(LotCount(lot=lot["lot"], qty=lot["qty"]) for lot in value["lots"])
            return BoothCounted(**place, counted_at=record.recorded_at, lots=lots)
        case "TillClosed.v1":
            return TillClosed(**place, last_seq=value["last_seq"])
        case unknown:
            raise KeyError(unknown)


MIGRATION = Migration(bodies, topics_to_reread=(SALES,))
