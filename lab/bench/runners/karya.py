"""Inventory as it is: its service without HTTP."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from lab.bench.meter import Meter, Worked
from lab.bench.runners.job import Job, say
from services.inventory.handlers import PROCESSORS
from shared import gc_tuning, log
from shared.runtime.service import Service

LOOK = 0.02


async def work(job: Job, service: Service) -> None:
    """From the moment the lanes are at work to the moment when all is published. Only what is done in between
    counts, by this process."""
    await service.start()
    # Nothing of a service's own face tells how far it is.
    lanes = service._runtimes[0].lanes
    ends = job.by_part
    worked = Worked()
    meter: Meter | None = None
    while meter is None or not (lanes.ready and _all_worked(lanes.next_offsets(), ends) and service.idle):
        await asyncio.sleep(LOOK)
        if lanes.started:
            meter = meter or Meter()
            meter.done(worked.look(lanes.next_offsets()))
    ran = meter.end()
    await service.stop()
    say(ran)


def _all_worked(nexts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> bool:
    return all(next >= ends.get(part, 0) for part, next in nexts.items())


def main() -> None:
    job, settings = Job.given()
    log.configure(settings, "inventory")
    gc_tuning.relax()
    asyncio.run(work(job, Service("inventory", PROCESSORS, settings)))


if __name__ == "__main__":
    main()
