"""The tills of a booth after its opening: add one, or strike one that is lost."""

from typing import Annotated

import typer

from cli.festival.session import Festival, Json, booth_id, service, show_answer
from cli.parameters import WHOLE

Booth = Annotated[str, typer.Argument(help="The booth, e.g. B1 or ODOP.B1.")]
Till = Annotated[str, typer.Argument(help="The till's name there, e.g. T2.")]


def add_till(context: typer.Context, festival: Festival, booth: Booth, till: Till, as_json: Json = False) -> None:
    """Sell from one more till at an open booth."""
    id = booth_id(festival, booth)
    with service(context) as api:
        answer = api.command("festivals", festival, "booths", id, "tills", body={"till": till})
        show_answer(answer, f"Booth {id} sells from {till} too.", as_json=as_json)


def strike_till(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    till: Till,
    device: Annotated[str | None, typer.Option(help="Only this device of that name; else all of them.")] = None,
    branch: Annotated[
        int | None, typer.Option(parser=WHOLE, help="Only this branch of the device's records, from 1.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    as_json: Json = False,
) -> None:
    """A till is lost: what it has not sent is no longer waited for."""
    if branch is not None and device is None:
        raise typer.BadParameter("say --device too: a branch is one of a device's")
    id = booth_id(festival, booth)
    with service(context) as api:
        body = {"device": device, "branch": branch, "reason": reason}
        answer = api.command("festivals", festival, "booths", id, "tills", till, "strike", body=body)
        branch_of = f"branch {branch} of " if branch else ""
        target = f"{branch_of}device {device} of {till}" if device else f"any device named {till}"
        show_answer(answer, f"Booth {id} no longer waits for {target}.", as_json=as_json)
