"""`spool export`, `spool import`, `spool check`: the same for every edge agent."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_json, warn
from edge.spool.backup import export, import_into
from edge.spool.check import check, repair
from edge.spool.file import Owner
from edge.spool.records import Spool
from shared.translation import tr, translated, word
from shared.wording import Message

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def spool_commands(owner_of: Callable[[typer.Context], Owner]) -> typer.Typer:
    """The commands for the spool of one agent; `owner_of` returns its owner."""
    app = typer.Typer(
        no_args_is_help=True, help="The file with this device's records: back it up, move it, check it."
    )

    @app.command(name="export")
    def export_file(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="A new file for the backup.")],
        as_json: Json = False,
    ) -> None:
        """Write a backup to one file. The device may go on recording meanwhile."""
        with exit_on_error(), Spool(owner_of(context)) as spool:
            export(spool, file)
            counts, device = spool.counts(), spool.device
        if as_json:
            show_json({"file": str(file), "device": device, "records": counts.records, "unsent": counts.pending})
        else:
            say(
                tr(
                    "{file} has {records:record|records} of device {device}; {pending} not sent.",
                    records=counts.records,
                    device=device,
                    file=str(file),
                    pending=counts.pending,
                )
            )

    @app.command(name="import")
    def import_file(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="A backup, or the .spool file of another device.")],
        as_json: Json = False,
    ) -> None:
        """Restore a backup, or move another device's records here. The other device must not record any more."""
        with exit_on_error():
            owner = owner_of(context)
            with Spool(owner) as spool:
                imported = import_into(spool, file, owner)
        if as_json:
            show_json(
                {
                    "device": imported.device,
                    "added": imported.added,
                    "known": imported.known,
                    "unsent": imported.unsent,
                    "missing": imported.missing,
                }
            )
            return
        say(
            tr(
                "{added:record|records} added, {known} known before. {unsent} to send.",
                added=imported.added,
                known=imported.known,
                unsent=imported.unsent,
            )
        )
        say(tr("This is device {device} now: please record on one copy of it only.", device=imported.device))
        if imported.missing:
            warn(tr("The file lacks {missing}.", missing=_numbers(imported.missing)))

    @app.command(name="check")
    def check_file(
        context: typer.Context,
        file: Annotated[Path | None, typer.Argument(help="A file; this device's own if left out.")] = None,
        new: Annotated[
            Path | None, typer.Option("--repair", help="Write every readable record to this new file.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Check whether the file is complete and undamaged. Ends with 1 if it is not."""
        with exit_on_error():
            owner = owner_of(context)
            path = file or owner.path
            if new is not None:
                repaired = repair(path, new, owner)
                if as_json:
                    show_json({"file": str(new), "kept": repaired.kept, "lost": repaired.lost})
                    return
                say(tr("{new} has the {kept:record|records} that could be read.", kept=repaired.kept, new=str(new)))
                if repaired.lost:
                    warn(tr("Lost: {lost}.", lost=_numbers(repaired.lost)))
                say(
                    tr(
                        "Move {path} aside (with -wal and -shm beside it; delete nothing), then: spool import {new}",
                        path=str(path),
                        new=str(new),
                    )
                )
                return
            health = check(path, owner.topic)
        if as_json:
            show_json(
                {
                    "file": str(path),
                    "device": health.device,
                    "records": health.records,
                    "unsent": health.unsent,
                    "missing": health.missing,
                    "faults": list(map(translated, health.faults)),
                }
            )
        else:
            say(
                tr(
                    "{path}: device {device}, {records:record|records}, {unsent} not sent.",
                    path=str(path),
                    device=health.device or word("not known"),
                    records=health.records,
                    unsent=health.unsent,
                )
            )
            if health.missing:
                warn(tr("It lacks {missing}.", missing=_numbers(health.missing)))
            for fault in health.faults:
                warn(tr("Damaged: {fault}", fault=fault))
            if health.ok:
                say(tr("All is well."))
            elif health.faults:
                warn(
                    tr(
                        "Please delete nothing. Write readable records to a new file: spool check {path} "
                        "--repair NEW",
                        path=str(path),
                    )
                )
            else:
                warn(tr("These records can be sent: please sync, and ask the organiser which others are known."))
        if not health.ok:
            raise typer.Exit(1)

    return app


def _numbers(numbers: tuple[int, ...]) -> Message:
    listing = ", ".join(map(str, numbers[:20]))
    if len(numbers) > 20:
        return Message("records {numbers} and more", numbers=listing)
    return (
        Message("record {numbers}", numbers=listing)
        if len(numbers) == 1
        else Message("records {numbers}", numbers=listing)
    )
