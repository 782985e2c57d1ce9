"""Production's one key family: whatever changes a facility's lots, in the order of the facility's lane."""

from datetime import timedelta

from services.production import reference
from services.production.domain.catalogue import Catalogue
from services.production.domain.rules import deciding
from services.production.reads import touches
from services.production.store import COUNTERS, LOTS, REPORTS
from shared.events.production import LOT_ANSWERS, TERMINAL
from shared.runtime.family import Family
from shared.settings import Settings


def family(catalogue: Catalogue, clock_skew: timedelta) -> Family:
    """The family by facility, deciding by this catalogue."""
    return Family(
        service="production",
        key="facility",
        topics=(TERMINAL, LOT_ANSWERS),
        collections=(COUNTERS, LOTS, REPORTS),
        touches=touches,
        decide=deciding(catalogue, clock_skew),
    )


# A reference that does not hold together stops the service here, before it has read anything.
FAMILIES = (family(reference.load().catalogue, timedelta(seconds=Settings().clock_skew_seconds)),)
