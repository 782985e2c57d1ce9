"""`karya audit`: who gave which command."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.console import err, local, show_json, show_table
from cli.parameters import parser_for
from ops.audit import AuditFilter
from ops.audit import audit as read_audit
from shared.causes import cause_of
from shared.errors import NotReached, WrongEntry
from shared.settings import settings_for
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
    festival: Annotated[str | None, typer.Option(help="Only commands about this festival.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """List who gave which command: to festivals, the catalogue and accounts, and what operators repaired."""
    settings = settings_for("kafka")
    with err.status(tr("Reading the commands")):
        try:
            entries = asyncio.run(read_audit(settings, AuditFilter(actor, since, festival)))
        except (KafkaError, OSError) as error:
            raise NotReached(
                Message("Kafka at {kafka} does not answer: {reason}.", kafka=settings.kafka, reason=cause_of(error))
            ) from error
    if as_json:
        show_json([entry.as_dict() for entry in entries])
        return
    rows = [
        {
            "when": local(entry.at, None),
            "account": entry.actor,
            "command": entry.command,
            "key": entry.key,
            "id": entry.id,
        }
        for entry in entries
    ]
    show_table(["when", "account", "command", "key", "id"], rows, tr("No command fits."))
