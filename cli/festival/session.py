"""What all commands of an organiser share: options, who is asked, and how an answer is told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from cli.console import exit_on_error, local, say, show_json, show_table, warn
from cli.festival.client import Answer, Api, Fate, Row
from cli.parameters import understood, within
from shared import typed
from shared.errors import NotAnswered

Festival = Annotated[str, typer.Argument(help="The festival's id, e.g. ODOP.")]
Request = Annotated[str, typer.Argument(help="The request's name, e.g. R1.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@dataclass(frozen=True, slots=True)
class Chosen:
    url: str | None
    sales_url: str | None
    wait: int


def choose(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="KARYA_FESTIVAL_URL", help="Where the festival service listens.")
    ] = None,
    sales_url: Annotated[
        str | None, typer.Option(envvar="KARYA_SALES_URL", help="Where the sales service listens.")
    ] = None,
    wait: Annotated[
        int,
        typer.Option(
            parser=within(typed.whole, 0, 30), help="Seconds to wait for what becomes of a command, at most 30."
        ),
    ] = 10,
) -> None:
    context.obj = Chosen(url, sales_url, wait)


@contextmanager
def service(context: typer.Context) -> Iterator[Api]:
    """The festival service. What it can't do is said without a traceback, with exit code 1."""
    chosen: Chosen = context.obj
    if not chosen.url:
        warn("No festival service is known here: run `make up`, or set KARYA_FESTIVAL_URL to where one listens.")
        raise typer.Exit(1)
    with exit_on_error(), Api(chosen.url, chosen.wait) as api:
        yield api


@contextmanager
def sales_service(context: typer.Context) -> Iterator[Api]:
    """The sales service, to read from. Raises NotAnswered if none is known here."""
    chosen: Chosen = context.obj
    if not chosen.sales_url:
        message = "No sales service is known here: run `make up`, or set KARYA_SALES_URL to where one listens."
        raise NotAnswered(message)
    with Api(chosen.sales_url, chosen.wait, "sales") as api:
        yield api


def tell(answer: Answer, done: str, *, as_json: bool, more: Row | None = None) -> None:
    """What became of one command, `done` being what to say if it was; exit code 1 if it was refused."""
    if as_json:
        show_json({**answer.row, **(more or {})})
    elif answer.status is Fate.DONE:
        say(done)
    elif answer.status is Fate.ACCEPTED:
        say(f"Accepted, but nobody knows yet what becomes of it: look at /commands/{answer.command} in a while.")
    else:
        warn(_refused(answer))
    if answer.status is Fate.REFUSED:
        raise typer.Exit(1)


def tell_all(told: Sequence[tuple[Row, Answer]], columns: Sequence[str], empty: str, *, as_json: bool) -> None:
    """What became of many commands, each with a row that says what it was; exit code 1 if any was refused."""
    if as_json:
        show_json([{**row, **answer.row} for row, answer in told])
    else:
        rows = [{**row, "outcome": answer.status.value} for row, answer in told]
        show_table([*columns, "outcome"], rows, empty)
        for _, answer in told:
            if answer.status is Fate.REFUSED:
                warn(_refused(answer))
    if any(answer.status is Fate.REFUSED for _, answer in told):
        raise typer.Exit(1)


def booth_id(festival: str, booth: str) -> str:
    """The whole id of a booth that a person may have called by its short name, e.g. `B7`."""
    return booth if booth.startswith(f"{festival}.") else f"{festival}.{booth}"


def lots_counted(entries: Sequence[str]) -> dict[str, int]:
    """Pieces by lot. Raises typer.BadParameter."""
    return understood(lambda: typed.pairs(entries, "PR-KPG-KTI-230418-007-4=3", typed.lot))


def moment(text: str | None, zone: str) -> str | None:
    """A time of the service as the clock at the festival shows it."""
    return local(datetime.fromisoformat(text), zone) if text else None


def _refused(answer: Answer) -> str:
    return f"Refused: {answer.message} (field {answer.field}, {answer.reason})"
