"""faust-streaming, as its documentation shows it: an agent that takes events in batches, at-least-once.

Each batch is one find and one write in MongoDB. It keeps the lots and publishes no events.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

import faust
from pymongo import AsyncMongoClient, ReplaceOne

from lab.bench.meter import Meter
from lab.bench.peers.rule import after
from lab.bench.runners.job import Job, print_result
from shared.kafka import topic_name

BATCH, WITHIN = 2000, 0.05


def main() -> None:
    job, settings = Job.from_arguments()
    app = faust.App(
        topic_name(settings, job.group),
        broker=f"kafka://{settings.kafka}",
        store="memory://",
        autodiscover=False,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=2 * BATCH,
        web_enabled=False,
    )
    names = sorted({part.topic for part in job.by_part})
    topic = app.topic(*names, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo, w="majority")
    lots = client[f"{settings.database_prefix}{job.group}"]["lots"]

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def keep(stream: Any) -> AsyncIterator[None]:
        meter, events_done = None, 0
        async for events in stream.take_events(BATCH, within=WITHIN):
            meter = meter or Meter()
            keys = {event.key.decode() for event in events}
            lots_by_id = {lot["_id"]: lot async for lot in lots.find({"_id": {"$in": list(keys)}})}
            changed = {}
            for event in events:
                key = event.key.decode()
                document = after(lots_by_id.get(key), key, event.value, list(event.headers.items()))
                if document is not None:
                    lots_by_id[key] = changed[key] = document
            await lots.bulk_write(
                [ReplaceOne({"_id": key}, lot, upsert=True) for key, lot in changed.items()], ordered=False
            )
            events_done += len(events)
            meter.advance(events_done)
            if events_done >= job.events:
                print_result(meter.end())
                asyncio.get_running_loop().call_soon(sys.exit, 0)
            yield

    worker = faust.Worker(app, loglevel=logging.WARNING, blocking_timeout=60)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
