"""faust-streaming, as its documentation shows it: an agent that takes events in batches, here with one find and one
write to MongoDB for each, at-least-once. It keeps the lots and says nothing of them."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

import faust
from pymongo import AsyncMongoClient, ReplaceOne

from lab.bench.meter import Meter
from lab.bench.peers.rule import after
from lab.bench.runners.job import Job, say
from shared.kafka import topic_name

BATCH, WITHIN = 2000, 0.05


def main() -> None:
    job, settings = Job.given()
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
        meter, done = None, 0
        async for events in stream.take_events(BATCH, within=WITHIN):
            meter = meter or Meter()
            keys = {event.key.decode() for event in events}
            known = {lot["_id"]: lot async for lot in lots.find({"_id": {"$in": list(keys)}})}
            changed = {}
            for event in events:
                key = event.key.decode()
                document = after(known.get(key), key, event.value, list(event.headers.items()))
                if document is not None:
                    known[key] = changed[key] = document
            await lots.bulk_write(
                [ReplaceOne({"_id": key}, lot, True) for key, lot in changed.items()], ordered=False
            )
            done += len(events)
            meter.done(done)
            if done >= job.events:
                say(meter.end())
                asyncio.get_running_loop().call_soon(sys.exit, 0)
            yield

    worker = faust.Worker(app, loglevel=logging.WARNING, blocking_timeout=60)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
