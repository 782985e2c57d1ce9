"""How festivals and all that belongs to them, commands and the stock view are kept."""

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
