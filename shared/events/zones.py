"""Time zones: those that a festival can lie in, and the one that each facility lies in.

A terminal needs its facility's before it has heard anything, and production goes by the same: both read it here.
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
