"""`karya topics`: creates missing topics on a Kafka cluster, corrects others, and sows the catalogue."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.administrator import as_administrator
from cli.console import say, show_json
from deploy.secure.acls import reconcile_acls
from deploy.seed import sow_catalogue
from deploy.topics import TopicChanges, reconcile_topics
from shared.causes import cause_of
from shared.errors import NotReached, TopicsRefused
from shared.settings import Settings, settings_for
from shared.wording import Message


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Create every missing topic, correct wrong settings of existing ones, and sow the catalogue. Safe to repeat.

    Ends with 1 if something is left that only a person may change, and says what to do.
    """
    settings = as_administrator(settings_for("kafka"))
    try:
        result, sown = asyncio.run(_set_up(settings))
    except (KafkaError, OSError) as error:
        raise NotReached(
            Message(
                "Kafka at {kafka} did not put the topics in order: {reason}.",
                kafka=settings.kafka,
                reason=cause_of(error),
            )
        ) from error
    if as_json:
        show_json({**asdict(result), "sown": sown})
        raise typer.Exit(1 if result.refused else 0)
    for topic in result.altered:
        say(f"altered {topic.topic}: {topic.setting}={topic.wanted} (was {topic.found})")
    if result.refused:
        raise TopicsRefused("\n".join(result.refused))
    say(f"{len(result.made)} topics created." if result.made else "All topics exist already.")
    if sown:
        say(f"{sown} entries of the reference data were sent to the catalogue.")


async def _set_up(settings: Settings) -> tuple[TopicChanges, int]:
    result = await reconcile_topics(settings)
    rights_of_everybody: Sequence[str] = ()
    if settings.kafka_credentials is not None:
        rights_of_everybody = (await reconcile_acls(settings)).refused
    sown = 0 if result.refused else await sow_catalogue(settings)
    return replace(result, refused=[*result.refused, *rights_of_everybody]), sown
