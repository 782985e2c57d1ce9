"""Runs inventory's service, without HTTP."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from lab.bench.meter import EventCounter, Meter
from lab.bench.runners.job import Job, print_result
from services.inventory.handlers import PROCESSORS
from shared import gc_tuning, log
from shared.runtime.service import Service

LOOK = 0.02


async def work(job: Job, service: Service) -> None:
    """Measure from the start of the lanes until everything is published. Only what this process works in between
    counts."""
    await service.start()
    # The public interface of a service does not show its progress.
    lanes = service._runtimes[0].lanes
    ends = job.by_part
    worked = EventCounter()
    meter: Meter | None = None
    while meter is None or not (lanes.ready and _all_worked(lanes.next_offsets(), ends) and service.idle):
        await asyncio.sleep(LOOK)
        if lanes.started:
            meter = meter or Meter()
            meter.advance(worked.update(lanes.next_offsets()))
    result = meter.end()
    await service.stop()
    print_result(result)


def _all_worked(nexts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> bool:
    return all(next >= ends.get(part, 0) for part, next in nexts.items())


def main() -> None:
    job, settings = Job.from_arguments()
    log.configure(settings, "inventory")
    gc_tuning.relax()
    asyncio.run(work(job, Service("inventory", PROCESSORS, settings)))


if __name__ == "__main__":
    main()
