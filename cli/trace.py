"""`karya trace`: the history of one lot, from the workshop to the buyer."""

import asyncio
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from cli.console import err, say, show_json, show_table
from ops.trace import LotHistory
from ops.trace import trace as trace_lot
from shared.errors import NotReached
from shared.settings import settings_for
from shared.shown import clock, rupiah
from shared.translation import heading, tr, translated, word
from shared.wording import Message


def trace(
    lot: Annotated[str, typer.Argument(help="The lot number on the label; case and spaces don't matter.")],
    all: Annotated[bool, typer.Option("--all", help="Show each sale, not sums by booth and hour.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Show the history of one lot as a timeline, in the facility's local time. Makers are never shown."""
    settings = settings_for("kafka", "mongo")
    with err.status(tr("Reading the events of the lot")):
        try:
            life = asyncio.run(trace_lot(settings, lot, every_sale=all))
        except (KafkaError, PyMongoError, OSError) as error:
            # Without the address of MongoDB: it may contain a password.
            raise NotReached(
                Message(
                    "Kafka at {kafka} or MongoDB does not answer: {error}", kafka=settings.kafka, error=repr(error)
                )
            ) from error
    if as_json:
        show_json(life.as_dict())
    else:
        _show(life)


def _show(life: LotHistory) -> None:
    say(
        ", ".join(
            [
                tr("Lot {lot}: {product} of {facility}", lot=life.lot, product=life.product, facility=life.facility),
                *([tr("RECALLED")] if life.recalled else []),
                *([tr("WITHDRAWN")] if life.withdrawn else []),
            ]
        )
    )
    say()
    rows = [
        {
            "when": clock(entry.at.astimezone(life.zone)),
            "what": translated(entry.message),
            "who": entry.who,
            "account": entry.actor,
        }
        for entry in life.entries
    ]
    show_table(["when", "what", "who", "account"], rows, tr("No event names this lot."))
    if life.now:
        pieces = ", ".join(f"{qty} {heading(name).replace('_', ' ')}" for name, qty in life.now.items())
        say()
        say(tr("Now, according to inventory: {pieces}", pieces=pieces))
    if life.booths:
        say()
        columns = ["booth", "stocked", "sold", "unlabelled", "lost", "unsold", "sold for", "withdrawn"]
        show_table(columns, [_of_booth(booth) for booth in life.booths], "")


def _of_booth(booth: dict[str, Any]) -> dict[str, Any]:
    withdrawn = word("yes") if booth["withdrawn"] else None
    return booth | {"sold for": rupiah(booth["sold_rupiah"]), "withdrawn": withdrawn}
