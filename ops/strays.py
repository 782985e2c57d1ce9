"""Strays: records of tills at a booth that does not exist, usually because of a typing error.

A move publishes each record of the stray booth again for the right booth. The copy keeps its id, device and number,
so that it counts for its device, and a second move changes nothing. Then a `StrayMoved` informs sales, whose lists
show the new booth and the number of records that came later.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from ops.verify.log import TopicLog
from services.sales.domain.booth import BoothStatus
from services.sales.store import BOOTHS
from shared import envelope
from shared.derivation import FIRST, derivation
from shared.errors import NoSuchStray, NotReached, Unusable
from shared.events.language import Body, Event
from shared.events.sales import TILL, StrayMoved, TillRecord
from shared.kafka import partition_for, producer, stop_producer, topic_name
from shared.mongo import Mongo
from shared.settings import Settings

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class StrayBooth:
    """A booth with records of tills that no festival has opened. `unmoved`: records that came after the last move."""

    booth: str
    tills: tuple[str, ...]
    records: int
    moved_to: str | None
    unmoved: int


async def list_strays(settings: Settings) -> list[StrayBooth]:
    """All stray booths, in the order of their ids. Raises NotReached."""
    mongo = Mongo(settings)
    try:
        query = {"status": BoothStatus.UNKNOWN.value, "devices": {"$ne": []}}
        documents = await mongo.database("sales")[BOOTHS.name].find(query).sort("_id", 1).to_list(None)
    except PyMongoError as fault:
        raise NotReached(f"The sales database does not answer: {fault!r}.") from fault
    finally:
        await mongo.close()
    booths = [BOOTHS.from_document(document) for document in documents]
    return [
        StrayBooth(
            booth.id,
            tuple(sorted({device.till for device in booth.devices})),
            booth.records,
            booth.moved.to if booth.moved is not None else None,
            booth.records - (booth.moved.records if booth.moved is not None else 0),
        )
        for booth in booths
    ]


async def move(settings: Settings, stray: str, booth: str) -> int:
    """Publish the records of `stray` for `booth`, and return their number. Safe to repeat.

    Raises NoSuchStray unless `stray` has records, no festival opened it, and a festival has opened `booth`;
    NotReached when Kafka or MongoDB does not answer.
    """
    client, mongo = producer(settings), Mongo(settings)
    try:
        await _check(mongo, stray, booth)
        await client.start()
        records = await _records(settings, stray)
        async with asyncio.timeout(PATIENCE):
            for record in records:
                await _publish(settings, client, booth, *_copy(record, booth))
            moved = StrayMoved(booth=stray, to=booth, records=len(records))
            # The same move has the same id in every version: repeated, it changes nothing.
            id = derivation(FIRST)(f"{stray} {booth}", TILL.name, len(records))
            await _publish(settings, client, stray, moved, id, "karya/strays", datetime.now(UTC))
        return len(records)
    except (KafkaError, PyMongoError, TimeoutError, OSError) as fault:
        raise NotReached(
            f"Kafka or the sales database does not answer: {fault!r}. The move can be repeated."
        ) from fault
    finally:
        await stop_producer(client)
        await mongo.close()


async def _check(mongo: Mongo, stray: str, booth: str) -> None:
    booths = mongo.database("sales")[BOOTHS.name]
    documents = {document["_id"]: document async for document in booths.find({"_id": {"$in": [stray, booth]}})}
    opened = {id for id, document in documents.items() if document["status"] != BoothStatus.UNKNOWN.value}
    if stray not in documents or stray in opened:
        raise NoSuchStray(f"{stray} is no stray booth; `karya strays list` shows all of them.")
    if booth not in opened:
        raise NoSuchStray(f"No festival has opened booth {booth}, as far as sales knows. Was it typed right?")


async def _records(settings: Settings, stray: str) -> list["ConsumerRecord[bytes, bytes]"]:
    """The readable records of tills for the booth, each once, in the order of the log."""
    records: dict[tuple[str, str], ConsumerRecord[bytes, bytes]] = {}
    async with TopicLog(settings, [TILL.name]) as log:
        async for _, page in log.read(await log.ends()):
            for record in page:
                event = _event(record) if record.key == stray.encode() else None
                if event is not None and isinstance(event.body, TillRecord):
                    records.setdefault((event.source, event.id), record)
    return list(records.values())


def _event(record: "ConsumerRecord[bytes, bytes]") -> Event | None:
    try:
        return envelope.decode(TILL, record)
    except Unusable:
        return None


def _copy(record: "ConsumerRecord[bytes, bytes]", booth: str) -> tuple[Body, str, str, datetime]:
    """The record for the right booth: body, id, the source of its till at that booth, and time."""
    event = envelope.decode(TILL, record)
    assert isinstance(event.body, TillRecord), "_records returns only till records"
    body = event.body.model_copy(update={"booth": booth})
    return body, event.id, f"till/{booth}/{body.till}", event.time


async def _publish(
    settings: Settings, client: AIOKafkaProducer, key: str, body: Body, id: str, source: str, time: datetime
) -> None:
    name = topic_name(settings, TILL.name)
    partitions = len(await client.partitions_for(name))
    headers = envelope.headers(id=id, source=source, topic=TILL, body=body, time=time)
    await client.send_and_wait(
        name, envelope.encode(body), key.encode(), partition_for(key, partitions), headers=headers
    )
