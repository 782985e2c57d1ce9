"""`karya devices`: the devices of a scope: codes that enrol them, lists, and revocation."""

import sys
from datetime import datetime
from typing import Annotated

import segno
import typer

from cli.accounts.session import Json, RoleArgument, choose, service
from cli.console import local, out, say, show_json, show_table
from cli.festival.client import Row
from shared.events.identity import DEVICE_ROLES
from shared.translation import tr

DEVICES = "devices"

app = typer.Typer(no_args_is_help=True, help="Devices: make a code that enrols one, list them, revoke a lost one.")
app.callback()(choose)


@app.command()
def code(context: typer.Context, role: RoleArgument, as_json: Json = False) -> None:
    """Make a code that enrols one device, e.g. for till:ODOP.B1 or terminal:LP-KPG. It is valid for ten minutes.

    A terminal shows it as a QR code too.
    """
    if role.role not in DEVICE_ROLES:
        raise typer.BadParameter(tr("a device is a terminal or a till, e.g. terminal:LP-KPG or till:ODOP.B1"))
    with service(context) as api:
        row = api.ask("device-codes", body={"role": role.role.value, "scope": role.scope})
    if as_json:
        show_json(row)
        return
    say(row["code"])
    if out.is_terminal:
        segno.make(row["code"], micro=False).terminal(sys.stdout, border=2, compact=True)
    until = local(datetime.fromisoformat(row["expires_at"]), None)
    say(
        tr(
            "Enrols one device of {scope}, once, until {until}. At the device: `karya {kind} enrol CODE`.",
            scope=str(role.scope),
            until=until,
            kind=role.role.value,
        )
    )


@app.command(name="list")
def list_devices(
    context: typer.Context,
    facility: Annotated[str | None, typer.Option(help="The terminals of this facility.")] = None,
    booth: Annotated[str | None, typer.Option(help="The tills of this booth.")] = None,
    festival: Annotated[str | None, typer.Option(help="The tills of this festival.")] = None,
    as_json: Json = False,
) -> None:
    """List devices. Without an option: all of them, for those who may see all."""
    filters = {"facility": facility, "booth": booth, "festival": festival}
    chosen = {name: value for name, value in filters.items() if value is not None}
    with service(context) as api:
        rows = list(api.all(DEVICES, by="device", **chosen))
    if as_json:
        show_json(rows)
        return
    columns = ["device", "role", "scope", "name", "status"]
    show_table(columns, [_line(row) for row in rows], tr("No device fits."), words=("status",))


@app.command()
def revoke(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="The device's subject, as the list shows it.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    as_json: Json = False,
) -> None:
    """Revoke a device for good: the gateway holds what its key has signed for an operator."""
    with service(context) as api:
        row = api.ask(DEVICES, device.strip(), "revoke", body={"reason": reason})
    if as_json:
        show_json(row)
        return
    say(tr("The device is revoked."))


def _line(row: Row) -> Row:
    return {**row, "status": "revoked" if row.get("revoked_at") else "enrolled"}
