"""What sales knows (booths, receipts, settlements, demand, feeds) and the rules that it goes by."""

from services.sales.domain.booth import Booth
from services.sales.domain.demand import FacilityDemand
from services.sales.domain.public import FacilityFeed
from services.sales.domain.receipt import Receipt
from services.sales.domain.settlement import Settlement

__all__ = ["Booth", "FacilityDemand", "FacilityFeed", "Receipt", "Settlement"]
