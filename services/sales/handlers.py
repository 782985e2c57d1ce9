"""The two key families of sales: a booth with its receipts, and from it a facility's settlements, demand and public
events."""

from services.sales.domain.facility import deciding
from services.sales.domain.rules import decide
from services.sales.domain.settlement import Percentages
from services.sales.reads import touches, touches_facility
from services.sales.store import BOOTHS, DEMANDS, FEEDS, RECEIPTS, SETTLEMENTS
from shared.errors import BadSettings
from shared.events.festival import BOOTH_STOCK
from shared.events.sales import SALE_SHARES, SALES_DEADLINES, TILL
from shared.runtime.family import Family
from shared.settings import Settings

BOOTH = Family(
    service="sales",
    key="booth",
    topics=(BOOTH_STOCK, TILL, SALES_DEADLINES),
    collections=(BOOTHS, RECEIPTS),
    touches=touches,
    decide=decide,
    deadlines=SALES_DEADLINES,
)


def facility(by: Percentages) -> Family:
    """The family by facility, sharing by these percentages."""
    return Family(
        service="sales",
        key="facility",
        topics=(SALE_SHARES,),
        collections=(SETTLEMENTS, DEMANDS, FEEDS),
        touches=touches_facility,
        decide=deciding(by),
    )


def percentages(settings: Settings) -> Percentages:
    """How sales are shared. Raises BadSettings unless it adds up to the whole."""
    by = Percentages(settings.facility_percent, settings.maker_percent, settings.programme_percent)
    if not by.whole:
        raise BadSettings(
            "KARYA_FACILITY_PERCENT, KARYA_MAKER_PERCENT and KARYA_PROGRAMME_PERCENT are "
            f"{by.facility}, {by.maker} and {by.programme}. Please change them so that they add up to 100."
        )
    return by


# Shares that don't add up stop the service here, before any money is shared by them.
FAMILIES = (BOOTH, facility(percentages(Settings())))
