"""Time zones: those of festivals, and the zone of each facility.

A terminal needs its facility's zone before it has received anything, and production uses the same zone.
"""

from collections.abc import Mapping

FESTIVAL_ZONES = ("Asia/Jakarta", "Asia/Jayapura", "Asia/Makassar", "Asia/Pontianak")

FACILITY_ZONES: Mapping[str, str] = {
    "BP-KPG": "Asia/Makassar",
    "BP-WKB": "Asia/Makassar",
    "LA-KPG": "Asia/Makassar",
    "LP-ATB": "Asia/Makassar",
    "LP-BAA": "Asia/Makassar",
    "LP-KPG": "Asia/Makassar",
    "LP-WKB": "Asia/Makassar",
    "LT-WKB": "Asia/Makassar",
    "PR-KPG": "Asia/Makassar",
    "RT-KPG": "Asia/Makassar",
}
