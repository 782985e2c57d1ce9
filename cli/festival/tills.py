"""Commands for the tills of an open booth: add one, or strike a lost one."""

from typing import Annotated

import typer

from cli.festival.session import Festival, Json, booth_id, service, show_answer
from cli.parameters import WHOLE

Booth = Annotated[str, typer.Argument(help="The booth, e.g. B1 or ODOP.B1.")]
Till = Annotated[str, typer.Argument(help="The till's name there, e.g. T2.")]


def add_till(context: typer.Context, festival: Festival, booth: Booth, till: Till, as_json: Json = False) -> None:
    """Add a till to an open booth."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "tills", body={"till": till})
        show_answer(answer, f"Booth {id} has till {till} too.", as_json=as_json)


def strike_till(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    till: Till,
    device: Annotated[
        str | None, typer.Option(help="Only this device of that name; all of them if left out.")
    ] = None,
    branch: Annotated[
        int | None, typer.Option(parser=WHOLE, help="Only this branch of the device's records, from 1.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    as_json: Json = False,
) -> None:
    """Strike a lost till: its booth no longer waits for its missing records."""
    if branch is not None and device is None:
        raise typer.BadParameter("use --device too: a branch belongs to a device")
    id = booth_id(festival, booth)
    with service(context) as api:
        body = {"device": device, "branch": branch, "reason": reason}
        answer = api.command("festivals", festival, "booths", id, "tills", till, "strike", body=body)
        branch_of = f"branch {branch} of " if branch else ""
        target = f"{branch_of}device {device} of {till}" if device else f"any device named {till}"
        show_answer(answer, f"Booth {id} no longer waits for {target}.", as_json=as_json)
