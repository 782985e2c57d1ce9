"""`karya rebuild`: rebuilds a service's database from Kafka, compares it with the live one, and can replace it."""

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
from cli.operator_name import operator_name
from cli.parameters import seconds
from deploy.topics import SERVICES
from ops.reaching import unreachable
from ops.rebuild import SHOWN, WITHIN, RebuildReport
from ops.rebuild import rebuild as rebuild_one
from shared.errors import NotReached, ServiceRunning
from shared.settings import settings_for
from shared.shown import thousands
from shared.translation import tr, translated

DESCRIPTION = "{task.description}"
DIFFERENT = 1
AT_WORK = 2
DATABASE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def rebuild(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    switch: Annotated[
        bool, typer.Option("--switch", help="Make the live database equal to the rebuilt one.")
    ] = False,
    say_missing: Annotated[
        bool,
        typer.Option(
            "--say-missing", help="With --switch: let the service publish events that are missing in topics."
        ),
    ] = False,
    into: Annotated[
        str | None, typer.Option(metavar="NAME", help="Rebuild into this database, which must be empty, and keep it.")
    ] = None,
    within: Annotated[
        float, typer.Option(parser=seconds(1), help="Seconds to wait until the service is idle, at least 1.")
    ] = WITHIN,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Rebuild a service's database from Kafka, and compare it with the live one document by document.

    Ends with 1 if something differs (and was not switched), with 2 if the service runs.
    """
    if service not in SERVICES:
        raise typer.BadParameter(
            tr("{service} is not a service; services are {services}", service=service, services=", ".join(SERVICES))
        )
    if say_missing and not switch:
        raise typer.BadParameter(tr("--say-missing needs --switch"))
    if into is not None and not DATABASE.fullmatch(into):
        raise typer.BadParameter(tr("--into takes at most 40 letters, digits, '_' and '-'"))
    settings = settings_for("kafka", "mongo")
    # The replay runs the rules again, and would log each dead letter as a new one.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    columns = (TextColumn(DESCRIPTION), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(tr("Rebuilding {service}", service=service), total=None)
        try:
            rebuilt = asyncio.run(
                rebuild_one(
                    settings,
                    service,
                    within=within,
                    switching=switch,
                    say_missing=say_missing,
                    into=into,
                    actor=operator_name(settings, None),
                    on_progress=lambda done, of: progress.update(task, completed=done, total=of),
                )
            )
        except ServiceRunning as error:
            progress.stop()
            warn(translated(error.message))
            raise typer.Exit(AT_WORK) from None
        except (KafkaError, PyMongoError, OSError) as error:
            raise NotReached(unreachable(settings, error)) from error
    if as_json:
        show_json(rebuilt.as_dict())
    else:
        show(rebuilt, keeps_database=into is not None)
    if not rebuilt.ok and not rebuilt.switched:
        raise typer.Exit(DIFFERENT)


def show(rebuilt: RebuildReport, *, keeps_database: bool) -> None:
    """Show the comparison: a table of the collections, then the differences."""
    replayed = rebuilt.replayed
    records, batches = thousands(replayed.records), thousands(replayed.batches)
    say(
        tr(
            "Replayed {records} records in {batches} batches, by the journal of {service}.",
            records=records,
            batches=batches,
            service=rebuilt.service,
        )
    )
    say()
    rows = [collection.as_dict() for collection in rebuilt.compared]
    show_table(["collection", "rebuilt", "live", "same", "different"], rows, tr("Both databases are empty."))
    publications, copies = thousands(replayed.published), thousands(replayed.duplicates)
    say()
    say(
        tr(
            "Events in topics: {events}, and {copies} duplicates, which readers ignore.",
            events=publications,
            copies=copies,
        )
    )
    for topic in replayed.unseen:
        warn(tr("The beginning of {topic} was deleted: events missing there can't be detected.", topic=topic))
    differs = tr("differed") if rebuilt.switched else tr("differs")
    for title, sentences in (
        (differs, rebuilt.mismatched),
        (tr("lost"), rebuilt.lost),
        (tr("not explained"), rebuilt.doubled),
    ):
        for sentence in sentences[:SHOWN]:
            warn(f"{title}: {translated(sentence)}")
        if len(sentences) > SHOWN:
            warn(f"{title}: {tr('and {count} more', count=len(sentences) - SHOWN)}")
    if keeps_database:
        say(tr("The rebuilt database is kept as {database}.", database=rebuilt.database))
    if rebuilt.switched:
        say(
            tr(
                "The live database of {service} now equals the rebuilt one. Start the service.",
                service=rebuilt.service,
            )
        )
    elif rebuilt.ok:
        say(tr("Both databases are the same."))
