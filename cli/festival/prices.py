"""Prices that change while a booth is open."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.festival.session import Booth, Festival, Json, booth_id, festival_time, service, show_answer
from cli.parameters import PRODUCT, RUPIAH
from shared import typed
from shared.errors import WrongEntry
from shared.translation import tr


def change_price(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    product: Annotated[str, typer.Argument(parser=PRODUCT, help="A product of the booth, e.g. KTI.")],
    price: Annotated[int, typer.Argument(parser=RUPIAH, help="Rupiah, e.g. 150.000.")],
    valid_from: Annotated[
        str | None,
        typer.Option("--from", help="Local time there, e.g. 14:00 or '2026-04-19 08:00'; now if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a price, now or from a later moment."""
    id = booth_id(festival, booth)
    with service(context) as api:
        zone = str(api.get("festivals", festival)["zone"])
        at = _moment(valid_from, ZoneInfo(zone)) if valid_from else None
        body = {"product": product, "price_rupiah": price, "valid_from": at}
        answer = api.command("festivals", festival, "booths", id, "prices", body=body)
        message = tr(
            "Booth {booth} sells {product} at {price:rupiah} from now on.", booth=id, product=product, price=price
        )
        if at is not None:
            message = tr(
                "Booth {booth} sells {product} at {price:rupiah} from {moment}.",
                booth=id,
                product=product,
                price=price,
                moment=festival_time(at, zone) or "",
            )
        show_answer(answer, message, as_json=as_json)


def _moment(clock: str, zone: ZoneInfo) -> str:
    """The UTC time of a local time today (`14.00` or `14:00`), or of a day with a time."""
    day, _, hour = clock.strip().rpartition(" ")
    try:
        on = typed.day(day) if day else datetime.now(zone).date()
        at = datetime.combine(on, typed.clock(hour), zone)
    except WrongEntry as wrong:
        raise typer.BadParameter(
            tr("{wrong} Say e.g. --from 14.00 or --from '2026-04-19 08.00'.", wrong=wrong.message)
        ) from None
    return at.astimezone(UTC).isoformat()
