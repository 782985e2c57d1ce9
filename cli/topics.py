"""`karya topics`: make what is missing on a Kafka cluster, and set right what is there."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.console import say, show_json
from deploy.topics import order_topics
from shared.errors import NotReached, TopicsRefused
from shared.settings import settings_for


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Make every topic that Karya needs and that is not there yet, and alter what is set otherwise. Safe to repeat.

    Ends with 1 when something is left that only a person may change: it says what can be done.
    """
    settings = settings_for("kafka")
    try:
        ordered = asyncio.run(order_topics(settings))
    except (KafkaError, OSError) as error:
        raise NotReached(f"Kafka at {settings.kafka} did not put the topics in order: {error!r}") from error
    if as_json:
        show_json(asdict(ordered))
        raise typer.Exit(1 if ordered.refused else 0)
    for one in ordered.altered:
        say(f"altered {one.topic}: {one.setting}={one.wanted} (was {one.found})")
    if ordered.refused:
        raise TopicsRefused("\n".join(ordered.refused))
    say(f"{len(ordered.made)} topics made." if ordered.made else "All topics are there.")
