"""Festival's two processors: a festival with all that belongs to it, and the view of the stock to plan by."""

from services.festival.domain import StockView
from services.festival.domain.allocation.planner import FairPlanner, Planner
from services.festival.domain.catalogue import Catalogue
from services.festival.domain.stock import keep
from services.festival.handlers.answers import answers_to
from services.festival.handlers.catalogue import seed
from services.festival.handlers.commands import CommandHandler, commands
from services.festival.store import (
    BOOTH_SALES,
    BOOTHS,
    COMMANDS,
    FESTIVALS,
    REPLENISHMENTS,
    REQUESTS,
    SHIPMENTS,
    STOCK,
    TRANSFERS,
)
from shared.events.festival import FESTIVAL_DEADLINES, ORGANISER
from shared.events.inventory import INVENTORY, RESERVATIONS, StockChanged
from shared.events.language import Event
from shared.events.sales import BOOTH_REPORTS
from shared.runtime.processor import Processor, View, on
from shared.runtime.state import Ref

__all__ = ["FESTIVAL", "LOT", "PROCESSORS", "CommandHandler", "by_festival", "commands", "seed"]


def _lot(event: Event, _body: StockChanged) -> tuple[Ref]:
    return (Ref(StockView, event.key),)


LOT = Processor(
    service="festival",
    key="lot",
    topics=(INVENTORY,),
    collections=(STOCK,),
    handlers=(on(StockChanged, keep, reads=_lot),),
)


def by_festival(planner: Planner, catalogue: Catalogue = seed) -> Processor:
    """The processor by festival, with plans by this planner and products of this catalogue."""
    return Processor(
        service="festival",
        key="festival",
        topics=(ORGANISER, RESERVATIONS, BOOTH_REPORTS, FESTIVAL_DEADLINES),
        collections=(FESTIVALS, BOOTHS, REQUESTS, SHIPMENTS, TRANSFERS, BOOTH_SALES, REPLENISHMENTS, COMMANDS),
        handlers=(*(command.handler for command in commands(planner, catalogue)), *answers_to(planner)),
        views=(View(STOCK, LOT),),
        deadlines=FESTIVAL_DEADLINES,
    )


FESTIVAL = by_festival(FairPlanner())
PROCESSORS = (LOT, FESTIVAL)
