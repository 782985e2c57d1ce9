"""The MongoDB documents of production: reports and lots, and the catalogue."""

from services.production.store.catalogue import ENTRIES, ENTRY_COMMANDS, FACILITIES, REVISIONS, WAITING_REPORTS
from services.production.store.reports import COUNTERS, LOTS, REPORTS

__all__ = [
    "COUNTERS",
    "ENTRIES",
    "ENTRY_COMMANDS",
    "FACILITIES",
    "LOTS",
    "REPORTS",
    "REVISIONS",
    "WAITING_REPORTS",
]
