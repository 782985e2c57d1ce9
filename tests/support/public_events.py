"""Events of public topics, as portal pages for strangers need them."""

from datetime import UTC, date, datetime
from typing import Any

from shared.events.festival import FestivalAnnounced
from shared.events.inventory import StockChanged
from shared.events.sales import LotShare, SalePublished

LOT = "PR-KPG-KTI-261130-001-W"


def a_festival() -> FestivalAnnounced:
    return FestivalAnnounced(
        festival="ODOP",
        name="Satu Hari",
        place="Kupang",
        zone="Asia/Makassar",
        first_day=date(2026, 11, 29),
        last_day=date(2026, 12, 2),
    )


def a_balance(**changed: Any) -> StockChanged:
    pieces = ("recorded", "corrected", "on_hand", "reserved", "dispatched", "returned", "written_off")
    fields: dict[str, Any] = {
        **dict.fromkeys(pieces, 0),
        "lot": LOT,
        "revision": 1,
        "facility": "PR-KPG",
        "product": "KTI",
        "category": "tenun",
        "made_on": date(2026, 11, 30),
        "best_before": None,
        "recalled": False,
    }
    return StockChanged(**fields | changed)


def a_part(sale: str, qty: int, **changed: Any) -> SalePublished:
    lots = (LotShare(lot=LOT, qty=qty, amount_rupiah=150_000 * qty),) if qty else ()
    fields: dict[str, Any] = {
        "sale": sale,
        "facility": "PR-KPG",
        "festival": "ODOP",
        "product": "KTI",
        "revision": 1,
        "sequence": 1,
        "lots": lots,
        "qty": qty,
        "amount_rupiah": 150_000 * qty,
        "sold_at": datetime.now(UTC),
    }
    return SalePublished(**fields | changed)
