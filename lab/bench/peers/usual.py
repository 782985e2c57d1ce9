"""The usual way: a FastStream handler per message, Motor, a find and a write per document, publish, acknowledge.

As tutorials show it, with the documented options: no batching of answers (`linger_ms=0`) and at-least-once delivery
(`NACK_ON_ERROR`). The variant `workers` has one worker per partition. It decodes and decides with inventory's own
models and rules, so its answers are right. It has no ledger, so a duplicate counts twice.
"""

import asyncio
from typing import Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.message import StreamMessage
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from lab.bench.meter import Meter
from lab.bench.runners.job import Job, print_result
from services.inventory.domain import Lot
from services.inventory.handlers import LOT
from services.inventory.store import LOTS
from shared import envelope
from shared.derivation import derived_id
from shared.events.inventory import STOCK_ORDERS
from shared.events.language import Event, Publication
from shared.events.production import PRODUCTION
from shared.kafka import topic_name
from shared.runtime.state import Ref, State
from shared.settings import Settings

WORKERS = "workers"


async def decoded(message: StreamMessage[Any]) -> Event:
    """Decodes in place of FastStream's own JSON decoder, so that each body is parsed once."""
    record = message.raw_message
    return envelope.decode(PRODUCTION if record.topic.endswith(PRODUCTION.name) else STOCK_ORDERS, record)


async def work(job: Job, settings: Settings) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(settings.mongo)
    database = client.get_database(f"{settings.database_prefix}{job.group}", write_concern=WriteConcern("majority"))
    lots = database[LOTS.name]
    broker = KafkaBroker(settings.kafka, acks="all", enable_idempotence=True, linger_ms=0, logger=None)
    meter: list[Meter] = []
    events_done = 0
    enough = asyncio.Event()

    def subscribe(*topics: str, workers: int) -> None:
        broker.subscriber(
            *topics,
            group_id=topic_name(settings, job.group),
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            batch_timeout_ms=10,
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_workers=workers,
            decoder=decoded,
        )(on_event)

    # Any: FastStream would validate an Event again, although its models have done so.
    async def on_event(event: Any) -> None:
        nonlocal events_done
        if not meter:
            meter.append(Meter())
        document = await lots.find_one({"_id": event.key})
        lot = Ref(Lot, event.key)
        loaded = State.of(absent=(lot,)) if document is None else State.of(LOTS.from_document(document))
        state, publications = LOT.decide(loaded, event)
        for (_kind, key), lot in state.changes.items():
            await lots.replace_one({"_id": key}, {"_id": key, **LOTS.to_document(lot)}, upsert=True)
        for index, publication in enumerate(publications):
            assert isinstance(publication, Publication)
            await broker.publish(
                envelope.encode(publication.body),
                topic_name(settings, publication.topic.name),
                key=publication.topic.key_of(publication.body).encode(),
                headers={
                    name: value.decode()
                    for name, value in envelope.headers(
                        id=derived_id(f"{event.source} {event.id}", publication.topic.name, index),
                        source="karya/usual",
                        topic=publication.topic,
                        body=publication.body,
                        time=event.time,
                        cause=event.id,
                    )
                },
            )
        events_done += 1
        meter[0].advance(events_done)
        if events_done >= job.events:
            enough.set()

    names = sorted({part.topic for part in job.by_part})
    if job.variant == WORKERS:
        # Each subscriber has one topic, so two workers may change one lot at once: faster, but no longer right.
        for name in names:
            subscribe(name, workers=settings.partitions)
    else:
        subscribe(*names, workers=1)
    async with broker:
        await broker.start()
        await enough.wait()
        result = meter[0].end()
    client.close()
    print_result(result)


if __name__ == "__main__":
    asyncio.run(work(*Job.from_arguments()))
