"""Festival's two key families: a festival with all that belongs to it, and the view of the stock to plan by."""

from services.festival.domain.rules import decide
from services.festival.domain.stock import decide as keep
from services.festival.reads import touches, touches_stock
from services.festival.store import (
    BOOTHS,
    COMMANDS,
    FESTIVALS,
    PACES,
    REPLENISHMENTS,
    REQUESTS,
    SHIPMENTS,
    STOCK,
    TRANSFERS,
)
from shared.events.festival import FESTIVAL_DEADLINES, ORGANISER
from shared.events.inventory import INVENTORY, RESERVATIONS
from shared.events.sales import BOOTH_REPORTS
from shared.runtime.family import Family

LOT = Family(
    service="festival",
    key="lot",
    topics=(INVENTORY,),
    collections=(STOCK,),
    touches=touches_stock,
    decide=keep,
)
FESTIVAL = Family(
    service="festival",
    key="festival",
    topics=(ORGANISER, RESERVATIONS, BOOTH_REPORTS, FESTIVAL_DEADLINES),
    collections=(FESTIVALS, BOOTHS, REQUESTS, SHIPMENTS, TRANSFERS, PACES, REPLENISHMENTS, COMMANDS, STOCK),
    touches=touches,
    decide=decide,
    deadlines=FESTIVAL_DEADLINES,
)
FAMILIES = (LOT, FESTIVAL)
