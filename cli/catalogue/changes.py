"""Commands that add, change and retire entries of the catalogue. What is left out of a change stays as it is."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.catalogue.session import ENTRIES, EntryId, Json, existing, known_entry, service
from cli.festival.client import ServiceClient
from cli.festival.session import show_answer
from cli.parameters import FACILITY, PRODUCT, RUPIAH, WHOLE
from shared.errors import WrongEntry
from shared.events.catalogue import EntryKind, entry_id
from shared.translation import tr
from shared.wording import Message, Value

Code = Annotated[str, typer.Argument(help="The code, e.g. tenun.")]
Name = Annotated[str, typer.Argument(help="The name for people.")]


def set_product(
    context: typer.Context,
    product: Annotated[str, typer.Argument(parser=PRODUCT, help="The code: three letters.")],
    name: Annotated[str | None, typer.Option(help="The name for people.")] = None,
    category: Annotated[str | None, typer.Option(help="The code of its category.")] = None,
    unit: Annotated[str | None, typer.Option(help="The code of its unit, e.g. helai.")] = None,
    max_qty: Annotated[
        int | None, typer.Option(parser=WHOLE, help="More pieces in one report count as a typing error.")
    ] = None,
    shelf_life: Annotated[
        int | None, typer.Option(parser=WHOLE, help="For how many days it keeps; only for goods that spoil.")
    ] = None,
    price: Annotated[int | None, typer.Option(parser=RUPIAH, help="Its usual price, e.g. 150.000.")] = None,
    as_json: Json = False,
) -> None:
    """Add a product or change it."""
    fields = {
        "name": name,
        "category": category,
        "unit": unit,
        "max_qty": max_qty,
        "shelf_life_days": shelf_life,
        "usual_price_rupiah": price,
    }
    options = {"name": "--name", "category": "--category", "unit": "--unit", "max_qty": "--max-qty"}
    with service(context) as api:
        body = merged(api, EntryKind.PRODUCT, product, fields, options)
        answer = api.command(ENTRIES, entry_id(EntryKind.PRODUCT, product), "set-product", body=body)
        show_answer(answer, tr("Product {product} is in the catalogue.", product=product), as_json=as_json)


def set_facility(
    context: typer.Context,
    facility: Annotated[str, typer.Argument(parser=FACILITY, help="The code, e.g. PR-KPG.")],
    name: Annotated[str | None, typer.Option(help="The name for people.")] = None,
    kind: Annotated[str | None, typer.Option(help="What kind of facility it is, e.g. lapas.")] = None,
    zone: Annotated[str | None, typer.Option(help="Its time zone, e.g. Asia/Makassar.")] = None,
    island: Annotated[str | None, typer.Option(help="The code of its island; lead times count from there.")] = None,
    product: Annotated[
        list[str] | None, typer.Option(parser=PRODUCT, help="A product that it makes; repeat it for the whole list.")
    ] = None,
    add: Annotated[list[str] | None, typer.Option(parser=PRODUCT, help="A product more.")] = None,
    drop: Annotated[list[str] | None, typer.Option(parser=PRODUCT, help="A product that it makes no more.")] = None,
    as_json: Json = False,
) -> None:
    """Add a facility or change it."""
    fields = {"name": name, "facility_kind": kind, "zone": zone, "island": island, "products": product or None}
    options = {"name": "--name", "facility_kind": "--kind", "zone": "--zone"}
    with service(context) as api:
        body = merged(api, EntryKind.FACILITY, facility, fields, options)
        products = [*(body.get("products") or []), *(add or [])]
        body["products"] = [code for code in dict.fromkeys(products) if code not in (drop or [])]
        answer = api.command(ENTRIES, entry_id(EntryKind.FACILITY, facility), "set-facility", body=body)
        show_answer(answer, tr("Facility {facility} is in the catalogue.", facility=facility), as_json=as_json)


def set_category(context: typer.Context, code: Code, name: Name, as_json: Json = False) -> None:
    """Add a category or rename it."""
    _set_term(context, EntryKind.CATEGORY, code, name, as_json=as_json)


def set_unit(context: typer.Context, code: Code, name: Name, as_json: Json = False) -> None:
    """Add a unit or rename it."""
    _set_term(context, EntryKind.UNIT, code, name, as_json=as_json)


def set_island(context: typer.Context, code: Code, name: Name, as_json: Json = False) -> None:
    """Add an island or rename it."""
    _set_term(context, EntryKind.ISLAND, code, name, as_json=as_json)


def set_lead_time(
    context: typer.Context,
    start: Annotated[str, typer.Argument(help="The island that a parcel leaves.")],
    end: Annotated[str, typer.Argument(help="The island that it goes to.")],
    days: Annotated[int, typer.Argument(parser=WHOLE, help="How many days it takes.")],
    as_json: Json = False,
) -> None:
    """Add or change the days of a parcel between two islands."""
    with service(context) as api:
        answer = api.command(ENTRIES, entry_id(EntryKind.LEAD_TIME, start, end), "set-lead-time", body={"days": days})
        show_answer(
            answer,
            tr("A parcel from {start} to {end} takes {days} days.", start=start, end=end, days=days),
            as_json=as_json,
        )


def retire(
    context: typer.Context,
    entry: EntryId,
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    as_json: Json = False,
) -> None:
    """Retire an entry: nothing new may name it. Reports made before stay valid."""
    with service(context) as api:
        id = known_entry(api, entry)["entry"]
        answer = api.command(ENTRIES, id, "retire", body={"reason": reason})
        show_answer(answer, tr("{id} is retired; set it again to take it back.", id=id), as_json=as_json)


def merged(
    api: ServiceClient, kind: EntryKind, code: str, fields: dict[str, Any], needed: Mapping[str, Value]
) -> dict[str, Any]:
    """The body of a command: the new values of the fields, and for a field that is None its present value.

    `needed`: the option or column of each field that a new entry must have. Raises WrongEntry if one is missing.
    """
    entry = existing(api, kind, code) or {}
    body = {field: value if value is not None else entry.get(field) for field, value in fields.items()}
    for field, option in needed.items():
        if body[field] is None:
            raise WrongEntry(
                Message("{entry} is new: it needs {option} as well.", entry=entry_id(kind, code), option=option)
            )
    return body


def _set_term(context: typer.Context, kind: EntryKind, code: str, name: str, *, as_json: bool) -> None:
    with service(context) as api:
        answer = api.command(ENTRIES, entry_id(kind, code), "set-term", body={"name": name})
        show_answer(
            answer, tr("{kind:word}/{code} is in the catalogue.", kind=kind.value, code=code), as_json=as_json
        )
