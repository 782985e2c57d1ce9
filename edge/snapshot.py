"""The snapshot of the catalogue that production has at an address, as events for the copy of a device. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from shared.errors import NotAnswered, WrongEntry
from shared.events.catalogue import (
    EntryKind,
    FacilitySet,
    ProductSet,
    code_of,
    facility_listed,
    product_listed,
)
from shared.events.language import Event
from shared.nearest import nearest
from shared.wording import Message, any_of

SOURCE = "karya/production/catalogue"


@dataclass(frozen=True, slots=True)
class CatalogueSnapshot:
    """The facilities and products of the catalogue at one moment, by code. `etag` names this state at `address`."""

    address: str
    etag: str
    revision: int
    facilities: Mapping[str, FacilitySet]
    products: Mapping[str, ProductSet]

    @classmethod
    def of(cls, address: str, etag: str, page: Any) -> "CatalogueSnapshot":
        """The snapshot of the page. Raises NotAnswered for a page that is none."""
        try:
            rows: list[dict[str, Any]] = page["entries"]
            facilities = [_fact(FacilitySet, row) for row in rows if row["kind"] == EntryKind.FACILITY]
            products = [_fact(ProductSet, row) for row in rows if row["kind"] == EntryKind.PRODUCT]
            revision = int(page["revision"])
        except (KeyError, TypeError, ValueError, ValidationError):
            message = Message(
                "What {address} answers is no catalogue that this version of karya can read.", address=address
            )
            raise NotAnswered(message) from None
        return cls(
            address,
            etag,
            revision,
            {code_of(fact.entry): fact for fact in facilities},
            {code_of(fact.entry): fact for fact in products},
        )

    def of_facility(self, facility: str, at: datetime) -> list[Event]:
        """The facility's entry and its products. Raises WrongEntry, with the nearest codes, if it is not there."""
        entry = self.facilities.get(facility)
        if entry is None:
            alike = nearest(facility, {code: [fact.name] for code, fact in self.facilities.items()})
            message = Message("The catalogue has no facility {facility} (yet).", facility=facility)
            if alike:
                message = Message("{message} Did you mean {names}?", message=message, names=any_of(alike))
            raise WrongEntry(message)
        made = [self.products[code] for code in entry.products if code in self.products]
        return [
            _event(entry, facility, facility_listed(entry), at),
            *(_event(fact, facility, product_listed(facility, fact), at) for fact in made),
        ]

    def all_products(self, at: datetime) -> list[Event]:
        """Every product of the catalogue."""
        return [_event(fact, fact.entry, fact, at) for fact in self.products.values()]


def newest(bodies: Iterable[object]) -> dict[str, ProductSet]:
    """The products that were received, by code, each at its highest revision."""
    products: dict[str, ProductSet] = {}
    for body in bodies:
        if isinstance(body, ProductSet):
            code = code_of(body.entry)
            if code not in products or body.revision > products[code].revision:
                products[code] = body
    return products


def _fact(model: Any, row: dict[str, Any]) -> Any:
    fields = {name: value for name, value in row.items() if name in model.model_fields}
    # As JSON: a strict model takes moments and tuples from JSON only.
    return model.model_validate_json(json.dumps(fields))


def _event(fact: FacilitySet | ProductSet, key: str, body: Any, at: datetime) -> Event:
    return Event(f"{fact.entry} {fact.revision}", SOURCE, key, fact.changed_at, at, body)
