"""`karya topics`: creates missing topics on a Kafka cluster, and corrects the settings of others."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.console import say, show_json
from deploy.topics import reconcile_topics
from shared.errors import NotReached, TopicsRefused
from shared.settings import settings_for


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Create every missing topic, and correct wrong settings of existing ones. Safe to repeat.

    Ends with 1 if something is left that only a person may change, and says what to do.
    """
    settings = settings_for("kafka")
    try:
        result = asyncio.run(reconcile_topics(settings))
    except (KafkaError, OSError) as error:
        raise NotReached(f"Kafka at {settings.kafka} did not put the topics in order: {error!r}") from error
    if as_json:
        show_json(asdict(result))
        raise typer.Exit(1 if result.refused else 0)
    for topic in result.altered:
        say(f"altered {topic.topic}: {topic.setting}={topic.wanted} (was {topic.found})")
    if result.refused:
        raise TopicsRefused("\n".join(result.refused))
    say(f"{len(result.made)} topics created." if result.made else "All topics exist already.")
