"""Another client of Kafka that writes to an input topic in transactions, and takes every second one back."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NodeNotReadyError

from lab.chaos.pace import Tally
from lab.chaos.told import Acknowledged
from shared import envelope
from shared.envelope import digest
from shared.events.production import TERMINAL, ProductionReported
from shared.kafka import partition_for, stop_producer, topic_name
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout

EVERY_SECONDS = 3.0
PATIENCE = 20.0
# Kafka takes back what a client left open for so long; until then nobody reads past it.
OPEN_MS = 20_000


class TransactionAgent:
    """Reports of a facility's third terminal. `committed` is what Kafka has for good; what was taken back is not to
    be seen anywhere."""

    def __init__(self, facility: str, product: str, settings: Settings, rng: random.Random, tally: Tally) -> None:
        self._facility = facility
        self._product = product
        self._settings = settings
        self._rng = rng
        self._tally = tally
        self._transactional_id = f"chaos-{uuid4()}"
        self.committed: list[Acknowledged] = []

    async def work(self, until: asyncio.Event) -> None:
        """One transaction that is taken back, one that is committed, and so on; the last one is brought to its
        end."""
        while not until.is_set():
            await asyncio.sleep(EVERY_SECONDS * self._rng.uniform(0.5, 1.5))
            for taken_back in (True, False):
                await self._transaction(self._report(), taken_back=taken_back)

    async def _transaction(self, said: Acknowledged, *, taken_back: bool) -> None:
        # A commit that nobody answered may have been one: the same report again, with the same id, counts once.
        async for _ in attempts(first=0.5, most=2.0):
            try:
                await hard_timeout(PATIENCE, self._try(said, taken_back=taken_back))
                break
            except (KafkaError, TimeoutError, ConnectionAbortedError):
                self._tally.syncs_failed += 1
        if not taken_back:
            self.committed.append(said)
            self._tally.recorded += 1

    async def _try(self, said: Acknowledged, *, taken_back: bool) -> None:
        # Each under the one id: who begins anew takes back what was left open before.
        client = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka,
            transactional_id=self._transactional_id,
            transaction_timeout_ms=OPEN_MS,
        )
        try:
            try:
                await client.start()
            except AssertionError as error:
                # aiokafka asserts that it knows a broker. One that has only begun tells of none, not even itself.
                raise NodeNotReadyError(str(error)) from error
            await client.begin_transaction()
            key = said.topic.key_of(said.body)
            headers = envelope.headers(
                id=said.id, source=said.source, topic=said.topic, body=said.body, time=datetime.now(UTC)
            )
            await client.send_and_wait(
                topic_name(self._settings, said.topic.name),
                envelope.encode(said.body),
                key.encode(),
                partition_for(key, self._settings.partitions),
                headers=headers,
            )
            await (client.abort_transaction() if taken_back else client.commit_transaction())
        finally:
            await stop_producer(client)

    def _report(self) -> Acknowledged:
        body = ProductionReported(
            facility=self._facility,
            terminal="T9",
            product=self._product,
            qty=self._rng.randint(1, 50),
            made_on=datetime.now(ZoneInfo("Asia/Makassar")).date(),
        )
        source = f"terminal/{self._facility}/T9"
        return Acknowledged(source, str(uuid4()), TERMINAL, digest(envelope.encode(body)), body)
