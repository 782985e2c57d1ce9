"""`karya catalogue seed`: sends the first entries of the catalogue."""

import asyncio

import typer
from aiokafka.errors import KafkaError

from cli.catalogue.session import Json
from cli.console import exit_on_error, say, show_json
from deploy.seed import sow_catalogue
from shared.causes import cause_of
from shared.errors import NotReached
from shared.settings import settings_for
from shared.translation import tr
from shared.wording import Message


def seed(_context: typer.Context, as_json: Json = False) -> None:
    """Send the first entries of the catalogue through Kafka. Entries that are there stay as they are.

    Safe to repeat. `karya up` and `karya topics` do it too.
    """
    with exit_on_error():
        settings = settings_for("kafka")
        try:
            sent = asyncio.run(sow_catalogue(settings))
        except (KafkaError, OSError) as error:
            message = Message(
                "Kafka at {kafka} did not take the entries ({reason}). `karya topics` makes missing topics.",
                kafka=settings.kafka,
                reason=cause_of(error),
            )
            raise NotReached(message) from None
        if as_json:
            show_json({"sent": sent})
        elif sent:
            say(tr("{sent} entries were sent to the catalogue. `karya catalogue list` shows them.", sent=sent))
        else:
            say(tr("The catalogue was sown before."))
