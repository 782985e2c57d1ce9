"""A facility's part of the catalogue, kept in the facility's own lane, and the reports that wait for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.production.domain.catalogue import Facility, Product
from services.production.domain.entities import WaitingReport
from shared.events.catalogue import FacilityListed, ProductListed
from shared.events.language import Event
from shared.events.production import RELEASED, ReportReleased
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State

# One transaction publishes them all.
RELEASED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product at the revision that has come, and since when it is retired."""

    product: Product
    revision: int
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class FacilityCatalogue:
    """A facility's part of the catalogue: its entry and its products, each by the highest revision that has come.

    - `id`: the facility's code; `revision`: 0 until its entry has come.
    - `listed`: the products that it makes (None) or made until then.
    - `products`: the products that have come, those taken off the list too.
    """

    id: str
    revision: int = 0
    kind: str = ""
    name: str = ""
    zone: str = "UTC"
    retired_at: datetime | None = None
    listed: Mapping[str, datetime | None] = field(default_factory=dict)
    products: Mapping[str, ListedProduct] = field(default_factory=dict)

    def facility_at(self, moment: datetime) -> Facility:
        """The facility with the products that were on its list then, or are on it now."""
        products = (code for code, until in self.listed.items() if until is None or moment < until)
        return Facility(self.id, self.kind, self.name, ZoneInfo(self.zone), frozenset(products))


def waiting_at(facility: str) -> OwnedQuery[WaitingReport]:
    """The reports that wait for the facility's catalogue."""
    return OwnedQuery(WaitingReport, "waits_at", facility)


def list_facility(state: State, _event: Event, body: FacilityListed) -> Decision:
    """The facility's entry at this revision, unless a higher one has come; waiting reports are released."""
    facility = state.get(FacilityCatalogue, body.facility) or FacilityCatalogue(body.facility)
    if body.revision <= facility.revision:
        return state, []
    dropped_products = {
        code: until or body.changed_at for code, until in facility.listed.items() if code not in body.products
    }
    facility = replace(
        facility,
        revision=body.revision,
        kind=body.facility_kind,
        name=body.name,
        zone=body.zone,
        retired_at=body.retired_at,
        listed={**dropped_products, **dict.fromkeys(body.products)},
    )
    return release(state.put(facility), body.facility)


def list_product(state: State, _event: Event, body: ProductListed) -> Decision:
    """The product at this revision, unless a higher one has come; waiting reports are released."""
    facility = state.get(FacilityCatalogue, body.facility) or FacilityCatalogue(body.facility)
    former = facility.products.get(body.product)
    if former is not None and body.revision <= former.revision:
        return state, []
    shelf_life = timedelta(days=body.shelf_life_days) if body.shelf_life_days is not None else None
    product = Product(body.product, body.name, body.category, body.unit, body.max_qty, shelf_life)
    entry = ListedProduct(product, body.revision, body.retired_at)
    facility = replace(facility, products={**facility.products, body.product: entry})
    return release(state.put(facility), body.facility)


def release(state: State, facility: str) -> Decision:
    """Release the facility's waiting reports that can be decided now: an event to its own lane for each.

    At most RELEASED_AT_ONCE are released; the last event then asks for more.
    """
    catalogue = state.get(FacilityCatalogue, facility)
    if catalogue is None or not catalogue.revision:
        return state, []
    ready = [report for report in state.find(waiting_at(facility)) if can_be_decided(catalogue, report)]
    ready.sort(key=lambda report: (report.logged_at, report.id))
    now = ready[:RELEASED_AT_ONCE]
    events = [
        RELEASED.of(
            ReportReleased(
                facility=facility,
                report=report.id,
                product=report.body.product,
                made_on=report.body.made_on,
                more=report is now[-1] and len(ready) > len(now),
            )
        )
        for report in now
    ]
    return state.put(*(replace(report, waits_at="") for report in now)), list(events)


def can_be_decided(facility: FacilityCatalogue, report: WaitingReport) -> bool:
    """Whether the entries have come by which the report is decided: the facility, and a product on its list."""
    if not facility.revision:
        return False
    product = report.body.product
    return product in facility.products or product not in facility.facility_at(report.time).products
