"""One raw hop: consume, one transaction, produce, commit. The minimum for any service between two topics.

`variant` is the topic that it writes to. Records are forwarded unchanged. Each batch writes one document per record,
and the next offsets. As in a service, offsets are committed while the next batch is worked, one commit at a time.
Garbage collection is tuned in the same way.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from bson import Binary
from pymongo import ReplaceOne

from lab.bench.runners.job import Job
from shared import gc_tuning
from shared.kafka import READ_COMMITTED, producer, topic_name
from shared.kafka_connection import connection
from shared.mongo import Mongo
from shared.settings import Settings

READY = "READY"
Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]


async def hop(job: Job, settings: Settings) -> None:
    """Forward records until the task is cancelled."""
    mongo = Mongo(settings)
    database = mongo.database(job.group)
    consumer = AIOKafkaConsumer(
        *sorted({part.topic for part in job.by_part}),
        **connection(settings),
        group_id=topic_name(settings, job.group),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=READ_COMMITTED,
    )
    client = producer(settings)
    await client.start()
    await consumer.start()
    committing: asyncio.Task[None] | None = None
    print(READY, flush=True)
    while True:
        fetched: Fetched = await consumer.getmany(timeout_ms=10, max_records=settings.max_batch)
        if not fetched:
            continue
        offsets = {part: records[-1].offset + 1 for part, records in fetched.items()}
        all_records = [record for records in fetched.values() for record in records]
        async with mongo.transaction() as session:
            documents = [
                {"_id": f"{r.partition}/{r.topic}/{r.offset}", "value": Binary(r.value or b"")} for r in all_records
            ]
            await database["hop"].insert_many(documents, session=session)
            nexts = [
                ReplaceOne({"_id": f"{part.topic}/{part.partition}"}, {"next": next}, upsert=True)
                for part, next in offsets.items()
            ]
            await database["lanes"].bulk_write(nexts, ordered=False, session=session)
        futures = [
            await client.send(job.variant, r.value, r.key, r.partition, headers=list(r.headers)) for r in all_records
        ]
        await asyncio.gather(*futures)
        if committing is not None:
            await committing
        committing = asyncio.create_task(consumer.commit(offsets))


async def main() -> None:
    gc_tuning.relax()
    work = asyncio.create_task(hop(*Job.from_arguments()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    await asyncio.wait([work])
    if not work.cancelled():
        work.result()


if __name__ == "__main__":
    asyncio.run(main())
