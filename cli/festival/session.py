"""Shared by the organiser's commands: options, clients of the services, and the output of answers."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.console import exit_on_error, local, say, show_json, show_table, warn
from cli.festival.client import Answer, AnswerStatus, Row, ServiceClient
from cli.parameters import between, parsed
from cli.problems import add_problem
from cli.questions import confirm
from shared import typed
from shared.errors import NotAnswered
from shared.translation import received, tr

Festival = Annotated[str, typer.Argument(help="The festival's id, e.g. ODOP.")]
Booth = Annotated[str, typer.Argument(help="The booth, e.g. B1 or ODOP.B1.")]
Request = Annotated[str, typer.Argument(help="The request's name, e.g. R1.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words. No names, please.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without a question, also if it is in doubt.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]

# The reason of a refusal that a yes overcomes.
NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class FestivalOptions:
    """The options of every command: addresses of the services, and seconds to wait for an outcome."""

    url: str | None
    sales_url: str | None
    wait: int


def choose(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="KARYA_FESTIVAL_URL", help="Address of the festival service.")
    ] = None,
    sales_url: Annotated[
        str | None, typer.Option(envvar="KARYA_SALES_URL", help="Address of the sales service.")
    ] = None,
    wait: Annotated[
        int,
        typer.Option(
            parser=between(typed.whole, 0, 30), help="Seconds to wait for the outcome of a command, at most 30."
        ),
    ] = 10,
) -> None:
    context.obj = FestivalOptions(url, sales_url, wait)


@contextmanager
def service(context: typer.Context) -> Iterator[ServiceClient]:
    """The festival service. An error is shown without a traceback and ends with exit code 1."""
    options: FestivalOptions = context.obj
    with exit_on_error():
        if not options.url:
            message = tr(
                "No festival service is known here: run `make up`, or set KARYA_FESTIVAL_URL to its address."
            )
            raise NotAnswered(message)
        with ServiceClient(options.url, options.wait) as api:
            yield api


@contextmanager
def sales_service(context: typer.Context) -> Iterator[ServiceClient]:
    """The sales service, for reading. Raises NotAnswered if its address is not set."""
    options: FestivalOptions = context.obj
    if not options.sales_url:
        message = tr("No sales service is known here: run `make up`, or set KARYA_SALES_URL to its address.")
        raise NotAnswered(message)
    with ServiceClient(options.sales_url, options.wait, "sales") as api:
        yield api


def confirmed_command(api: ServiceClient, *place: str, body: Mapping[str, Any], yes: bool) -> Answer:
    """The outcome of a command that the service may doubt. On a terminal a person is then asked, and may confirm it.

    Elsewhere the refusal says that `--yes` confirms it.
    """
    answer = api.command(*place, body={**body, "confirmed": yes})
    if answer.reason != NOT_CONFIRMED or not on_terminal():
        return answer
    if not confirm(tr("{message} Is it right?", message=message_of(answer))):
        return answer
    return api.command(*place, body={**body, "confirmed": True})


def on_terminal() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty()


def show_answer(answer: Answer, message: str, *, as_json: bool, extra: Row | None = None) -> None:
    """Show the outcome of one command: `message` if it was done. A refusal ends with exit code 1."""
    if as_json:
        show_json({**answer.row, **(extra or {})})
        _add_refusal(answer)
    elif answer.status is AnswerStatus.DONE:
        say(message)
    elif answer.status is AnswerStatus.ACCEPTED:
        say(tr("Accepted. Its outcome is not known yet: see /commands/{command} later.", command=answer.command))
    else:
        warn(_refused(answer))
    if answer.status is AnswerStatus.REFUSED:
        raise typer.Exit(1)


def show_answers(answers: Sequence[tuple[Row, Answer]], columns: Sequence[str], empty: str, *, as_json: bool) -> None:
    """Show the outcomes of many commands, each beside its row. A refusal ends with exit code 1."""
    if as_json:
        show_json([{**row, **answer.row} for row, answer in answers])
        for _, answer in answers:
            _add_refusal(answer)
    else:
        rows = [{**row, "outcome": answer.status.value} for row, answer in answers]
        show_table([*columns, "outcome"], rows, empty, words=("outcome", "shipment_status"))
        for _, answer in answers:
            if answer.status is AnswerStatus.REFUSED:
                warn(_refused(answer))
    if any(answer.status is AnswerStatus.REFUSED for _, answer in answers):
        raise typer.Exit(1)


def booth_id(festival: str, booth: str) -> str:
    """The full id of a booth; `booth` may be its short name, e.g. `B7`."""
    return booth if booth.startswith(f"{festival}.") else f"{festival}.{booth}"


def lots_counted(entries: Sequence[str]) -> dict[str, int]:
    """Pieces by lot. Raises typer.BadParameter."""
    return parsed(lambda: typed.pairs(entries, "PR-KPG-KTI-230418-007-4=3", typed.lot))


def festival_time(text: str | None, zone: str) -> str | None:
    """A time of the service in the festival's local time."""
    return local(datetime.fromisoformat(text), zone) if text else None


def _add_refusal(answer: Answer) -> None:
    if answer.status is AnswerStatus.REFUSED:
        add_problem(
            tr("The command was refused"),
            message_of(answer),
            error="Refused",
            status=409,
            field=answer.field,
            reason=answer.reason,
            command=answer.command,
        )


def message_of(answer: Answer) -> str:
    """The reason of a refusal in the reader's language."""
    return received(answer.message or "", answer.template or "", answer.values or {})


def _refused(answer: Answer) -> str:
    return tr(
        "Refused: {message} (field {field}, {reason})",
        message=message_of(answer),
        field=answer.field or "",
        reason=answer.reason or "",
    )
