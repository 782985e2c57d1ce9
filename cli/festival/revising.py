"""Where reality differs from a plan: plan again what is missing, close one booth early."""

from typing import Annotated

import typer

from cli.console import say, show_table
from cli.festival.client import CommandStatus, Row
from cli.festival.session import Festival, Json, Request, booth_id, service, show_answer
from cli.parameters import WHOLE, parsed
from shared import typed


def revise(
    context: typer.Context,
    festival: Festival,
    request: Request,
    without: Annotated[list[str] | None, typer.Option(help="A facility that can't send; may come again.")] = None,
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    consent: Annotated[bool, typer.Option(help="Carry it out at once.")] = False,
    as_json: Json = False,
) -> None:
    """Plan again what is missing, and see what would change. What was sent or can stay stays."""
    facilities = parsed(lambda: [typed.facility(code) for code in without or []])
    body = {"without": facilities, "reason": reason, "consent": consent}
    with service(context) as api:
        answer = api.command("festivals", festival, "requests", request, "revise", body=body)
        page = api.get("festivals", festival, "requests", request) if answer.status is CommandStatus.DONE else None
        revision = page["revision"] if page else None
        message = f"{request} is revised."
        if revision and revision["status"] == "waiting":
            message = (
                f"{request} can be revised like this; `karya festival accept {festival} {request}` makes it real."
            )
        show_answer(answer, message, as_json=as_json, extra={"revision": revision})
        if revision and not as_json:
            show_revision(revision)


def close_booth(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str, typer.Argument(help="The booth, e.g. B1 or ODOP.B1.")],
    till_hours: Annotated[
        int, typer.Option(parser=WHOLE, help="For how many hours its tills may still send what they sold.")
    ] = 48,
    as_json: Json = False,
) -> None:
    """Close one booth before the festival: what is reserved for it goes back, what is there goes home."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "close", body={"till_hours": till_hours})
        message = f"Booth {id} is closing; `karya festival missing {festival}` says what it waits for."
        show_answer(answer, message, as_json=as_json)


def show_revision(revision: Row) -> None:
    """The difference, as tables."""
    say(revision["reason"])
    say(f"{revision['kept']} pieces stay as they are.")
    say("")
    rows = [{"": "−", **line} for line in revision["back"]] + [{"": "+", **line} for line in revision["added"]]
    show_table(["", "booth", "product", "qty", "facility", "lot", "reason"], rows, "No line changes.")
    moved = [share for share in revision["shares"] if share["before"] != share["after"]]
    if moved:
        say("")
        show_table(["facility", "offered", "before", "after"], moved, "")
    if revision["short"]:
        say("")
        rows = [{**row, "short before": row["before"], "short after": row["after"]} for row in revision["short"]]
        show_table(["booth", "product", "asked", "short before", "short after"], rows, "")
