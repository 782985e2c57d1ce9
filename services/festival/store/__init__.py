"""The collections of festival: documents of festivals and their entities, of commands and of the stock view."""

from services.festival.store.booths import BOOTH_SALES, BOOTHS, FESTIVALS
from services.festival.store.catalogue import ENTRIES
from services.festival.store.commands import COMMANDS
from services.festival.store.goods import REPLENISHMENTS, SHIPMENTS, TRANSFERS
from services.festival.store.requests import PLAN_LINES, PLAN_TERMS, REQUESTS
from services.festival.store.stock import STOCK

__all__ = [
    "BOOTHS",
    "BOOTH_SALES",
    "COMMANDS",
    "ENTRIES",
    "FESTIVALS",
    "PLAN_LINES",
    "PLAN_TERMS",
    "REPLENISHMENTS",
    "REQUESTS",
    "SHIPMENTS",
    "STOCK",
    "TRANSFERS",
]
