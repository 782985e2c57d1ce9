"""All that one processor runs on, and how it is."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.patches.faststream import PatientConsumer, batch_done, has_a_batch
from shared.retry import PASSING
from shared.runtime.lag import overdue
from shared.runtime.lanes import Lanes
from shared.runtime.step import Step
from shared.runtime.timer_service import TimerService
from shared.timeouts import hard_timeout

# Longer than a batch may take when all is well, its retries included.
SILENT = 30.0


@dataclass(slots=True)
class ProcessorRuntime:
    """One processor's lanes, step, clock and subscriber."""

    lanes: Lanes
    step: Step
    clock: TimerService
    subscriber: BatchSubscriber
    overdue: list[str] = field(default_factory=list)

    @property
    def liveness_failure(self) -> str | None:
        """Why nobody will work this processor in this process any more, in words: only a new process helps."""
        # None at all before it has started.
        if self.subscriber.tasks and all(task.done() for task in self.subscriber.tasks):
            return f"nobody polls Kafka for {self.lanes.group}"
        # A long batch, as with a database that does not answer, will end; with none in hand nothing will.
        silence = None if has_a_batch(self.subscriber) else self._silence
        return silence or self.lanes.stuck

    @property
    def readiness_failures(self) -> list[str]:
        """Why this processor is not at work, in words."""
        found = self.lanes.readiness_failures + self.overdue
        if (trouble := self.liveness_failure or self._silence) is not None:
            found.append(trouble)
        return found

    async def look(self, most_lag: float, seconds: float) -> None:
        """Ask Kafka whether records wait here for more than `most_lag` seconds, and wait `seconds` for its answer."""
        consumer = self.subscriber.consumer
        if not isinstance(consumer, PatientConsumer):
            return  # there is none before it has started
        try:
            trouble = await hard_timeout(seconds, overdue(self.lanes, consumer, most_lag))
        except PASSING as fault:
            trouble = f"the topics of {self.lanes.group} can't be reached: {repr(fault)[:300]}"
        self.overdue = [trouble] if trouble is not None else []

    async def finish(self, seconds: float) -> None:
        """Take no more records, and see the batch in hand through, or what of it is in a transaction."""
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
