"""The lot as inventory knows it, and the rules of inventory."""

from services.inventory.domain.lot import Lot

__all__ = ["Lot"]
