"""`spool export`, `spool import`, `spool check`: the same for every edge agent."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import refusing, say, show_json, warn
from edge.spool.backup import export, import_into
from edge.spool.check import check, repair
from edge.spool.file import Owner
from edge.spool.records import Spool
from shared.shown import pluralize

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def spool_commands(owner_of: Callable[[typer.Context], Owner]) -> typer.Typer:
    """The commands for the spool of the agent that `owner_of` names."""
    app = typer.Typer(no_args_is_help=True, help="The file of this device: back it up, move it, check it.")

    @app.command(name="export")
    def export_file(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="A new file for the backup.")],
        as_json: Json = False,
    ) -> None:
        """Write a backup in one file; the device may go on working meanwhile."""
        with refusing(), Spool(owner_of(context)) as spool:
            export(spool, file)
            counts, device = spool.counts(), spool.device
        if as_json:
            show_json({"file": str(file), "device": device, "records": counts.said, "unsent": counts.pending})
        else:
            say(f"{pluralize(counts.said, 'record')} of device {device} are in {file}; {counts.pending} not sent.")

    @app.command(name="import")
    def import_file(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="A backup, or the .spool file of another device.")],
        as_json: Json = False,
    ) -> None:
        """Bring back a backup, or move here what another device has. The other must not record any more."""
        with refusing():
            owner = owner_of(context)
            with Spool(owner) as spool:
                done = import_into(spool, file, owner)
        if as_json:
            show_json(
                {
                    "device": done.device,
                    "added": done.added,
                    "known": done.known,
                    "unsent": done.unsent,
                    "missing": done.missing,
                }
            )
            return
        say(f"{pluralize(done.added, 'record')} added, {done.known} were here. {done.unsent} to send.")
        say(f"This is device {done.device} now: please record on one copy of it only.")
        if done.missing:
            warn(f"The file lacks {_numbers(done.missing)}.")

    @app.command(name="check")
    def check_file(
        context: typer.Context,
        file: Annotated[Path | None, typer.Argument(help="Another file than this device's own.")] = None,
        new: Annotated[
            Path | None, typer.Option("--repair", help="Make this new file of all that can be read.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Say whether the file is whole: exit code 1 if it is not."""
        with refusing():
            owner = owner_of(context)
            path = file or owner.path
            if new is not None:
                repaired = repair(path, new, owner)
                if as_json:
                    show_json({"file": str(new), "kept": repaired.kept, "lost": repaired.lost})
                    return
                say(f"{pluralize(repaired.kept, 'record')} could be read and are in {new}.")
                if repaired.lost:
                    warn(f"Not {_numbers(repaired.lost)}.")
                say(f"Move {path} aside (with -wal and -shm beside it; delete nothing), then: spool import {new}")
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
                    "faults": health.faults,
                }
            )
        else:
            say(
                f"{path}: device {health.device or 'not known'}, {pluralize(health.records, 'record')}, "
                f"{health.unsent} not sent."
            )
            if health.missing:
                warn(f"It lacks {_numbers(health.missing)}.")
            for fault in health.faults:
                warn(f"Damaged: {fault}")
            if health.well:
                say("All is well.")
            elif health.faults:
                warn(
                    f"Please delete nothing. Make a new file of all that can be read: spool check {path} --repair NEW"
                )
            else:
                warn("What is here can be sent: please sync, and ask the organiser what is known of the rest.")
        if not health.well:
            raise typer.Exit(1)

    return app


def _numbers(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:20]))
    return f"record {shown}" if len(numbers) == 1 else f"records {shown}{' and more' if len(numbers) > 20 else ''}"
