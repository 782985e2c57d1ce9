"""The usual way: a FastStream handler per message, Motor, a find and one write per document, publish, acknowledge.

As tutorials do it, and tuned as their documentation says: no answer waits for company (`linger_ms=0`), at-least-once
(`NACK_ON_ERROR`), and in the variant `workers` one worker per partition. It decodes and decides by inventory's own
models and rules, so its answers are right; but it keeps nothing of which events it has seen, so what comes twice
counts twice.
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
from lab.bench.runners.job import Job, say
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
    """Instead of FastStream's own JSON: each body is parsed once."""
    record = message.raw_message
    return envelope.decode(PRODUCTION if record.topic.endswith(PRODUCTION.name) else STOCK_ORDERS, record)


async def work(job: Job, settings: Settings) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(settings.mongo)
    database = client.get_database(f"{settings.database_prefix}{job.group}", write_concern=WriteConcern("majority"))
    lots = database[LOTS.name]
    broker = KafkaBroker(settings.kafka, acks="all", enable_idempotence=True, linger_ms=0, logger=None)
    meter: list[Meter] = []
    done = 0
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

    # Any: an Event has been checked by its models, and must not be checked again.
    async def on_event(event: Any) -> None:
        nonlocal done
        if not meter:
            meter.append(Meter())
        found = await lots.find_one({"_id": event.key})
        known = State.of(absent=(Ref(Lot, event.key),)) if found is None else State.of(LOTS.from_document(found))
        state, said = LOT.decide(known, event)
        for (_kind, key), lot in state.changes.items():
            await lots.replace_one({"_id": key}, {"_id": key, **LOTS.to_document(lot)}, upsert=True)
        for index, one in enumerate(said):
            assert isinstance(one, Publication)
            await broker.publish(
                envelope.encode(one.body),
                topic_name(settings, one.topic.name),
                key=one.topic.key_of(one.body).encode(),
                headers={
                    name: value.decode()
                    for name, value in envelope.headers(
                        id=derived_id(f"{event.source} {event.id}", one.topic.name, index),
                        source="karya/usual",
                        topic=one.topic,
                        body=one.body,
                        time=event.time,
                        cause=event.id,
                    )
                },
            )
        done += 1
        meter[0].done(done)
        if done >= job.events:
            enough.set()

    names = sorted({part.topic for part in job.by_part})
    if job.variant == WORKERS:
        # Several workers take one topic each, and two of them may meet at one lot: faster, and no longer right.
        for name in names:
            subscribe(name, workers=settings.partitions)
    else:
        subscribe(*names, workers=1)
    async with broker:
        await broker.start()
        await enough.wait()
        ran = meter[0].end()
    client.close()
    say(ran)


if __name__ == "__main__":
    asyncio.run(work(*Job.given()))
