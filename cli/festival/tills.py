"""Commands for the tills of an open booth: add one, or strike a lost one."""

from typing import Annotated

import typer

from cli.festival.session import Booth, Festival, Json, Reason, booth_id, service, show_answer
from cli.parameters import WHOLE
from shared.translation import tr

Till = Annotated[str, typer.Argument(help="The till's name there, e.g. T2.")]


def add_till(context: typer.Context, festival: Festival, booth: Booth, till: Till, as_json: Json = False) -> None:
    """Add a till to an open booth."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "tills", body={"till": till})
        show_answer(answer, tr("Booth {booth} has till {till} too.", booth=id, till=till), as_json=as_json)


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
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Strike a lost till: its booth no longer waits for its missing records."""
    if branch is not None and device is None:
        raise typer.BadParameter(tr("use --device too: a branch belongs to a device"))
    id = booth_id(festival, booth)
    with service(context) as api:
        body = {"device": device, "branch": branch, "reason": reason}
        answer = api.command("festivals", festival, "booths", id, "tills", till, "strike", body=body)
        message = tr("Booth {booth} no longer waits for any device named {till}.", booth=id, till=till)
        if device is not None and branch is not None:
            message = tr(
                "Booth {booth} no longer waits for branch {branch} of device {device} of {till}.",
                booth=id,
                branch=branch,
                device=device,
                till=till,
            )
        elif device is not None:
            message = tr(
                "Booth {booth} no longer waits for device {device} of {till}.", booth=id, device=device, till=till
            )
        show_answer(answer, message, as_json=as_json)
