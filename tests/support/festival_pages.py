"""What the other services answer of a festival that sells: two booths, a parcel, a transfer, a refill, sales."""

from copy import deepcopy
from typing import Any

from tests.support.portal import FESTIVAL, pages_of

PLACE = "festival/festivals/ODOP"
LOT = "PR-KPG-KTI-261130-001-W"
OTHER_LOT = "LP-KPG-MDS-261130-002-E"
MORNING, EVENING = "2026-04-18T02:00:00Z", "2026-04-18T10:00:00Z"


def a_lot(lot: str = LOT, product: str = "KTI", **pieces: Any) -> dict[str, Any]:
    facility = "-".join(lot.split("-")[:2])
    empty = dict.fromkeys(("in_transit", "received", "sold", "lost", "returned", "left"), 0)
    return {"lot": lot, "facility": facility, "product": product, "withdrawn": None, **empty, **pieces}


def a_booth(short: str, *lots: dict[str, Any], status: str = "open") -> dict[str, Any]:
    prices = [
        {"product": "KTI", "price_rupiah": 150_000, "category": "kain"},
        {"product": "MDS", "price_rupiah": 45_000, "category": "makanan"},
    ]
    return {
        "booth": f"ODOP.{short}",
        "festival": "ODOP",
        "name": {"B1": "Stan Timur", "B2": "Stan Barat"}[short],
        "status": status,
        "deadline": None,
        "prices": prices,
        "tills": ["T1"],
        "disputed": [],
        "merged_into": None,
        "lots": list(lots),
    }


def an_arrival(status: str, **fields: Any) -> dict[str, Any]:
    is_counted = status == "received"
    counts = {"counted": 9, "lost": 1, "surplus": 0} if is_counted else {"counted": None}
    return {
        "status": status,
        "due": EVENING,
        "overdue": False,
        "lots": [{"lot": LOT, "sent": 10, **counts}],
        **fields,
    }


