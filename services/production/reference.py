"""The reference data, read from YAML and validated as a whole before use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from services.production.domain.catalogue import Catalogue, Facility, Product
from shared.errors import BadReference
from shared.events import names
from shared.events.language import MAX_QTY, Id
from shared.events.lot_number import FACILITY_CODE, PRODUCT_CODE


@dataclass(frozen=True, slots=True)
class PastFestival:
    """A past festival, used in examples. Days are local to `zone`."""

    code: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Reference:
    """`categories`: names by code. `islands`: by facility. `lead_days`: days of a parcel from one island to
    another."""

    catalogue: Catalogue
    categories: dict[str, str]
    festivals: tuple[PastFestival, ...]
    islands: dict[str, str]
    lead_days: dict[tuple[str, str], int]

    def days_to(self, island: str) -> dict[str, int]:
        """Days of a parcel to the island, by facility.

        Raises BadReference if the lead time from one of the facilities is unknown.
        """
        try:
            return {facility: self.lead_days[home, island] for facility, home in sorted(self.islands.items())}
        except KeyError as missing:
            islands = ", ".join(sorted({end for _, end in self.lead_days}))
            start, end = missing.args[0]
            raise BadReference(f"No lead time from {start} to {end} is known; islands are {islands}.") from None


@lru_cache(maxsize=1)
def load() -> Reference:
    """Karya's own reference data. Raises BadReference for an invalid entry."""
    return parse((files("services.production") / "reference.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Reference:
    """Reference data from YAML. Raises BadReference with every invalid entry."""
    try:
        checked = _Reference.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise BadReference(f"The reference data is not valid YAML{place}.") from None
    except ValidationError as error:
        raise BadReference(_explain(error)) from None
    return checked.reference()


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is not a known time zone (is the package tzdata installed?)") from None
    return name


_Text = Annotated[str, StringConstraints(min_length=1, max_length=120)]
_Zone = Annotated[str, AfterValidator(_zone)]
_Name = Annotated[str, StringConstraints(pattern=f"^(?:{names.CATEGORY.pattern.pattern})$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Category(_Entry):
    code: _Name
    name: _Text


class _Product(_Entry):
    code: Annotated[str, StringConstraints(pattern=f"^{PRODUCT_CODE.pattern}$")]
    name: _Text
    category: Id
    unit: _Text
    max_qty: Annotated[int, Field(ge=1, le=MAX_QTY)]
    shelf_life_days: Annotated[int, Field(ge=0, le=3650)] | None = None

    def product(self) -> Product:
        days = self.shelf_life_days
        shelf_life = timedelta(days=days) if days is not None else None
        return Product(self.code, self.name, self.category, self.unit, self.max_qty, shelf_life)


class _Facility(_Entry):
    code: Annotated[str, StringConstraints(pattern=f"^{FACILITY_CODE.pattern}$")]
    kind: _Text
    name: _Text
    zone: _Zone
    island: Id | None = None
    products: list[str]

    def facility(self) -> Facility:
        return Facility(self.code, self.kind, self.name, ZoneInfo(self.zone), frozenset(self.products))


class _LeadTime(_Entry):
    start: Id
    end: Id
    days: Annotated[int, Field(ge=0, le=90)]


class _Festival(_Entry):
    code: Id
    name: _Text
    place: _Text
    zone: _Zone
    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _in_order(self) -> "_Festival":
        if self.last_day < self.first_day:
            raise ValueError(f"festival {self.code} ends before it begins")
        return self


class _Reference(_Entry):
    categories: list[_Category]
    products: list[_Product]
    facilities: list[_Facility]
    festivals: list[_Festival] = []
    lead_times: list[_LeadTime] = []

    @model_validator(mode="after")
    def _holds_together(self) -> "_Reference":
        problems = [
            *_duplicates("category", (entry.code for entry in self.categories)),
            *_duplicates("product", (entry.code for entry in self.products)),
            *_duplicates("facility", (entry.code for entry in self.facilities)),
            *_duplicates("festival", (entry.code for entry in self.festivals)),
            *_duplicates("lead time", (f"{entry.start} to {entry.end}" for entry in self.lead_times)),
        ]
        categories = {entry.code for entry in self.categories}
        products = {entry.code for entry in self.products}
        problems += [
            f"product {product.code}: there is no category {product.category}"
            for product in self.products
            if product.category not in categories
        ]
        for facility in self.facilities:
            problems += [
                f"facility {facility.code}: there is no product {code}"
                for code in facility.products
                if code not in products
            ]
            problems += _duplicates(f"facility {facility.code}: product", facility.products)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def reference(self) -> Reference:
        catalogue = Catalogue(
            facilities={entry.code: entry.facility() for entry in self.facilities},
            products={entry.code: entry.product() for entry in self.products},
        )
        return Reference(
            catalogue,
            {entry.code: entry.name for entry in self.categories},
            tuple(PastFestival(**entry.model_dump()) for entry in self.festivals),
            {entry.code: entry.island for entry in self.facilities if entry.island is not None},
            {(entry.start, entry.end): entry.days for entry in self.lead_times},
        )


def _duplicates(kind: str, codes: Iterable[str]) -> list[str]:
    listed_codes: set[str] = set()
    problems = []
    for code in codes:
        if code in listed_codes:
            problems.append(f"{kind} {code} is listed twice")
        listed_codes.add(code)
    return problems


def _explain(error: ValidationError) -> str:
    lines = [
        f"- {'.'.join(str(part) for part in problem['loc']) or 'all of it'}: {problem['msg']}"
        for problem in error.errors(include_url=False)
    ]
    return "\n".join(["The reference data has errors:", *lines])
