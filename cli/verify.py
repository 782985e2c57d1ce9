"""`karya verify`: waits until every event is worked, then checks every invariant."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError
from rich.table import Table
from rich.text import Text

from cli.console import err, out, say, show_grid, show_json, warn
from cli.parameters import seconds
from ops.reaching import unreachable
from ops.verify import WITHIN, Check, Observation, VerifyReport
from ops.verify import verify as verify_all
from ops.verify.signatures import signatures as check_signatures
from shared.errors import NotReached
from shared.settings import settings_for
from shared.shown import thousands
from shared.translation import heading, tr, translated, word
from shared.visible import visible
from shared.wording import Message

BROKEN = 1
NOT_QUIET = 2


def verify(
    within: Annotated[
        float, typer.Option(parser=seconds(), help="Seconds to wait until every event is worked.")
    ] = WITHIN,
    allow_parked: Annotated[bool, typer.Option(help="Accept parked keys, which wait for a replay.")] = False,
    signatures: Annotated[bool, typer.Option("--signatures", help="Check the signatures of devices too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Wait until every event is worked, then check every invariant across all services.

    Ends with 1 if an invariant is broken, with 2 if not every event was worked in time.
    """
    settings = settings_for("kafka", "mongo")
    with err.status(tr("Waiting until every event is worked")) as progress:
        try:
            report = asyncio.run(
                verify_all(
                    settings,
                    within=within,
                    allow_parked=allow_parked,
                    on_wait=_waiting(lambda text: progress.update(Text(visible(text)))),
                    on_quiet=lambda: progress.update(tr("Every event is worked; checking")),
                )
            )
            if signatures and report.quiet:
                progress.update(tr("Checking signatures"))
                report = replace(report, checks=(*report.checks, asyncio.run(check_signatures(settings))))
        except (KafkaError, PyMongoError, OSError) as error:
            raise NotReached(unreachable(settings, error)) from error
    if as_json:
        show_json(report.as_dict())
    else:
        show(report)
    if not report.quiet:
        raise typer.Exit(NOT_QUIET)
    if not report.ok:
        raise typer.Exit(BROKEN)


def show(report: VerifyReport) -> None:
    """Show the verdict: a table of the checks, then what is broken."""
    if not report.quiet:
        warn(tr("Nothing was checked, because not every event is worked yet:"))
        for sentence in report.waits:
            warn(f"  {translated(sentence)}")
        return
    columns = ["check", "looked at", "verdict", "what must hold"]
    # Programs that read a pipe get the same names in every language.
    titles = map(heading, columns) if out.is_terminal else columns
    table = Table(*titles, box=None, pad_edge=False, header_style="bold")
    for check in report.checks:
        verdict = Text("ok", "green") if check.ok else Text(f"{thousands(check.total)} {word('broken')}", "red")
        table.add_row(check.name, thousands(check.looked_at), verdict, tr(check.about))
    show_grid(table)
    for check in report.checks:
        for remark in check.remarks:
            say(f"  {check.name}: {translated(remark)}")
    for check in report.broken:
        _show_broken(check)
    seconds = f"{report.seconds.get('checking', 0.0):.1f}"
    if report.ok:
        say()
        say(tr("Everything adds up (checked in {seconds} s).", seconds=seconds))
    else:
        warn()
        warn(
            tr(
                "{broken} of {all} checks found something broken (checked in {seconds} s).",
                broken=len(report.broken),
                all=len(report.checks),
                seconds=seconds,
            )
        )


def _show_broken(check: Check) -> None:
    warn()
    warn(f"{check.name}: {tr(check.about)}")
    for violation in check.violations:
        warn(f"  {translated(violation)}")
    if check.total > len(check.violations):
        warn(f"  {tr('and {count} more', count=check.total - len(check.violations))}")


def _waiting(update: Callable[[str], None]) -> Callable[[Observation], None]:
    def say_what_waits(look: Observation) -> None:
        first, remaining = (look.waits or (Message("seen done once"),))[0], len(look.waits) - 1
        if remaining > 0:
            update(tr("Waiting: {first}, and {count} more", first=first, count=remaining))
        else:
            update(tr("Waiting: {first}", first=first))

    return say_what_waits
