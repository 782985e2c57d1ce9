"""Festival's three processors: a festival with all that belongs to it, the view of the stock to plan by, and a copy
of the catalogue."""

from services.festival.domain import StockView, catalogue
from services.festival.domain.allocation.planner import FairPlanner, Planner
from services.festival.domain.stock import keep
from services.festival.handlers.answers import answers_to
from services.festival.handlers.commands import commands
from services.festival.store import (
    BOOTH_SALES,
    BOOTHS,
    COMMANDS,
    ENTRIES,
    FESTIVALS,
    PLAN_LINES,
    PLAN_TERMS,
    REPLENISHMENTS,
    REQUESTS,
    SHIPMENTS,
    STOCK,
    TRANSFERS,
)
from shared.events.catalogue import (
    CATALOGUE,
    EntryCommandRefused,
    EntryFact,
    FacilitySet,
    LeadTimeSet,
    ProductSet,
    TermSet,
)
from shared.events.festival import FESTIVAL_DEADLINES, ORGANISER
from shared.events.inventory import INVENTORY, RESERVATIONS, StockChanged
from shared.events.language import Event
from shared.events.sales import BOOTH_REPORTS
from shared.runtime.processor import Processor, View, on
from shared.runtime.state import Ref

__all__ = ["ENTRY", "FESTIVAL", "LOT", "PROCESSORS", "by_festival", "commands"]


def _lot(event: Event, _body: StockChanged) -> tuple[Ref]:
    return (Ref(StockView, event.key),)


LOT = Processor(
    service="festival",
    key="lot",
    topics=(INVENTORY,),
    collections=(STOCK,),
    handlers=(on(StockChanged, keep, reads=_lot),),
)


def _entry(event: Event, _body: EntryFact) -> tuple[Ref]:
    return (Ref(catalogue.CatalogueEntry, event.key),)


def _nothing(_event: Event, _body: EntryCommandRefused) -> tuple[()]:
    return ()


ENTRY = Processor(
    service="festival",
    key="entry",
    topics=(CATALOGUE,),
    collections=(ENTRIES,),
    handlers=(
        on(TermSet, catalogue.keep, reads=_entry),
        on(ProductSet, catalogue.keep, reads=_entry),
        on(FacilitySet, catalogue.keep, reads=_entry),
        on(LeadTimeSet, catalogue.keep, reads=_entry),
        on(EntryCommandRefused, catalogue.pass_over, reads=_nothing),
    ),
)


def by_festival(planner: Planner) -> Processor:
    """The processor by festival, with plans by this planner."""
    return Processor(
        service="festival",
        key="festival",
        topics=(ORGANISER, RESERVATIONS, BOOTH_REPORTS, FESTIVAL_DEADLINES),
        collections=(
            FESTIVALS,
            BOOTHS,
            REQUESTS,
            PLAN_TERMS,
            PLAN_LINES,
            SHIPMENTS,
            TRANSFERS,
            BOOTH_SALES,
            REPLENISHMENTS,
            COMMANDS,
        ),
        handlers=(*(command.handler for command in commands(planner)), *answers_to(planner)),
        views=(View(STOCK, LOT),),
        deadlines=FESTIVAL_DEADLINES,
    )


FESTIVAL = by_festival(FairPlanner())
PROCESSORS = (LOT, ENTRY, FESTIVAL)
