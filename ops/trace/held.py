"""What the gateway published of held records, for the records that a history knows."""

from collections.abc import Iterable, Iterator, Mapping, Set

from aiokafka import ConsumerRecord

from ops.trace.timeline import TimelineEntry
from shared import envelope
from shared.errors import Unusable
from shared.events.gateway import HELD_REPORTS, HELD_SALES, HeldRecordRefused, HeldRecordReleased, RecordHeld
from shared.events.language import Body, Event, Topic
from shared.wording import Message

HELD: Mapping[str, Topic] = {topic.name: topic for topic in (HELD_REPORTS, HELD_SALES)}


class HeldRecords:
    """The events about held records, each once."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], tuple[Event, ConsumerRecord]] = {}

    def add(self, topic: Topic, records: Iterable[ConsumerRecord]) -> None:
        """Add records of one of the topics in HELD."""
        for record in records:
            try:
                event = envelope.decode(topic, record)
            except Unusable:
                continue  # it names no record
            self._events.setdefault((event.source, event.id), (event, record))

    def entries(self, ids: Set[str]) -> Iterator[TimelineEntry]:
        """The entries about records with these ids. The account is that of who brought the record, or decided."""
        for event, record in self._events.values():
            body = event.body
            if not isinstance(body, RecordHeld | HeldRecordReleased | HeldRecordRefused) or body.record not in ids:
                continue
            where = f"{record.topic} {record.partition}/{record.offset}"
            yield TimelineEntry(event.logged_at, type(body).__name__, _text(body), "gateway", where, body.actor)


def _text(body: Body) -> Message:
    match body:
        case RecordHeld():
            return Message("a record of the revoked device {device} is held", device=body.device)
        case HeldRecordReleased():
            return Message("the held record of {device} is released", device=body.device)
        case HeldRecordRefused():
            return Message("the held record of {device} is refused: {reason}", device=body.device, reason=body.reason)
        case _:
            raise TypeError(f"{type(body).__name__} is no event about a held record")