SHIPMENT = {"shipment": "S1", "request": "R1", "facility": "PR-KPG", "booth": "ODOP.B1"}
TRANSFER = {"transfer": "T1", "booth": "ODOP.B1", "to": "ODOP.B2"}
BOOTHS = [
    a_booth("B1", a_lot(received=20, sold=8, left=12), a_lot(OTHER_LOT, "MDS", received=30, sold=29, left=1)),
    a_booth("B2", a_lot(received=9, sold=9, left=0)),
]
REFILL = {
    "request": "R2",
    "festival": "ODOP",
    "at": MORNING,
    "until": EVENING,
    "opens": None,
    "forecasts": [
        {
            "booth": "ODOP.B2",
            "product": "KTI",
            "left": 0,
            "expected": 6,
            "give_or_take": 2,
            "missing": 6,
            "runs_out": MORNING,
            "known": True,
        },
        {
            "booth": "ODOP.B1",
            "product": "MDS",
            "left": 1,
            "expected": 0,
            "give_or_take": 0,
            "missing": 0,
            "runs_out": None,
            "known": False,
        },
    ],
    "transfers": [
        {
            "booth": "ODOP.B1",
            "to": "ODOP.B2",
            "lot": LOT,
            "facility": "PR-KPG",
            "product": "KTI",
            "qty": 4,
            "reason": "ODOP.B1 has more than it will sell.",
            "reason_id": "ODOP.B1 memiliki lebih banyak daripada yang akan terjual.",
        }
    ],
    "refills": [
        {
            "booth": "ODOP.B2",
            "product": "KTI",
            "qty": 2,
            "reason": "No booth can spare them.",
            "reason_id": "Tidak ada stan yang dapat melepasnya.",
        }
    ],
    "conflicts": [],
}
RECEIPT = {
    "receipt": "ODOP.B1-T1-000007",
    "booth": "ODOP.B1",
    "number": 7,
    "till": "T1",
    "device": "d-1",
    "seq": 7,
    "payment": "cash",
    "discount_rupiah": 0,
    "net_rupiah": 280_000,
    "price_list": 1,
    "sold_at": MORNING,
    "sales": [
        {
            "sale": "ODOP.B1-T1-000007/1",
            "line": 1,
            "lot": LOT,
            "product": "KTI",
            "qty": 2,
            "unit_price_rupiah": 140_000,
            "net_rupiah": 280_000,
            "status": "recorded",
            "waiting": 0,
            "disputed": 0,
            "rejected": 0,
            "voided": 0,
            "forwarded": 0,
            "price_reason": "",
            "old_list": True,
            "departs": True,
        }
    ],
}
TAKINGS = {
    "booth": "ODOP.B1",
    "zone": "Asia/Makassar",
    "days": [
        {
            "day": "2026-04-18",
            "takings": [{"payment": "cash", "receipts": 1, "net_rupiah": 280_000, "refunded_rupiah": 0}],
        }
    ],
    "drawers": [
        {
            "drawer": "d1",
            "till": "T1",
            "cashier": "kasir-1",
            "opened_at": MORNING,
            "float_rupiah": 100_000,
            "dropped_rupiah": 0,
            "cash_rupiah": None,
            "counted_rupiah": None,
            "difference_rupiah": None,
        }
    ],
}
TILL = {
    "till": "T1",
    "device": "d-1",
    "listed": True,
    "struck": False,
    "closed": False,
    "complete": False,
    "missing": [[4, 6]],
    "branches": [{"complete": False}],
}
SELLING = {"booth": "ODOP.B1", "tills": [TILL], "refused_orders": []}
PROPOSED = {
    "request": "R3",
    "festival": "ODOP",
    "status": "proposed",
    "asked": 12,
    "held": 0,
    "short": 0,
    "day": None,
    "hold_until": EVENING,
    "lapsed": False,
    "demands": [{"booth": "ODOP.B1", "product": "KTI", "qty": 12}],
    "lines": [
        {
            "booth": "ODOP.B1",
            "product": "KTI",
            "facility": "PR-KPG",
            "lot": LOT,
            "qty": 12,
            "status": "planned",
            "reason": "It made the oldest.",
            "reason_id": "Buatannya yang tertua.",
        }
    ],
    "shares": [
        {
            "facility": facility,
            "offered": 12,
            "allocated": qty,
            "held": 0,
            "reason": "It has no more.",
            "reason_id": "Tidak ada lagi padanya.",
        }
        for facility, qty in {"LP-KPG": 4, "PR-KPG": 8}.items()
    ],
    "shortfalls": [],
}
WHAT_IF = {
    "request": "R3",
    "festival": "ODOP",
    "planned_before": 12,
    "planned_after": 10,
    "shipments_before": 2,
    "shipments_after": 1,
    "shares": [
        {
            "facility": facility,
            "offered": after,
            "before": before,
            "after": after,
            "reason": "It has no more." if after else "",
            "reason_id": "Tidak ada lagi padanya." if after else "",
        }
        for facility, before, after in (("LP-KPG", 4, 10), ("PR-KPG", 8, 0))
    ],
    "booths": [
        {
            "booth": "ODOP.B1",
            "product": "KTI",
            "asked": 12,
            "before": 12,
            "after": 10,
            "reason": "There is no more.",
            "reason_id": "Tidak ada lagi.",
        }
    ],
}
SOLD = [
    {
        "booth": "ODOP.B1",
        "festival": "ODOP",
        "name": "Stan Timur",
        "zone": "Asia/Makassar",
        "status": "open",
        "products": [
            {
                "product": "KTI",
                "stocked": 20,
                "sold": 8,
                "lost": 0,
                "moved": 0,
                "unsold": 12,
                "sold_rupiah": 1_200_000,
                "hours": [{"at": MORNING, "qty": 3}, {"at": EVENING, "qty": 5}],
            }
        ],
    },
    {
        "booth": "ODOP.B2",
        "festival": "ODOP",
        "name": "Stan Barat",
        "zone": "Asia/Makassar",
        "status": "open",
        "products": [],
    },
]
STOCK_LOT = {
    "lot": LOT,
    "facility": "PR-KPG",
    "product": "KTI",
    "on_hand": 12,
    "made_on": "2026-11-30",
    "best_before": None,
    "kept_out": ["lead_time"],
}
STRAY = {
    "booth": "ODOP.BB1",
    "tills": ["T2"],
    "receipts": 3,
    "rupiah": 450_000,
    "first_at": MORNING,
    "last_at": EVENING,
    "moved_to": None,
    "unmoved": 3,
}


FACILITY_LOT = {
    "lot": LOT,
    "facility": "PR-KPG",
    "product": "KTI",
    "made_on": "2026-11-30",
    "best_before": None,
    "recalled": False,
    "withdrawn": False,
    "recorded": 25,
    "on_hand": 15,
    "reserved": 0,
    "dispatched": 10,
    "returned": 0,
    "written_off": 0,
}
SETTLEMENT = {
    "facility": "PR-KPG",
    "festival": "ODOP",
    "issued": True,
    "final": True,
    "revision": 1,
    "qty": 7,
    "sold_rupiah": 1_050_000,
    "facility_rupiah": 630_000,
    "maker_premium_rupiah": 262_500,
    "programme_rupiah": 157_500,
    "provisional_qty": 0,
    "provisional_rupiah": 0,
}
SHARE = {
    "facility": "PR-KPG",
    "festival": "ODOP",
    "request": "R1",
    "status": "settled",
    "day": None,
    "offered": 20,
    "allocated": 12,
    "reason": "Its share of KTI is as large as that of the others.",
    "reason_id": "Bagiannya dari KTI sama besar dengan yang lain.",
}


