"""Commands that correct mistakes: days, place and names, a booth opened twice, sales at a booth that is unknown."""

from datetime import date
from typing import Annotated

import typer

from cli.festival.session import Booth, Festival, Json, Yes, booth_id, confirmed_command, service, show_answer
from cli.parameters import DAY, parsed
from shared import typed
from shared.translation import tr


def change(
    context: typer.Context,
    festival: Festival,
    name: Annotated[str | None, typer.Option(help="Its new name for people.")] = None,
    place: Annotated[str | None, typer.Option(help="Where it is held instead.")] = None,
    zone: Annotated[str | None, typer.Option(help="The time zone there.")] = None,
    first_day: Annotated[date | None, typer.Option(parser=DAY, help="The new first day, e.g. 2026-04-18.")] = None,
    last_day: Annotated[date | None, typer.Option(parser=DAY, help="The new last day.")] = None,
    island: Annotated[str | None, typer.Option(help="The new destination of parcels.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Change a festival. Once something was sent, only the name can change, and the last day become later."""
    fields = {
        "name": name,
        "place": place,
        "zone": zone,
        "first_day": first_day.isoformat() if first_day else None,
        "last_day": last_day.isoformat() if last_day else None,
        "island": island,
    }
    body = {field: value for field, value in fields.items() if value is not None}
    with service(context) as api:
        answer = confirmed_command(api, "festivals", festival, "change", body=body, yes=yes)
        show_answer(answer, tr("{festival} is changed.", festival=festival), as_json=as_json)


def rename_booth(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    name: Annotated[str, typer.Argument(help="Its new name for people.")],
    as_json: Json = False,
) -> None:
    """Give a booth another name. Its id stays."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "name", body={"name": name})
        show_answer(answer, tr("Booth {booth} is called {name} now.", booth=id, name=name), as_json=as_json)


def add_product(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    price: Annotated[list[str], typer.Argument(help="PRODUCT=RUPIAH, e.g. KTI=150.000.")],
    as_json: Json = False,
) -> None:
    """Sell more products at an open booth, from now on."""
    id = booth_id(festival, booth)
    prices = parsed(lambda: typed.pairs(price, "KTI=150.000", typed.product, typed.rupiah))
    with service(context) as api:
        for product, rupiah in prices.items():
            body = {"product": product, "price_rupiah": rupiah}
            answer = api.command("festivals", festival, "booths", id, "products", body=body)
            show_answer(answer, tr("Booth {booth} sells {product} too.", booth=id, product=product), as_json=as_json)


def merge_booths(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str, typer.Argument(help="The booth that was opened by mistake, e.g. B2.")],
    to: Annotated[str, typer.Argument(help="The booth that goes on, e.g. B1.")],
    as_json: Json = False,
) -> None:
    """Merge a booth into another: unsold stock and devices move there, and the first booth closes.

    Its sales stay its own. What its tills sell from now on counts at the other booth.
    """
    id, target_id = booth_id(festival, booth), booth_id(festival, to)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "merge", body={"to": target_id})
        show_answer(answer, tr("Booth {booth} is merged into {other}.", booth=id, other=target_id), as_json=as_json)


def move_stray(
    context: typer.Context,
    festival: Festival,
    stray: Annotated[str, typer.Argument(help="The booth's name on the tills, e.g. odop.b1.")],
    booth: Booth,
    as_json: Json = False,
) -> None:
    """Publish the records of a booth that does not exist for the right one, also those that are still to come."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "strays", body={"stray": stray})
        message = tr(
            "What tills sent for {stray} counts at {booth}. Set the tills up for {booth} now.", stray=stray, booth=id
        )
        show_answer(answer, message, as_json=as_json)
