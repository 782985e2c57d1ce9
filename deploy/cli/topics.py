"""`karya topics`: make what is missing on a Kafka cluster."""

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from deploy.topics import make_topics
from shared.console import say, show_json
from shared.errors import NotReached
from shared.settings import told


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Make every topic that Karya needs and that is not there yet. Safe to repeat."""
    settings = told("kafka")
    try:
        made = asyncio.run(make_topics(settings))
    except (KafkaError, OSError) as error:
        raise NotReached(f"Kafka at {settings.kafka} did not make the topics: {error!r}") from error
    if as_json:
        show_json({"made": made})
    else:
        say(f"{len(made)} topics made." if made else "All topics are there.")
