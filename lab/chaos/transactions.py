"""Another Kafka client that writes to an input topic in transactions, and aborts every second one."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NodeNotReadyError

from lab.chaos.expected import AcknowledgedRecord
from lab.chaos.tally import Tally
from shared import envelope
from shared.envelope import digest
from shared.events.production import TERMINAL, ProductionReported
from shared.kafka import partition_for, stop_producer, topic_name
from shared.kafka_connection import connection
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout

EVERY_SECONDS = 3.0
ATTEMPT_SECONDS = 20.0
# Kafka aborts a transaction that a client left open for this long. Until then no consumer reads past it.
OPEN_MS = 20_000


class TransactionAgent:
    """Sends reports of a facility's terminal T9. `committed`: records that Kafka keeps. Aborted ones must have no
    effect anywhere."""

    def __init__(self, facility: str, product: str, settings: Settings, rng: random.Random, tally: Tally) -> None:
        self._facility = facility
        self._product = product
        self._settings = settings
        self._rng = rng
        self._tally = tally
        self._transactional_id = f"chaos-{uuid4()}"
        self.committed: list[AcknowledgedRecord] = []

    async def work(self, stop: asyncio.Event) -> None:
        """Alternate aborted and committed transactions until `stop` is set; the last pair is finished."""
        while not stop.is_set():
            await asyncio.sleep(EVERY_SECONDS * self._rng.uniform(0.5, 1.5))
            for abort in (True, False):
                await self._transaction(self._report(), abort=abort)

    async def _transaction(self, record: AcknowledgedRecord, *, abort: bool) -> None:
        # A commit without an answer may have succeeded. The same report again, with the same id, counts once.
        async for _ in attempts(first=0.5, most=2.0):
            try:
                await hard_timeout(ATTEMPT_SECONDS, self._attempt(record, abort=abort))
                break
            except (KafkaError, TimeoutError, ConnectionAbortedError):
                self._tally.syncs_failed += 1
        if not abort:
            self.committed.append(record)
            self._tally.recorded += 1

    async def _attempt(self, record: AcknowledgedRecord, *, abort: bool) -> None:
        # Every attempt has the same transactional id, so it aborts what an earlier one left open.
        client = AIOKafkaProducer(
            **connection(self._settings),
            transactional_id=self._transactional_id,
            transaction_timeout_ms=OPEN_MS,
        )
        try:
            try:
                await client.start()
            except AssertionError as error:
                # aiokafka asserts that it knows a broker. A broker that is still starting lists none.
                raise NodeNotReadyError(str(error)) from error
            await client.begin_transaction()
            key = record.topic.key_of(record.body)
            headers = envelope.headers(
                id=record.id, source=record.source, topic=record.topic, body=record.body, time=datetime.now(UTC)
            )
            await client.send_and_wait(
                topic_name(self._settings, record.topic.name),
                envelope.encode(record.body),
                key.encode(),
                partition_for(key, self._settings.partitions),
                headers=headers,
            )
            await (client.abort_transaction() if abort else client.commit_transaction())
        finally:
            await stop_producer(client)

    def _report(self) -> AcknowledgedRecord:
        body = ProductionReported(
            facility=self._facility,
            terminal="T9",
            product=self._product,
            qty=self._rng.randint(1, 50),
            made_on=datetime.now(ZoneInfo("Asia/Makassar")).date(),
        )
        source = f"terminal/{self._facility}/T9"
        return AcknowledgedRecord(source, str(uuid4()), TERMINAL, digest(envelope.encode(body)), body)
