"""How long records wait to be worked, asked of Kafka now and then: no batch pays a round trip for it."""

import time

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.patches.faststream import PatientConsumer
from shared.runtime.lanes import Lanes


async def overdue(lanes: Lanes, consumer: PatientConsumer, seconds: float) -> str | None:
    """How many records have waited here for more than `seconds`, in words; None when there are none.

    Age and not number, since only age says how old the answers are that are given meanwhile. A record's age is by
    the time at which Kafka took it in. Raises KafkaError when the topics can't be reached.
    """
    nexts = lanes.next_offsets()
    if not nexts:
        return None
    moment = int((time.time() - seconds) * 1000)
    # The ends first: a record that comes in between is a young one, and the second answer tells them apart.
    ends = await consumer.end_offsets(list(nexts))
    young = await consumer.offsets_for_times(dict.fromkeys(nexts, moment))
    old = 0
    for part, goes_on in nexts.items():
        first_young = ends[part] if young[part] is None else young[part].offset
        if goes_on < first_young:
            old += max(0, first_young - await _stand(consumer, part, goes_on))
    return f"{old} records have waited for {lanes.group} for more than {seconds:g} s" if old else None


async def _stand(consumer: PatientConsumer, part: TopicPartition, goes_on: int) -> int:
    """What a transaction leaves behind the last record never becomes one: an idle consumer stands behind it."""
    if not consumer.waits:
        return goes_on
    try:
        stands: int = await consumer.position(part)
    except IllegalStateError:
        return goes_on  # no longer ours
    return max(goes_on, stands)
