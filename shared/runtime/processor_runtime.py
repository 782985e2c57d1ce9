"""The runtime objects of one processor and their health."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.causes import cause_of
from shared.patches.faststream import PatientConsumer, batch_done, has_a_batch
from shared.retry import PASSING
from shared.runtime.lag import overdue, waiting
from shared.runtime.lanes import Lanes
from shared.runtime.step import Step
from shared.runtime.timer_service import TimerService
from shared.timeouts import hard_timeout

# Longer than a batch may take when all is well, its retries included.
SILENT = 30.0


@dataclass(slots=True)
class ProcessorRuntime:
    """One processor's lanes, step, timers and subscriber.

    `viewed`: its collections that other processors view. `overdue`: sentences on records that waited too long.
    """

    lanes: Lanes
    step: Step
    timers: TimerService
    subscriber: BatchSubscriber
    viewed: Sequence[str] = ()
    overdue: list[str] = field(default_factory=list)

    @property
    def liveness_failure(self) -> str | None:
        """A sentence on why this process can't work the processor any more, or None. Only a new process helps."""
        # Before the start there are no tasks.
        if self.subscriber.tasks and all(task.done() for task in self.subscriber.tasks):
            return f"nobody polls Kafka for {self.lanes.group}"
        # Silence during a batch ends with the batch, even if the database does not answer. Other silence has no end.
        silence = None if has_a_batch(self.subscriber) else self._silence
        return silence or self.lanes.stuck

    @property
    def readiness_failures(self) -> list[str]:
        """Sentences on why the processor is not working."""
        failures = self.lanes.readiness_failures + self.overdue
        if (failure := self.liveness_failure or self._silence) is not None:
            failures.append(failure)
        return failures

    async def check_lag(self, most_lag: float, seconds: float) -> None:
        """Ask Kafka whether records wait here for more than `most_lag` seconds. Waits `seconds` for its answer."""
        consumer = self.subscriber.consumer
        if not isinstance(consumer, PatientConsumer):
            return  # before the start there is none
        try:
            failure = await hard_timeout(seconds, overdue(self.lanes, consumer, most_lag, self.viewed))
        except PASSING as fault:
            failure = f"the topics of {self.lanes.group} can't be reached: {cause_of(fault)}"
        self.overdue = [failure] if failure is not None else []

    async def waiting(self, seconds: float) -> dict[str, int] | None:
        """By topic, the records that wait to be worked here. None if Kafka does not answer within so many seconds."""
        consumer = self.subscriber.consumer
        if not isinstance(consumer, PatientConsumer):
            return {}
        try:
            return await hard_timeout(seconds, waiting(self.lanes, consumer))
        except PASSING:
            return None

    async def finish(self, seconds: float) -> None:
        """Take no more records, and finish the batch in hand as far as its transaction is open."""
        self.subscriber.running = False
        self.lanes.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await batch_done(self.subscriber, seconds)
                await self.step.offsets_committed()
        await self.lanes.give_up()

    @property
    def _silence(self) -> str | None:
        consumer = self.subscriber.consumer
        silent = consumer.silence if isinstance(consumer, PatientConsumer) else 0.0
        return f"Kafka was not polled for {self.lanes.group} in the last {silent:.0f} s" if silent > SILENT else None
