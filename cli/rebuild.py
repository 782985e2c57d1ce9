"""`karya rebuild`: is a service's database what Kafka says, and if not: make it so."""

import asyncio
import logging
import re
from typing import Annotated

import structlog
import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.console import err, say, show_json, show_table, warn
from cli.parameters import seconds
from deploy.topics import SERVICES
from ops.rebuild import SHOWN, WITHIN, Rebuilt
from ops.rebuild import rebuild as rebuild_one
from shared.errors import NotReached, ServiceRunning
from shared.settings import settings_for
from shared.shown import thousands

DIFFERENT = 1
AT_WORK = 2
DATABASE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def rebuild(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    switch: Annotated[
        bool, typer.Option("--switch", help="Make the live database equal to the rebuilt one.")
    ] = False,
    say_missing: Annotated[
        bool, typer.Option("--say-missing", help="With --switch: let the service say what is in no topic.")
    ] = False,
    into: Annotated[
        str | None, typer.Option(metavar="NAME", help="Build it in this database, which must be empty, and keep it.")
    ] = None,
    within: Annotated[
        float, typer.Option(parser=seconds(1), help="Seconds to wait until the service keeps still, at least 1.")
    ] = WITHIN,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Build a service's database anew from Kafka, and compare it with the live one document by document.

    Ends with 1 when something differs (and was not switched), with 2 when the service is at work.
    """
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is no service; they are {', '.join(SERVICES)}")
    if say_missing and not switch:
        raise typer.BadParameter("--say-missing goes with --switch")
    if into is not None and not DATABASE.fullmatch(into):
        raise typer.BadParameter("--into is at most 40 letters, digits, '_' and '-'")
    settings = settings_for("kafka", "mongo")
    # The rules are at work again, and would tell of each dead letter as if it were a new one.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(f"Rebuilding {service}", total=None)
        try:
            found = asyncio.run(
                rebuild_one(
                    settings,
                    service,
                    within=within,
                    switching=switch,
                    say_missing=say_missing,
                    into=into,
                    on_progress=lambda done, of: progress.update(task, completed=done, total=of),
                )
            )
        except ServiceRunning as busy:
            progress.stop()
            warn(str(busy))
            raise typer.Exit(AT_WORK) from None
        except (KafkaError, PyMongoError, OSError) as error:
            # Not where MongoDB is: its address may hold a password.
            raise NotReached(f"Kafka at {settings.kafka} or MongoDB does not answer: {error!r}") from error
    if as_json:
        show_json(found.as_dict())
    else:
        show(found, kept=into is not None)
    if not found.ok and not found.switched:
        raise typer.Exit(DIFFERENT)


def show(found: Rebuilt, *, kept: bool) -> None:
    """The comparison for a person: a table of the collections, then what differs."""
    replayed = found.replayed
    records, batches = thousands(replayed.records), thousands(replayed.batches)
    say(f"{records} records in {batches} batches, as the journal of {found.service} tells.")
    say()
    rows = [one.as_dict() for one in found.compared]
    show_table(["collection", "rebuilt", "live", "same", "different"], rows, "Neither database holds anything.")
    words, copies = thousands(replayed.said), thousands(replayed.again)
    say()
    say(f"Words in topics: {words}, and {copies} copies of them, which readers drop.")
    for topic in replayed.unseen:
        warn(f"The beginning of {topic} is gone: what was lost on the way to it can't be told.")
    differs = "differed" if found.switched else "differs"
    for title, sentences in ((differs, found.torn), ("lost", found.lost), ("not explained", found.doubled)):
        for sentence in sentences[:SHOWN]:
            warn(f"{title}: {sentence}")
        if len(sentences) > SHOWN:
            warn(f"{title}: and {len(sentences) - SHOWN} more")
    if kept:
        say(f"The rebuilt database is kept as {found.database}.")
    if found.switched:
        say(f"The live database of {found.service} is what was rebuilt now. Start the service.")
    elif found.ok:
        say("Both are the same.")
