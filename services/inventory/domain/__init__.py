"""What inventory knows of a lot, and the rules that it goes by."""

from services.inventory.domain.lot import Lot

__all__ = ["Lot"]
