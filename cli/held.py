"""`karya held`: records of revoked devices: list them, bring a file of them, release or refuse them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer

from cli import sessions
from cli.accounts.session import choose
from cli.console import exit_on_error, local, say, show_json, show_table, warn
from cli.festival.client import Answer, AnswerStatus, Row, ServiceClient
from cli.records_file import RecordsFile, bring_file, known_gateway, show_brought
from shared.errors import WrongEntry
from shared.translation import tr, translated
from shared.wording import Message, as_message, message_of

HELD = "held"

app = typer.Typer(
    no_args_is_help=True, help="Records of lost and revoked devices: list, import, release or refuse them."
)
app.callback()(choose)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
DeviceArgument = Annotated[str, typer.Argument(help="The device's subject, as the list shows it.")]
Record = Annotated[str | None, typer.Option(help="One record alone, by its id; all held ones if left out.")]


@app.command(name="list")
def list_held(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="The records of this device.")] = None,
    place: Annotated[str | None, typer.Option(help="The records of this facility or booth.")] = None,
    status: Annotated[str | None, typer.Option(help="held, released or refused; held if left out.")] = HELD,
    as_json: Json = False,
) -> None:
    """List records that revoked devices have signed, in the order in which they came."""
    with _gateway(context) as api:
        rows = _rows(api, device=device, place=place, status=status)
    if as_json:
        show_json(rows)
        return
    table = [
        {
            **row,
            "recorded": local(datetime.fromisoformat(row["recorded_at"]), None),
            "note": "stored before" if row["stored_before"] else None,
        }
        for row in rows
    ]
    columns = ["place", "device", "number", "record", "type", "recorded", "status", "note", "reason"]
    show_table(columns, table, tr("No record is held."), words=("status", "note"))


@app.command()
def release(context: typer.Context, device: DeviceArgument, record: Record = None, as_json: Json = False) -> None:
    """Let held records of a device count: they go to their topic as the device has signed them, in its order."""
    _decide(context, "release", device.strip(), record, {}, as_json=as_json)


@app.command()
def refuse(
    context: typer.Context,
    device: DeviceArgument,
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")],
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Refuse held records of a device: they do not count. One by its id can be released later."""
    _decide(context, "refuse", device.strip(), record, {"reason": reason}, as_json=as_json)


@app.command(name="import")
def import_file(file: RecordsFile, as_json: Json = False) -> None:
    """Send the records of a device's file to the gateway, with your own account."""
    with exit_on_error():
        brought = bring_file(file, sessions.token_source())
    show_brought(brought, as_json=as_json)


@contextmanager
def _gateway(context: typer.Context) -> Iterator[ServiceClient]:
    wait: int = context.obj
    with exit_on_error(), ServiceClient(known_gateway(), wait, "gateway") as api:
        yield api


def _rows(api: ServiceClient, **filters: str | None) -> list[Row]:
    rows = api.all(HELD, by="held_at", **filters)
    return sorted(rows, key=lambda row: (row["place"], row["device"], row["seq"] or 0, row["number"]))


def _decide(
    context: typer.Context, action: str, device: str, record: str | None, fields: Row, *, as_json: bool
) -> None:
    """Give the command for each place of the device, until none of its records waits any more."""
    decided = 0
    with _gateway(context) as api:
        rows = _rows(api, device=device, status=None if record is not None else HELD)
        chosen = [row for row in rows if record in (None, row["record"])]
        if not chosen:
            raise WrongEntry(Message("No such record of this device is held. `karya held list` shows all."))
        for place in dict.fromkeys(row["place"] for row in chosen):
            waiting = {row["record"] for row in chosen if row["place"] == place}
            while waiting:
                body: dict[str, Any] = {"device": device, **fields}
                if record is not None:
                    body["record"] = record
                answer = api.command(HELD, place, action, body=body)
                if answer.status is not AnswerStatus.DONE:
                    _show_undone(answer, as_json=as_json)
                    return
                # One command takes as many as a transaction can hold.
                left = {row["record"] for row in _rows(api, device=device, place=place, status=HELD)} & waiting
                decided += len(waiting) - len(left)
                waiting = left
    if as_json:
        show_json({"device": device, "records": decided})
    elif action == "release":
        say(tr("Released: {records:record counts|records count} from now on.", records=decided))
    else:
        say(tr("Refused: {records:record does|records do} not count.", records=decided))


def _show_undone(answer: Answer, *, as_json: bool) -> None:
    """Show the outcome of a command that is not done. A refusal ends with exit code 1."""
    if as_json:
        show_json(answer.row)
    elif answer.status is AnswerStatus.ACCEPTED:
        say(tr("Accepted. Its outcome is not known yet: see `karya held list` later."))
    else:
        message = message_of(answer.template, answer.values or {}) if answer.template else None
        warn(translated(message or as_message(answer.message or "")))
    if answer.status is AnswerStatus.REFUSED:
        raise typer.Exit(1)
