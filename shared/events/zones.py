"""The time zones that a festival can be in."""

FESTIVAL_ZONES = ("Asia/Jakarta", "Asia/Jayapura", "Asia/Makassar", "Asia/Pontianak")
