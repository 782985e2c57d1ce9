"""`karya audit`: who gave which command."""

import asyncio
import os
from datetime import datetime
from operator import itemgetter
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.console import err, local, show_json, show_table
from cli.festival.client import Row, ServiceClient
from cli.parameters import parser_for
from deploy.local.services import OPERATIONS
from deploy.topics import SERVICES
from ops.audit import AuditFilter
from ops.audit import audit as read_audit
from shared.causes import cause_of
from shared.envelope import rfc3339
from shared.errors import NotAnswered, NotReached, WrongEntry
from shared.settings import Settings, settings_for
from shared.translation import tr
from shared.wording import Message


def moment(text: str) -> datetime:
    """A moment as a person types it, by this machine's clock if it names no zone. Raises WrongEntry."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise WrongEntry(
            Message("{text!r} is no moment. Write e.g. --since 2026-04-18 or --since '2026-04-18 08:00'.", text=text)
        ) from None


def audit(
    actor: Annotated[str | None, typer.Option(help="Only commands of this account (its subject) or program.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=parser_for(moment), metavar="WHEN", help="Only what arrived since then.")
    ] = None,
    festival: Annotated[
        str | None, typer.Option(help="Only commands that name this festival, a booth of it, or a role in it.")
    ] = None,
    over_http: Annotated[
        bool,
        typer.Option(
            "--http",
            help="Ask the services over HTTP, signed in as an auditor: this shows records of devices too. Without "
            "KARYA_KAFKA it is the default.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """List who gave which command: to festivals, the catalogue and accounts, and what operators repaired."""
    wanted = AuditFilter(actor, since, festival)
    with err.status(tr("Reading the commands")):
        rows = _of_services(wanted) if over_http or "kafka" not in Settings().model_fields_set else _of_kafka(wanted)
    if as_json:
        show_json(rows)
        return
    shown = [{**row, "when": local(datetime.fromisoformat(row["at"]), None), "account": row["actor"]} for row in rows]
    show_table(["when", "account", "command", "key", "id"], shown, tr("No command fits."))


def _of_kafka(wanted: AuditFilter) -> list[Row]:
    settings = settings_for("kafka")
    try:
        entries = asyncio.run(read_audit(settings, wanted))
    except (KafkaError, OSError) as error:
        raise NotReached(
            Message("Kafka at {kafka} does not answer: {reason}.", kafka=settings.kafka, reason=cause_of(error))
        ) from error
    return [entry.as_dict() for entry in entries]


def _of_services(wanted: AuditFilter) -> list[Row]:
    """The lists of all services, merged. Raises NotAnswered unless each is known: a part would pass for the whole."""
    variables = {name: f"KARYA_{name.upper()}_URL" for name in (*SERVICES, OPERATIONS)}
    if missing := [variable for variable in variables.values() if not os.environ.get(variable)]:
        raise NotAnswered(
            Message("Not every service is known here: run `make up`, or set {settings}.", settings=", ".join(missing))
        )
    since = rfc3339(wanted.since) if wanted.since is not None else None
    rows: list[Row] = []
    for name, variable in variables.items():
        with ServiceClient(os.environ[variable], 0, name) as api:
            rows += api.all("audit", by="at", actor=wanted.actor, festival=wanted.festival, since=since)
    return sorted(rows, key=itemgetter("at"))
