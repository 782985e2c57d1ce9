"""`export` and `import`, of terminals and tills: unsent records go to the gateway from another machine, by a file."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli.console import say, show_json, show_table, warn
from cli.device_route import token_source_of
from edge.spool import Spool
from edge.sync.records_file import BroughtRecord, bring, export_unsent, read_records
from shared.access.session import Bearer, TokenSource
from shared.errors import ServersNotConfigured
from shared.settings import Settings
from shared.translation import tr, translated
from shared.wording import Message

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
NewFile = Annotated[Path, typer.Argument(help="A new file for the records.")]
RecordsFile = Annotated[Path, typer.Argument(help="A file of `export`, of any device.")]
Opened = Callable[[typer.Context], AbstractContextManager[Spool]]


def export_command(opened: Opened) -> Callable[..., None]:
    """The command `export` of a kind of device, whose spool is `opened`."""

    def export(context: typer.Context, file: NewFile, as_json: Json = False) -> None:
        """Write unsent records to a file, signed, to send them from another device. They can't be changed then."""
        with opened(context) as spool:
            count = export_unsent(spool, file)
        if as_json:
            show_json({"file": str(file), "records": count})
            return
        say(
            tr(
                "{count:record is|records are} in {file}, to be sent from another device by `import`. Each stays "
                "here, too, and counts once.",
                count=count,
                file=str(file),
            )
        )

    return export


def import_command(opened: Opened) -> Callable[..., None]:
    """The command `import` of a kind of device, whose spool is `opened`."""

    def import_file(context: typer.Context, file: RecordsFile, as_json: Json = False) -> None:
        """Send the records of another device's file to the gateway. They keep their device's own signature."""
        with opened(context) as spool:
            brought = bring_file(file, token_source_of(spool))
        show_brought(brought, as_json=as_json)

    return import_file


def known_gateway() -> str:
    """The address of the gateway. Raises ServersNotConfigured."""
    url = Settings().gateway_url
    if not url:
        raise ServersNotConfigured(
            Message("No gateway is known here: run `make up`, or set KARYA_GATEWAY_URL to its address.")
        )
    return url


def bring_file(file: Path, source: TokenSource) -> list[BroughtRecord]:
    """Send the records of a file with the token of `source`. Raises WrongEntry, NotReached, ServersNotConfigured."""
    records = read_records(file)
    with httpx.Client(base_url=known_gateway(), auth=Bearer(source)) as client:
        return bring(client, records)


def show_brought(brought: Sequence[BroughtRecord], *, as_json: bool) -> None:
    """Show what became of the records. Ends with 1 if some were not taken."""
    declined = [record for record in brought if not record.is_taken]
    if as_json:
        show_json(
            [
                {
                    "id": record.id,
                    "status": record.status,
                    **({"reason": record.reason} if record.reason is not None else {}),
                    **({"message": translated(record.message)} if record.message is not None else {}),
                }
                for record in brought
            ]
        )
    else:
        held = sum(record.status == "held" for record in brought)
        say(tr("{stored:record|records} stored, {held} held.", stored=len(brought) - held - len(declined), held=held))
        if declined:
            rows = [
                {
                    "id": record.id,
                    "status": record.status,
                    "reason": translated(record.message) if record.message is not None else record.reason,
                }
                for record in declined
            ]
            show_table(["id", "status", "reason"], rows, "", words=("status",))
            warn(tr("The gateway did not take {count:record|records} of the file.", count=len(declined)))
    if declined:
        raise typer.Exit(1)
