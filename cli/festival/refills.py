"""The command for replenishment: a forecast, transfers between booths, and shipments of facilities."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.console import say, show_table
from cli.festival.client import AnswerStatus, Row, ServiceClient
from cli.festival.session import Festival, Json, festival_time, service, show_answer
from cli.parameters import CLOCK, parsed
from shared import typed
from shared.translation import tr


def replenish(
    context: typer.Context,
    festival: Festival,
    request: Annotated[str, typer.Argument(help="A new name, also for the request to facilities, e.g. R2.")],
    until: Annotated[
        time,
        typer.Option(parser=CLOCK, help="When the booths close: the next such local time, e.g. 17.00."),
    ],
    product: Annotated[
        list[str] | None,
        typer.Option(help="Facilities send only this product; all products of the booths if left out."),
    ] = None,
    opens: Annotated[
        time | None,
        typer.Option(parser=CLOCK, help="If booths are closed: the next local time at which they open."),
    ] = None,
    between_booths: Annotated[bool, typer.Option("--between-booths", help="Only transfers between booths.")] = False,
    consent: Annotated[bool, typer.Option(help="Accept the facilities' plan without a look at it.")] = False,
    as_json: Json = False,
) -> None:
    """Forecast the rest of the day, or with --opens the next one, and propose transfers and shipments."""
    if between_booths and product:
        raise typer.BadParameter(tr("use --product or --between-booths, not both"))
    with service(context) as api:
        zone = ZoneInfo(api.get("festivals", festival)["zone"])
        products = parsed(lambda: [typed.product(code) for code in product or []])
        products = products or ([] if between_booths else _sold(api, festival))
        body = {
            "request": request,
            "until": _next(until, zone).isoformat(),
            "opens": _next(opens, zone).isoformat() if opens is not None else None,
            "products": products,
            "consent": consent,
        }
        answer = api.command("festivals", festival, "replenishments", body=body)
        succeeded = answer.status is AnswerStatus.DONE
        page = api.get("festivals", festival, "replenishments", request) if succeeded else None
        closing = festival_time(page["until"], str(zone)) or "" if page else ""
        show_answer(
            answer,
            tr("{request}: until {moment}", request=request, moment=closing),
            as_json=as_json,
            extra={"replenishment": page},
        )
        if page is not None and not as_json:
            _show(page, str(zone))


def _sold(api: ServiceClient, festival: str) -> list[str]:
    booths = api.all("festivals", festival, "booths", by="booth")
    return sorted({price["product"] for booth in booths for price in booth["prices"]})


def _next(at: time, zone: ZoneInfo) -> datetime:
    now = datetime.now(zone)
    today = datetime.combine(now.date(), at, zone)
    return (today if today > now else today + timedelta(days=1)).astimezone(UTC)


def _show(page: Row, zone: str) -> None:
    forecasts = [
        {
            **forecast,
            "runs_out": festival_time(forecast["runs_out"], zone),
            "expected": f"{forecast['expected']} ± {forecast['give_or_take']}",
        }
        for forecast in page["forecasts"]
        if forecast["missing"]
    ]
    show_table(
        ["booth", "product", "left", "expected", "missing", "runs_out"], forecasts, tr("Nothing will run out.")
    )
    if unknown := sorted({forecast["product"] for forecast in page["forecasts"] if not forecast["known"]}):
        say(
            tr(
                "Too little is known yet of {products}: ask again when a booth has had them on sale for an hour.",
                products=", ".join(unknown),
            )
        )
    say("")
    empty = tr("No booth can spare what another one lacks.")
    show_table(["booth", "to", "product", "qty", "lot", "reason"], page["transfers"], empty)
    if page["transfers"]:
        say(tr("Carry them out with `karya festival transfer send`."))
    say("")
    show_table(["booth", "product", "qty", "reason"], page["refills"], tr("Facilities need not send anything."))
    if page["conflicts"]:
        say(tr("But none of it can be planned:"))
        show_table(["booth", "product", "short", "reason"], page["conflicts"], "")
    elif page["refills"]:
        say(tr("`karya festival plan` shows the senders under {request}.", request=page["request"]))
