"""The key family of inventory: everything that changes a lot comes by one subscriber, in one order."""

from services.inventory.domain.rules import decide
from services.inventory.reads import touches
from services.inventory.store import LOTS
from shared.events.inventory import STOCK_ORDERS
from shared.events.production import PRODUCTION
from shared.runtime.family import Family

LOT = Family(
    service="inventory",
    key="lot",
    topics=(PRODUCTION, STOCK_ORDERS),
    collections=(LOTS,),
    touches=touches,
    decide=decide,
)
FAMILIES = (LOT,)
