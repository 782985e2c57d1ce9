"""What a producer with transactions leaves in a log: records taken back, and marks that take an offset each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaProducer, TopicPartition

from shared import envelope
from shared.events.language import Body, Topic
from shared.kafka import partition_for, topic_name
from shared.settings import Settings


class Transactional:
    """A producer with transactions, as other clients of Kafka have."""

    def __init__(self, settings: Settings, client: AIOKafkaProducer) -> None:
        self._settings = settings
        self._client = client

    async def say(self, topic: Topic, *bodies: Body, taken_back: bool = False) -> None:
        """One transaction with these events (ids `<topic> <n>` never come twice); a mark lies behind them."""
        await self._client.begin_transaction()
        for body in bodies:
            key = topic.key_of(body)
            headers = envelope.headers(
                id=str(uuid4()), source="elsewhere", topic=topic, body=body, time=envelope.EPOCH
            )
            partition = partition_for(key, self._settings.partitions)
            name = topic_name(self._settings, topic.name)
            await self._client.send_and_wait(name, envelope.encode(body), key.encode(), partition, headers=headers)
        await self._end(taken_back)

    async def take_back(self, *parts: TopicPartition) -> None:
        """A record of no sense to each of these, all of them taken back: two offsets without a record."""
        await self._client.begin_transaction()
        sent = [await self._client.send(part.topic, b"{", b"a key", part.partition) for part in parts]
        await asyncio.gather(*sent)
        await self._end(taken_back=True)

    async def _end(self, taken_back: bool) -> None:
        await (self._client.abort_transaction() if taken_back else self._client.commit_transaction())


@asynccontextmanager
async def transactional(settings: Settings) -> AsyncIterator[Transactional]:
    """Connected as long as the block lasts."""
    client = AIOKafkaProducer(bootstrap_servers=settings.kafka, transactional_id=f"t{uuid4().hex[:8]}")
    async with client:
        yield Transactional(settings, client)
