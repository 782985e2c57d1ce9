"""How long records wait to be worked. Kafka is asked now and then, so no batch pays a round trip for it."""

import time
from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.patches.faststream import PatientConsumer
from shared.runtime.lanes import Lanes


async def overdue(lanes: Lanes, consumer: PatientConsumer, seconds: float, viewed: Sequence[str] = ()) -> str | None:
    """A sentence on how many records have waited here for more than `seconds`, or None.

    Age counts and not number, because age says how outdated the views are. A record's age is by Kafka's append time.
    `viewed`: collections that other processors view. The sentence names them, for they are as old.
    Raises KafkaError when the topics can't be reached.
    """
    next_offsets = lanes.next_offsets()
    if not next_offsets:
        return None
    moment = int((time.time() - seconds) * 1000)
    # The ends first: a record that comes in between is young, and the second answer shows it as young.
    ends = await consumer.end_offsets(list(next_offsets))
    young = await consumer.offsets_for_times(dict.fromkeys(next_offsets, moment))
    old = 0
    for part, next_offset in next_offsets.items():
        first_young = ends[part] if young[part] is None else young[part].offset
        if next_offset < first_young:
            old += max(0, first_young - await worked_up_to(consumer, part, next_offset))
    if not old:
        return None
    views = f", and views of {', '.join(viewed)} are as old" if viewed else ""
    return f"{old} records have waited for {lanes.group} for more than {seconds:g} s{views}"


async def waiting(lanes: Lanes, consumer: PatientConsumer) -> dict[str, int]:
    """By topic, the records that wait for the lanes of this process. Raises KafkaError when the topics can't be
    reached."""
    next_offsets = lanes.next_offsets()
    ends = await consumer.end_offsets(list(next_offsets)) if next_offsets else {}
    records: dict[str, int] = {}
    for part, next_offset in next_offsets.items():
        behind = ends[part] - await worked_up_to(consumer, part, next_offset)
        records[part.topic] = records.get(part.topic, 0) + max(0, behind)
    return records


async def worked_up_to(consumer: PatientConsumer, part: TopicPartition, next_offset: int) -> int:
    """The next offset, or an idle consumer's position behind it: a transaction's marker never becomes a record."""
    if not consumer.waits:
        return next_offset
    try:
        position: int = await consumer.position(part)
    except IllegalStateError:
        return next_offset  # the lane was revoked meanwhile
    return max(next_offset, position)
