"""Sets a cluster up: the topics, and the first entries of the catalogue."""

import asyncio
from datetime import UTC, datetime

from aiokafka import TopicPartition

from deploy.secure.acls import reconcile_acls
from deploy.topics import TopicChanges, make_topics
from services.production import reference, seed
from shared import envelope
from shared.derivation import named_id
from shared.events.catalogue import ENTRY_COMMANDS
from shared.kafka import partition_for, producer, reader, stop_producer, stop_reader, topic_name
from shared.settings import Settings

SOURCE = "karya/seed"


async def set_up(settings: Settings) -> TopicChanges:
    """Make the topics, give the users of a secured Kafka their rights, and sow the catalogue.

    Safe to repeat. Raises as `make_topics` does, and KafkaError.
    """
    changes = await make_topics(settings)
    if settings.kafka_credentials is not None:
        await reconcile_acls(settings)
    await sow_catalogue(settings)
    return changes


async def sow_catalogue(settings: Settings) -> int:
    """Publish the reference data as the first commands of the catalogue, unless that was done. Returns their number.

    An id follows from the command's content, so that a second publication changes nothing. Raises KafkaError.
    """
    commands = list(seed.commands(reference.load()))
    name = topic_name(settings, ENTRY_COMMANDS.name)
    # A crash may have left a part of them: a whole seed has at least as many records.
    if await _records(settings, name) >= len(commands):
        return 0
    client = producer(settings)
    try:
        await client.start()
        futures = []
        for command in commands:
            value = envelope.encode(command)
            id = named_id(f"{command.entry} {envelope.digest(value).hex()}", ENTRY_COMMANDS.name, 0)
            headers = envelope.headers(
                id=id, source=SOURCE, topic=ENTRY_COMMANDS, body=command, time=datetime.now(UTC)
            )
            key = command.entry
            partition = partition_for(key, settings.partitions)
            futures.append(
                await client.send(name, value=value, key=key.encode(), partition=partition, headers=headers)
            )
        await asyncio.gather(*futures)
    finally:
        await stop_producer(client)
    return len(commands)


async def _records(settings: Settings, name: str) -> int:
    client = reader(settings)
    try:
        await client.start()
        parts = [TopicPartition(name, number) for number in range(settings.partitions)]
        # The client looks for the leaders of assigned partitions at once, and for others after a refusal.
        client.assign(parts)
        client.pause(*parts)
        return sum((await client.end_offsets(parts)).values())
    finally:
        await stop_reader(client)
