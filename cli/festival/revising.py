"""Commands that change a plan in progress: revise a request, close one booth early, reopen it."""

from typing import Annotated

import typer

from cli.console import say, show_table
from cli.festival.client import AnswerStatus, Row
from cli.festival.session import Booth, Festival, Json, Reason, Request, booth_id, service, show_answer
from cli.parameters import WHOLE, parsed
from shared import typed
from shared.translation import in_own_language, tr


def revise(
    context: typer.Context,
    festival: Festival,
    request: Request,
    without: Annotated[list[str] | None, typer.Option(help="A facility that can't send; may be repeated.")] = None,
    reason: Reason = "",
    consent: Annotated[bool, typer.Option(help="Carry the revision out at once.")] = False,
    as_json: Json = False,
) -> None:
    """Plan the missing pieces again and show the changes. Pieces that were sent or can stay, stay."""
    facilities = parsed(lambda: [typed.facility(code) for code in without or []])
    body = {"without": facilities, "reason": reason, "consent": consent}
    with service(context) as api:
        answer = api.command("festivals", festival, "requests", request, "revise", body=body)
        page = api.get("festivals", festival, "requests", request) if answer.status is AnswerStatus.DONE else None
        revision = page["revision"] if page else None
        message = tr("{request} is revised.", request=request)
        if revision and revision["status"] == "waiting":
            message = tr(
                "{request} can be revised like this; `karya festival accept {festival} {request}` carries it out.",
                request=request,
                festival=festival,
            )
        show_answer(answer, message, as_json=as_json, extra={"revision": revision})
        if revision and not as_json:
            show_revision(revision)


def close_booth(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    till_hours: Annotated[
        int, typer.Option(parser=WHOLE, help="For how many hours its tills may still send what they sold.")
    ] = 48,
    as_json: Json = False,
) -> None:
    """Close one booth before the festival: its reservations are released, its stock returns."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "close", body={"till_hours": till_hours})
        message = tr(
            "Booth {booth} is closing; `karya festival missing {festival}` shows what it waits for.",
            booth=id,
            festival=festival,
        )
        show_answer(answer, message, as_json=as_json)


def reopen_booth(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Sell again at a closed booth; its festival is open again too. Not after its facilities' settlements."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "reopen", body={"reason": reason})
        message = tr(
            "Booth {booth} sells again. Its tills may sell on after a sync, and each closes again after its last "
            "sale. Reservations that the closing released stay released: ask anew with `karya festival request "
            "{festival}`. Close it again with `karya festival close-booth {festival} {booth}`, or with the festival.",
            booth=id,
            festival=festival,
        )
        show_answer(answer, message, as_json=as_json)


def show_revision(revision: Row) -> None:
    """Show the changes of a revision as tables."""
    say(in_own_language(revision, "reason"))
    say(tr("{kept:piece stays as it is|pieces stay as they are}.", kept=revision["kept"]))
    say("")
    rows = [{"": "−", **line} for line in revision["back"]] + [{"": "+", **line} for line in revision["added"]]
    show_table(["", "booth", "product", "qty", "facility", "lot", "reason"], rows, tr("No line changes."))
    moved = [share for share in revision["shares"] if share["before"] != share["after"]]
    if moved:
        say("")
        show_table(["facility", "offered", "before", "after"], moved, "")
    if revision["short"]:
        say("")
        rows = [{**row, "short before": row["before"], "short after": row["after"]} for row in revision["short"]]
        show_table(["booth", "product", "asked", "short before", "short after"], rows, "")
