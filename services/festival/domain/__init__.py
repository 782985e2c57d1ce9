"""What festival knows (festivals, booths, requests, what is on its way) and the rules that it goes by."""

from services.festival.domain.allocation.request import Request
from services.festival.domain.booth import Booth
from services.festival.domain.booth_sales import BoothSales
from services.festival.domain.command import Command
from services.festival.domain.festival import Festival
from services.festival.domain.logistics.shipment import Shipment
from services.festival.domain.logistics.transfer import Transfer
from services.festival.domain.replenishment.replenish import Replenishment
from services.festival.domain.stock import StockView

__all__ = [
    "Booth",
    "BoothSales",
    "Command",
    "Festival",
    "Replenishment",
    "Request",
    "Shipment",
    "StockView",
    "Transfer",
]
