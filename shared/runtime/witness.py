"""Marks of records: they tell the log that a lane was worked from.

A topic that is deleted and created again begins at offset 0. Once its new log has grown beyond the old offset, only
the record before that offset tells the two logs apart. aiokafka does not speak the versions with topic ids.
"""

from collections.abc import Mapping

from aiokafka import ConsumerRecord, TopicPartition

from shared.envelope import digest
from shared.kafka import reader, stop_reader
from shared.polling import LOOK_MS
from shared.settings import Settings

# One record per partition is needed, but a fetch brings the whole batch of its producer.
FETCH_BYTES = 256 * 1024


def mark(record: ConsumerRecord) -> bytes:
    """A hash of sixteen bytes that tells the record from any other record at its offset."""
    parts = (record.key, record.value)
    sizes = (-1 if part is None else len(part) for part in parts)
    place = f"{record.offset} {record.timestamp} {' '.join(map(str, sizes))} "
    return digest(b"".join((place.encode(), *filter(None, parts))))


async def marks_at(settings: Settings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes]:
    """The mark of the record at each of these offsets. An offset without a record has none.

    A consumer of its own reads them, so that the working consumer is not disturbed. The offsets must lie within their
    logs. Raises KafkaError. There is no timeout.
    """
    if not places:
        return {}
    client = reader(settings, auto_offset_reset="none", max_partition_fetch_bytes=FETCH_BYTES, fetch_max_wait_ms=10)
    try:
        await client.start()
        client.assign(list(places))
        for part, offset in places.items():
            client.seek(part, offset)
        marks: dict[TopicPartition, bytes] = {}
        waiting = set(places)
        while waiting:
            for part, [record] in (await client.getmany(timeout_ms=LOOK_MS, max_records=1)).items():
                if record.offset == places[part]:
                    marks[part] = mark(record)
            done = {part for part in waiting if await client.position(part) > places[part]}
            client.pause(*done)
            waiting -= done
        return marks
    finally:
        await stop_reader(client)
