"""`enrol`, of terminals and tills: a code of the scope's owner lets a device send its records by its own key."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from cli.accounts.session import IDENTITY_SERVICE, known_identity
from cli.console import say, show_json
from cli.festival.client import ServiceClient
from cli.sessions import STRANGER
from edge.spool import Spool
from shared.access.signatures import prove, public_key_of
from shared.translation import tr

WAIT_SECONDS = 10


def enrol_command(opened: Callable[[typer.Context], AbstractContextManager[Spool]]) -> Callable[..., None]:
    """The command `enrol` of a kind of device, whose spool is `opened`."""

    def enrol(
        context: typer.Context,
        code: Annotated[str, typer.Argument(help="The code that you were given: `karya devices code`.")],
        as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
    ) -> None:
        """Enrol this device with a code: it then syncs without anybody's account."""
        with opened(context) as spool:
            identity, text = known_identity(), code.strip().lower()
            _, scope, name = spool.source.split("/")
            key = spool.device_key()
            body = {
                "public_key": public_key_of(key).fields,
                "proof": prove(key, identity, text),
                "name": name,
                "scope": scope,
            }
            with ServiceClient(identity, WAIT_SECONDS, IDENTITY_SERVICE, STRANGER) as api:
                row = api.ask("device-codes", text, "device", body=body)
            spool.enrolled(identity)
        if as_json:
            show_json(row)
            return
        say(
            tr(
                "This device is enrolled for {scope}, as {device}. It syncs by its own key from now on.",
                scope=row["scope"],
                device=row["device"],
            )
        )

    return enrol
