"""Dead letters compared with the records that they name.

A service writes its own dead letters. One that was broken into could write others, which a replay would bring to
topics that it may not write itself.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aiokafka import ConsumerRecord, TopicPartition

from ops.letters import Letter, LetterPlace
from ops.verify.log import TopicLog
from shared.kafka import topic_name
from shared.runtime.dlq import original_headers
from shared.settings import Settings


class LetterComparison(StrEnum):
    """What became of the comparison of a letter with its record."""

    SAME = "same"
    OTHER = "other"  # the record at this place is another one, or there is none
    GONE = "gone"  # the topic's beginning was deleted, and the record with it


async def compare_originals(settings: Settings, letters: Sequence[Letter]) -> Mapping[LetterPlace, LetterComparison]:
    """Compare key, body and headers of each letter with those of the record that it names. Raises KafkaError, and
    NotReached when Kafka does not deliver a record."""
    found: dict[LetterPlace, LetterComparison] = {}
    async with TopicLog(settings, {letter.place.topic for letter in letters}) as log:
        begins, ends = await log.begins(), await log.ends()
        for letter in letters:
            part = TopicPartition(topic_name(settings, letter.place.topic), letter.original_partition)
            if not 0 <= letter.original_offset < ends.get(part, 0):
                found[letter.place] = LetterComparison.OTHER
            elif letter.original_offset < begins[part]:
                found[letter.place] = LetterComparison.GONE
            else:
                record = await log.at(part, letter.original_offset, ends[part])
                found[letter.place] = LetterComparison.SAME if _is_same(letter, record) else LetterComparison.OTHER
    return found


def _is_same(letter: Letter, record: ConsumerRecord | None) -> bool:
    return record is not None and (letter.key, letter.value, list(letter.headers)) == (
        record.key,
        record.value,
        original_headers(record.headers),
    )
