"""All that one family runs on, and how it is."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.patches.faststream import PatientConsumer, batch_done, has_a_batch
from shared.retry import PASSING
from shared.runtime.clock import Clock
from shared.runtime.lag import late
from shared.runtime.lanes import Lanes
from shared.runtime.step import Step
from shared.within import within

# Longer than a batch may take when all is well, its retries included.
SILENT = 30.0


@dataclass(slots=True)
class Line:
    """One family's lanes, step, clock and subscriber."""

    lanes: Lanes
    step: Step
    clock: Clock
    subscriber: BatchSubscriber
    late: list[str] = field(default_factory=list)

    @property
    def death(self) -> str | None:
        """Why nobody will work this family in this process any more, in words: only a new process helps."""
        # None at all before it has started.
        if self.subscriber.tasks and all(task.done() for task in self.subscriber.tasks):
            return f"nobody polls Kafka for {self.lanes.group}"
        # A long batch, as with a database that does not answer, will end; with none in hand nothing will.
        silence = None if has_a_batch(self.subscriber) else self._silence
        return silence or self.lanes.stuck

    @property
    def troubles(self) -> list[str]:
        """Why this family is not at work, in words."""
        found = self.lanes.troubles + self.late
        if (trouble := self.death or self._silence) is not None:
            found.append(trouble)
        return found

    async def look(self, most_lag: float, seconds: float) -> None:
        """Ask Kafka whether records wait here for more than `most_lag` seconds, and wait `seconds` for its answer."""
        consumer = self.subscriber.consumer
        if not isinstance(consumer, PatientConsumer):
            return  # there is none before it has started
        try:
            trouble = await within(seconds, late(self.lanes, consumer, most_lag))
        except PASSING as fault:
            trouble = f"the topics of {self.lanes.group} can't be reached: {repr(fault)[:300]}"
        self.late = [trouble] if trouble is not None else []

    async def finish(self, seconds: float) -> None:
        """Take no more records, and see the batch in hand through, or what of it is in a transaction."""
        self.subscriber.running = False
        self.lanes.urge()
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
