"""Which log a lane was worked from, by the last record worked of each topic.

A topic that is deleted and made anew begins at offset 0 again, and where its new log has grown beyond the old offset
only the record before it tells the two apart: aiokafka does not speak the versions that carry a topic's own id.
"""

from collections.abc import Mapping

from aiokafka import ConsumerRecord, TopicPartition

from shared.envelope import digest
from shared.kafka import LOOK_MS, reader, stop_reader
from shared.settings import Settings

# One record of each is wanted; a fetch brings the whole batch of its producer.
FETCH_BYTES = 256 * 1024


def mark(record: ConsumerRecord) -> bytes:
    """Sixteen bytes that tell this record from any other that may lie at its place."""
    parts = (record.key, record.value)
    sizes = (-1 if part is None else len(part) for part in parts)
    place = f"{record.offset} {record.timestamp} {' '.join(map(str, sizes))} "
    return digest(b"".join((place.encode(), *filter(None, parts))))


async def marks_at(settings: Settings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes]:
    """The mark of the record at each of these offsets, by a consumer of its own: the one that works them is not
    disturbed. Nothing for an offset that no record is given for.

    The offsets must lie within their logs. Raises KafkaError; has no bound of its own.
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
            past = {part for part in waiting if await client.position(part) > places[part]}
            client.pause(*past)
            waiting -= past
        return marks
    finally:
        await stop_reader(client)
