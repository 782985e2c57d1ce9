"""The collections of festival: documents of festivals and their entities, of commands and of the stock view."""

from services.festival.store.booths import BOOTHS, FESTIVALS, PACES
from services.festival.store.commands import COMMANDS
from services.festival.store.goods import REPLENISHMENTS, SHIPMENTS, TRANSFERS
from services.festival.store.requests import REQUESTS
from services.festival.store.stock import STOCK

__all__ = [
    "BOOTHS",
    "COMMANDS",
    "FESTIVALS",
    "PACES",
    "REPLENISHMENTS",
    "REQUESTS",
    "SHIPMENTS",
    "STOCK",
    "TRANSFERS",
]
