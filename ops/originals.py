"""Dead letters compared with the records that they name.

A service writes its own dead letters. One that was broken into could write others, which a replay would bring to
topics that it may not write itself.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from ops.letters import Letter, LetterPlace
from shared.errors import NotReached
from shared.kafka import reader, stop_reader, topic_name
from shared.retry import attempts
from shared.runtime.dlq import original_headers
from shared.settings import Settings

PATIENCE = 10.0


class Comparison(StrEnum):
    """What became of the comparison of a letter with its record."""

    SAME = "same"
    OTHER = "other"  # the record at this place is another one, or there is none
    GONE = "gone"  # the topic's beginning was deleted, and the record with it


async def compare_originals(settings: Settings, letters: Sequence[Letter]) -> Mapping[LetterPlace, Comparison]:
    """Compare key, body and headers of each letter with those of the record that it names. Raises KafkaError, and
    NotReached when Kafka does not deliver a record."""
    parts = {letter.place: _part_of(settings, letter) for letter in letters}
    client = reader(settings)
    try:
        await client.start()
        there = (
            {
                part
                for part in set(parts.values())
                if part.partition in (client.partitions_for_topic(part.topic) or ())
            }
            if (await client.topics()) is not None
            else set()
        )
        begins = await client.beginning_offsets(list(there)) if there else {}
        ends = await client.end_offsets(list(there)) if there else {}
        found: dict[LetterPlace, Comparison] = {}
        for letter in letters:
            part, offset = parts[letter.place], letter.original_offset
            if part not in there or not 0 <= offset < ends[part]:
                found[letter.place] = Comparison.OTHER
            elif offset < begins[part]:
                found[letter.place] = Comparison.GONE
            else:
                record = await _record(client, part, offset)
                found[letter.place] = Comparison.SAME if _is_same(letter, record) else Comparison.OTHER
        return found
    finally:
        await stop_reader(client)


def _part_of(settings: Settings, letter: Letter) -> TopicPartition:
    return TopicPartition(topic_name(settings, letter.place.topic), letter.original_partition)


def _is_same(letter: Letter, record: ConsumerRecord | None) -> bool:
    return record is not None and (letter.key, letter.value, list(letter.headers)) == (
        record.key,
        record.value,
        original_headers(record.headers),
    )


async def _record(client: AIOKafkaConsumer, part: TopicPartition, offset: int) -> ConsumerRecord | None:
    """The record at this place; None if no reader sees one there."""
    client.assign([part])
    client.seek(part, offset)
    async for _ in attempts(within=PATIENCE, first=0, most=0.1):
        fetched = await client.getmany(part, timeout_ms=200, max_records=1)
        for record in fetched.get(part, ()):
            return record if record.offset == offset else None
        if await client.position(part) > offset:
            return None
    raise NotReached(f"Kafka delivers no record of {part.topic} {part.partition}/{offset}.")