HELD = {
    "place": "ODOP.B1",
    "device": f"d-{'a' * 52}",
    "record": "r-1",
    "type": "ReceiptIssued.v1",
    "source": "till/ODOP.B1/T1",
    "number": 1,
    "seq": 7,
    "recorded_at": MORNING,
    "digest": "0" * 64,
    "bytes": 300,
    "held_at": EVENING,
    "status": "held",
    "decided_at": None,
    "reason": None,
}
SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")


def operator_pages() -> dict[str, Any]:
    """What the services answer to an operator: all work, one key waits, and a lost till's records are held."""
    pages: dict[str, Any] = {f"{name}/health/ready": {"status": "ready"} for name in (*SERVICES, "operations")}
    for name in SERVICES:
        pages[f"{name}/backlog"] = {
            "service": name,
            "waiting": [{"group": f"karya.{name}.booth", "topic": "karya.till.sales.v1", "records": 1_250}],
            "outbox_pages": 0,
            "parked_keys": 0,
            "parked": [],
        }
    key = {"group": "karya.sales.booth", "key": "ODOP.B1", "events": 3}
    pages["sales/backlog"] |= {"parked_keys": 1, "parked": [key]}
    pages["gateway/held"] = [deepcopy(HELD), {**HELD, "record": "r-0", "status": "refused", "reason": "curian"}]
    return pages


def facility_pages() -> dict[str, Any]:
    """What the services answer of a facility whose festival is settled."""
    return deepcopy(
        {
            "inventory/lots": [FACILITY_LOT],
            "sales/settlements": [SETTLEMENT],
            "sales/facilities/PR-KPG/demand": [],
            "festival/facilities/PR-KPG/shares": [SHARE],
            "production/facilities": [{"code": "PR-KPG", "zone": "Asia/Makassar"}],
        }
    )


def running_festival() -> dict[str, Any]:
    """The answers of all services, by `service/path`, to be changed freely."""
    products = [
        {"code": code, "name": name, "category": "kain", "usual_price_rupiah": 150_000, "retired_at": None}
        for code, name in {"KTI": "Kain tenun ikat", "MDS": "Madu", "KPI": "Kopi"}.items()
    ]
    request = {"status": "settled", "asked": 40, "held": 39, "short": 1, "day": None, "hold_until": None}
    return deepcopy(
        pages_of(FESTIVAL)
        | {
            f"{PLACE}/booths": BOOTHS,
            f"{PLACE}/booths/ODOP.B1": BOOTHS[0],
            f"{PLACE}/booths/ODOP.B2": BOOTHS[1],
            f"{PLACE}/requests": [
                {"request": "R1", "lapsed": False, **request},
                {"request": "R2", "lapsed": False, **request},
            ],
            f"{PLACE}/requests/R3": PROPOSED,
            f"{PLACE}/requests/R3/what-if": WHAT_IF,
            f"{PLACE}/replenishments/R2": REFILL,
            f"{PLACE}/shipments": [an_arrival("received", **SHIPMENT)],
            f"{PLACE}/shipments/S1": an_arrival("received", **SHIPMENT),
            f"{PLACE}/transfers": [an_arrival("sent", **TRANSFER)],
            f"{PLACE}/transfers/T1": an_arrival("sent", **TRANSFER),
            "festival/stock": [{"product": "KTI", "on_hand": 12, "plannable": 10}],
            "production/products": products,
            "production/catalogue": {
                "revision": 1,
                "entries": [
                    {
                        "kind": "product",
                        "code": "KTI",
                        "name": "Kain tenun ikat",
                        "category": "kain",
                        "unit": "helai",
                    },
                    {"kind": "facility", "code": "PR-KPG", "name": "Bengkel", "island": "timor", "products": ["KTI"]},
                    {"kind": "lead-time", "code": "rote/timor", "days": 2},
                ],
            },
            "sales/booths": [SELLING],
            "sales/booths/ODOP.B1": SELLING,
            "sales/booths/ODOP.B1/receipts": [RECEIPT],
            "sales/booths/ODOP.B1/takings": TAKINGS,
            "sales/strays": [STRAY],
            "sales/disputes": [
                {
                    "booth": "ODOP.B1",
                    "name": "Stan Timur",
                    "zone": "Asia/Makassar",
                    "status": "open",
                    "takings_rupiah": 280_000,
                    "sold": 2,
                    "receipts": 1,
                    "sales": [
                        {
                            "sale": "ODOP.B1-T1-000008/1",
                            "receipt": "ODOP.B1-T1-000008",
                            "till": "T1",
                            "lot": None,
                            "product": "KTI",
                            "qty": 1,
                            "waiting": 1,
                            "disputed": 0,
                            "rupiah": 150_000,
                            "sold_at": MORNING,
                        }
                    ],
                }
            ],
            "sales/settlements": [],
            "sales/sell-through": SOLD,
            "festival/stock/KTI": [STOCK_LOT],
            "identity/devices": [],
        }
    )
