"""`karya trace`: what happened to one lot, from the workshop to the buyer."""

import asyncio
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from cli.console import err, say, show_json, show_table
from ops.trace import Life
from ops.trace import trace as trace_lot
from shared.errors import NotReached
from shared.settings import settings_for
from shared.shown import clock, rupiah


def trace(
    lot: Annotated[str, typer.Argument(help="The lot number on the label, typed as you like.")],
    all: Annotated[bool, typer.Option("--all", help="Each sale, not their sum by booth and hour.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Tell the life of one lot as a timeline, in the facility's local time. It never tells who made it."""
    settings = settings_for("kafka", "mongo")
    with err.status("Reading what is known of the lot"):
        try:
            life = asyncio.run(trace_lot(settings, lot, every_sale=all))
        except (KafkaError, PyMongoError, OSError) as error:
            # Not where MongoDB is: its address may hold a password.
            raise NotReached(f"Kafka at {settings.kafka} or MongoDB does not answer: {error!r}") from error
    if as_json:
        show_json(life.as_dict())
    else:
        _show(life)


def _show(life: Life) -> None:
    say(f"Lot {life.lot}: {life.product} of {life.facility}{', RECALLED' if life.recalled else ''}")
    say()
    rows = [
        {"when": clock(entry.at.astimezone(life.zone)), "what": entry.text, "who": entry.who}
        for entry in life.entries
    ]
    show_table(["when", "what", "who"], rows, "Nothing was heard of it.")
    if life.now:
        said = ", ".join(f"{qty} {name.replace('_', ' ')}" for name, qty in life.now.items())
        say()
        say(f"Now, by inventory: {said}")
    if life.booths:
        say()
        columns = ["booth", "stocked", "sold", "unlabelled", "lost", "unsold", "sold for", "withdrawn"]
        show_table(columns, [_of_booth(booth) for booth in life.booths], "")


def _of_booth(booth: dict[str, Any]) -> dict[str, Any]:
    withdrawn = "yes" if booth["withdrawn"] else None
    return booth | {"sold for": rupiah(booth["sold_rupiah"]), "withdrawn": withdrawn}
