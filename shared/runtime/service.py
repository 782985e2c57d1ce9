"""One running service: starts and stops its processors, relay and clients in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import SASLScram512

from shared.causes import cause_of
from shared.envelope import Headers
from shared.errors import NotReached
from shared.events.journal import journal
from shared.events.language import Topic
from shared.kafka import (
    READ_COMMITTED,
    partition_for,
    producer,
    stop_producer,
    survey,
    topic_name,
)
from shared.kafka_connection import connection
from shared.mongo import Mongo
from shared.patches.faststream import Records, build_patient_consumers, decode, parse
from shared.polling import LOOK_MS
from shared.retry import PASSING, attempts
from shared.runtime.lanes import Lanes
from shared.runtime.left_pages import LeftPages
from shared.runtime.processor import Processor, viewed
from shared.runtime.processor_runtime import ProcessorRuntime
from shared.runtime.relay import Relay
from shared.runtime.step import Step
from shared.runtime.storage import RuntimeStore
from shared.runtime.timer_service import TimerService
from shared.runtime.witness import marks_at
from shared.settings import Settings
from shared.timeouts import hard_timeout, ignore_result
from shared.topics import INPUT_MAX_BYTES, misconfigured

log = structlog.get_logger()

# Short: a service calls itself ready for so long after a server went away.
PULSE = 1.0
PULSE_WITHIN = 2.0
APPENDED_WITHIN = 10.0
REACHED_WITHIN = 60.0
JOIN_GRACE_MS = 5_000
# Together less than the 10 s after which Docker kills a stopping container, with room for open HTTP requests.
FINISH_WITHIN = 4.0
SAY_WITHIN = 1.5
LEAVE_WITHIN = 1.0
CLOSE_WITHIN = 1.0
RELAY = "relay"
STARTING = "starting"


class Appended(NamedTuple):
    """A record to append, by its topic and key, with its exact bytes."""

    topic: Topic
    key: str
    value: bytes
    headers: Headers


class Stored(NamedTuple):
    """What became of appended records. `front`: how many of them, from the first one on, Kafka has acknowledged in
    time, without those of the positions `too_large`, which no topic takes."""

    front: int
    too_large: frozenset[int]


class Service:
    """A service by its name and processors, with `start`, `stop` and its health."""

    def __init__(self, name: str, processors: Sequence[Processor], settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.mongo = Mongo(settings)
        self.database = self.mongo.database(name)
        self.store = RuntimeStore(self.database)
        self.stopping = asyncio.Event()
        self.failed = False
        self._commands: AIOKafkaProducer | None = None
        self._starting_commands = asyncio.Lock()
        self._processors = processors
        self._relay = Relay(self.store, partial(producer, settings))
        self._broker = KafkaBroker(
            settings.kafka,
            security=_security(settings),
            apply_types=False,
            # `stop` waits for the batch in hand before it stops the broker.
            graceful_timeout=None,
            # Kafka answers a join after this at the latest. A member that waits longer for a lost answer would be
            # declared dead before it asks again.
            request_timeout_ms=settings.session_timeout_ms + JOIN_GRACE_MS,
            allow_auto_create_topics=False,
            logger=logging.getLogger("faststream"),
            log_level=logging.DEBUG,
        )
        self._chores: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self._runtimes: list[ProcessorRuntime] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._away: list[str] = []
        self._misconfigured: list[str] = []

    def add_chore(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work that goes on beside the processors, from the start to the stop. It must not end by itself."""
        self._chores[name] = work

    async def start(self) -> None:
        """Start, and wait for the servers. Raises PartitionsDiffer, or a client's error when they stay away."""
        for processor, (cluster, partitions) in zip(self._processors, await self._reach(), strict=True):
            self._runtimes.append(self._runtime(processor, cluster, partitions))
        self._keep(RELAY, self._relay.run())
        for runtime in self._runtimes:
            self._keep(f"lanes {runtime.lanes.group}", runtime.lanes.run())
            self._keep(f"timers {runtime.lanes.group}", runtime.timers.run())
        await self._broker.connect()
        build_patient_consumers(self._broker)
        await self._broker.start()
        await self._check_topics()
        left = LeftPages(self.store, self._relay, lambda: (runtime.lanes for runtime in self._runtimes))
        self._keep("left pages", left.run())
        self._keep("pulse", self._pulse())
        self._keep("checks", self._check())
        for name, work in self._chores.items():
            self._keep(name, work())
        log.info("service_started", processors=[processor.group for processor in self._processors])

    async def stop(self) -> None:
        """Finish the batches in hand, publish the outbox, leave the groups, close all clients.

        Each part has its bound, because a server may not answer. The next owner of a lane works uncommitted records
        again, and finds unpublished events in the outbox.
        """
        self.stopping.set()
        relaying = [task for task in self._tasks if task.get_name() == RELAY]
        background = [task for task in self._tasks if task.get_name() != RELAY]
        try:
            for task in background:
                task.cancel()
            await asyncio.gather(*(runtime.finish(FINISH_WITHIN) for runtime in self._runtimes))
            # Before another instance owns the lanes and publishes the same events.
            await _for_at_most(SAY_WITHIN, "relay", self._relay.drain())
            await _for_at_most(LEAVE_WITHIN, "groups", self._broker.stop())
        finally:
            for task in relaying:
                task.cancel()
            closing = [self._relay.close(), self._drop_commands(), self.mongo.close()]
            ended = asyncio.gather(*closing, *self._tasks, return_exceptions=True)
            await _for_at_most(CLOSE_WITHIN, "clients", ended)
        log.info("service_stopped")

    def _keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as long as the service runs, and log its end as critical."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._log_death)
        self._tasks.append(task)

    def _log_death(self, task: asyncio.Task[None]) -> None:
        if not self.stopping.is_set():
            fault = None if task.cancelled() else task.exception()
            log.critical("task_died", task=task.get_name(), cancelled=task.cancelled(), exc_info=fault)

    def liveness_failures(self) -> list[str]:
        """Sentences on tasks that ended in this process and should not have. Only a new process helps."""
        ended = [f"{task.get_name()} has ended" for task in self._tasks if task.done()]
        return ended + [fault for runtime in self._runtimes if (fault := runtime.liveness_failure) is not None]

    def startup_failures(self) -> list[str]:
        """Sentences on what the start still waits for. A started service stays started until a task dies."""
        waits = [
            f"{runtime.lanes.group} waits for its lanes" for runtime in self._runtimes if not runtime.lanes.started
        ]
        return self.liveness_failures() + waits if self._runtimes else [STARTING]

    def readiness_failures(self) -> list[str]:
        """Sentences on why the service is not ready; empty when it is."""
        failures = [f"{task.get_name()} has ended" for task in self._tasks if task.done()]
        failures += self._away + self._misconfigured
        if self._relay.failure is not None:
            failures.append(f"what is committed can't be published and taken from the outbox: {self._relay.failure}")
        for runtime in self._runtimes:
            failures += runtime.readiness_failures
        return failures if self._runtimes else [STARTING]

    async def waiting(self) -> list[tuple[str, str, int | None]]:
        """Group and topic of each processor, with the records that wait for this process. None: Kafka is away."""
        # Each answer comes behind its consumer's open fetch, so they are asked at the same time.
        found = await asyncio.gather(*(runtime.waiting(PULSE_WITHIN) for runtime in self._runtimes))
        return [
            (runtime.lanes.group, topic, None if records is None else records.get(topic, 0))
            for runtime, records in zip(self._runtimes, found, strict=True)
            for topic in runtime.lanes.topics
        ]

    async def append(self, topic: Topic, key: str, value: bytes, headers: Headers) -> None:
        """Append an HTTP client's command to its topic.

        Raises NotReached when Kafka has not acknowledged it in time. The command may be there or not, so the client
        must send it again with the same id.
        """
        name = topic_name(self.settings, topic.name)
        try:
            await hard_timeout(APPENDED_WITHIN, self._append(name, key, value, headers))
        except PASSING as fault:
            # The producer must not send the command long after the client heard that it was not taken.
            await self._drop_commands()
            raise NotReached(f"Kafka did not take it within {APPENDED_WITHIN:g} s: {cause_of(fault)}.") from fault

    async def append_all(self, records: Sequence[Appended]) -> Stored:
        """Append these records in their order, which each topic and key keeps, and wait once for all of them.

        Records behind the front may be there or not, so the client must send them again with the same ids.
        """
        fitting = [(number, record) for number, record in enumerate(records) if _fits(record)]
        futures: list[asyncio.Future[Any]] = []
        try:
            await hard_timeout(APPENDED_WITHIN, self._append_in_order([record for _, record in fitting], futures))
        except PASSING as fault:
            log.warning("records_append_failed", records=len(records), fault=repr(fault)[:300])
            # The producer must not send them long after the client heard that they were not taken.
            await self._drop_commands()
        taken = {number for (number, _), future in zip(fitting, futures, strict=False) if _is_taken(future)}
        unacknowledged = (number for number, _ in fitting if number not in taken)
        too_large = frozenset(range(len(records))) - {number for number, _ in fitting}
        return Stored(next(unacknowledged, len(records)), too_large)

    async def _append_in_order(self, records: Sequence[Appended], futures: list[asyncio.Future[Any]]) -> None:
        """Begin to send each record, one after the other, and wait for all. `futures` gets one for each begun."""
        client = await self._commands_started()
        for topic, key, value, headers in records:
            name = topic_name(self.settings, topic.name)
            partition = partition_for(key, len(await client.partitions_for(name)))
            future = await client.send(name, value, key.encode(), partition, headers=headers)
            future.add_done_callback(ignore_result)
            futures.append(future)
        for future in futures:
            # Shielded: a cancelled future says nothing of its record.
            await asyncio.shield(future)

    async def _append(self, name: str, key: str, value: bytes, headers: Headers) -> None:
        client = await self._commands_started()
        partition = partition_for(key, len(await client.partitions_for(name)))
        await client.send_and_wait(name, value, key.encode(), partition, headers=headers)

    async def _commands_started(self) -> AIOKafkaProducer:
        async with self._starting_commands:
            if self._commands is None:
                client = producer(self.settings)
                try:
                    await client.start()
                except BaseException:
                    await stop_producer(client)
                    raise
                self._commands = client
            return self._commands

    async def _drop_commands(self) -> None:
        client, self._commands = self._commands, None
        if client is not None:
            await stop_producer(client)

    @property
    def idle(self) -> bool:
        """True when no committed event waits to be published."""
        return self._relay.idle

    async def _pulse(self) -> None:
        """Ask both servers, for ever. A service without work would not notice that they are away."""
        while True:
            answers = await asyncio.gather(self._kafka_failure(), self._mongo_failure())
            self._away = [failure for failure in answers if failure is not None]
            await asyncio.sleep(PULSE)

    async def _check(self) -> None:
        """Ask Kafka what waits here and whether its topics are right, for ever. Its answers may take long, and no
        pulse waits for them."""
        while True:
            if self._misconfigured:
                # Only until the settings are right: they hardly ever change.
                await self._check_topics()
            for runtime in self._runtimes:
                if not self._away:
                    await runtime.check_lag(self.settings.most_lag_seconds, PULSE_WITHIN)
            await asyncio.sleep(PULSE)

    async def _kafka_failure(self) -> str | None:
        try:
            # A second more than the client's own bound, which it may not keep.
            answered = await hard_timeout(PULSE_WITHIN + 1, self._broker.ping(PULSE_WITHIN))
        except PASSING as fault:
            return f"Kafka does not answer: {cause_of(fault)}"
        return None if answered else "Kafka does not answer"

    async def _mongo_failure(self) -> str | None:
        try:
            # A real read: a server that answers a ping may still refuse this database.
            await hard_timeout(PULSE_WITHIN, self.store.lanes(self.name, [0]))
        except PASSING as fault:
            return f"MongoDB does not answer: {cause_of(fault)}"
        return None

    async def _check_topics(self) -> None:
        names = [name for processor in self._processors for name in self._topics_of(processor)]
        names += [topic_name(self.settings, journal(processor.service).name) for processor in self._processors]
        try:
            self._misconfigured = await hard_timeout(PULSE_WITHIN, misconfigured(self.settings, set(names)))
        except PASSING as fault:
            self._misconfigured = [f"how the topics are set can't be read: {cause_of(fault)}"]

    async def _reach(self) -> list[tuple[str, int]]:
        """Wait for the servers. Returns, of each processor, Kafka's cluster id and the number of partitions.

        Servers and services often start together, and a new process costs more than a wait.
        """
        fault: BaseException | None = None
        async for attempt in attempts(within=REACHED_WITHIN):
            try:
                await self.store.prepare(self._processors)
                await self._commands_started()
                return [await survey(self.settings, self._topics_of(processor)) for processor in self._processors]
            except PASSING as passing:
                log.warning("servers_awaited", attempt=attempt, fault=repr(passing)[:300])
                fault = passing
        assert fault is not None
        raise fault

    def _topics_of(self, processor: Processor) -> list[str]:
        """The full names of the processor's topics and of their DLQs. A dead letter keeps its record's partition, so
        their numbers of partitions must agree."""
        names = [topic_name(self.settings, topic.name) for topic in processor.topics]
        return [*names, *(f"{name}.dlq" for name in names)]

    def _runtime(self, processor: Processor, cluster: str, partitions: int) -> ProcessorRuntime:
        settings = self.settings
        topics = {topic_name(settings, topic.name): topic for topic in processor.topics}
        lanes = Lanes(processor.group, list(topics), self.store, self._relay, cluster, partial(marks_at, settings))
        parts: dict[str, Any] = {
            "prefix": settings.topic_prefix,
            "mongo": self.mongo,
            "store": self.store,
            "lanes": lanes,
            "relay": self._relay,
        }
        step = Step(processor, topics=topics, partitions=partitions, database=self.database, **parts)
        subscriber = self._subscribe(processor, list(topics), step, lanes)
        lanes.bind_consumer(lambda: subscriber.consumer)
        timers = TimerService(processor, **parts)
        return ProcessorRuntime(lanes, step, timers, subscriber, viewed(processor, self._processors))

    def _subscribe(self, processor: Processor, topics: Sequence[str], step: Step, lanes: Lanes) -> BatchSubscriber:
        subscriber = self._broker.subscriber(
            *topics,
            group_id=topic_name(self.settings, processor.group),
            batch=True,
            max_records=self.settings.max_batch,
            batch_timeout_ms=LOOK_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level=READ_COMMITTED,
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=self.settings.session_timeout_ms,
            heartbeat_interval_ms=self.settings.session_timeout_ms // 4,
            listener=lanes,
            parser=parse,
            decoder=decode,
        )

        @subscriber
        async def on_batch(records: Records) -> None:
            consumer = subscriber.consumer
            if consumer is not None:
                await step.work(records, consumer)

        return subscriber


def _fits(record: Appended) -> bool:
    """Whether a topic takes a record of this size. The broker's refusal would end the shared producer's sequence."""
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key.encode(), record.value, record.headers)
    return bool(size <= INPUT_MAX_BYTES)


def _is_taken(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _security(settings: Settings) -> SASLScram512 | None:
    """FastStream's form of a secured connection."""
    options = connection(settings)
    if "sasl_mechanism" not in options:
        return None
    return SASLScram512(
        options["sasl_plain_username"],
        options["sasl_plain_password"],
        ssl_context=options["ssl_context"],
        use_ssl=True,
    )


async def _for_at_most(seconds: float, part: str, work: Awaitable[object]) -> None:
    try:
        await hard_timeout(seconds, work)
    except (ExceptionGroup, *PASSING) as fault:
        log.warning("shutdown_step_failed", part=part, fault=repr(fault)[:300])
