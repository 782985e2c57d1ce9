"""Events of public topics, as portal pages for strangers need them."""

from datetime import UTC, date, datetime
from typing import Any

from shared.events.catalogue import FacilitySet, ProductSet, TermSet
from shared.events.festival import FestivalAnnounced
from shared.events.inventory import StockChanged
from shared.events.sales import AdjustmentCause, AdjustmentPublished, LotAdjustment, LotShare, SalePublished

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


def catalogue_facts() -> tuple[FacilitySet, ProductSet, TermSet, TermSet]:
    """What the catalogue has of the lot's facility, product, island and category."""
    facts: dict[str, Any] = {"revision": 1, "changed_at": datetime(2026, 11, 1, tzinfo=UTC), "command": "c"}
    return (
        FacilitySet(
            entry="facility/PR-KPG",
            facility_kind="lapas",
            name="Lapas Perempuan Kupang",
            zone="Asia/Makassar",
            products=("KTI",),
            island="timor",
            **facts,
        ),
        ProductSet(entry="product/KTI", name="Kain tenun ikat", category="tenun", unit="helai", max_qty=200, **facts),
        TermSet(entry="island/timor", name="Timor", **facts),
        TermSet(entry="category/tenun", name="Tenun", **facts),
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


def an_adjustment(adjustment: str, qty: int, **changed: Any) -> AdjustmentPublished:
    fields: dict[str, Any] = {
        "adjustment": adjustment,
        "facility": "PR-KPG",
        "festival": "ODOP",
        "product": "KTI",
        "revision": 1,
        "sequence": 1,
        "cause": AdjustmentCause.COUNT,
        "counted": True,
        "lots": (LotAdjustment(lot=LOT, qty=qty, amount_rupiah=150_000 * qty),) if qty else (),
        "qty": qty,
        "amount_rupiah": 150_000 * qty,
    }
    return AdjustmentPublished(**fields | changed)
