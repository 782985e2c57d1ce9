"""`karya audit`: who gave which command, by the topics of commands and of operators. Nobody's name is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from ops.verify.log import TopicLog
from shared import envelope
from shared.errors import Unusable
from shared.events.catalogue import ENTRY_COMMANDS
from shared.events.festival import ORGANISER
from shared.events.gateway import HELD_COMMANDS
from shared.events.identity import IDENTITY_COMMANDS
from shared.events.language import Event, Topic
from shared.events.operator import OPERATOR
from shared.runtime.audit import festival_of
from shared.settings import Settings

TOPICS: Sequence[Topic] = (ORGANISER, ENTRY_COMMANDS, IDENTITY_COMMANDS, HELD_COMMANDS, OPERATOR)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One command, or one repair of an operator. `actor`: a subject, an operator, or the program that wrote it.
    `key`: what it is about."""

    at: datetime
    actor: str
    command: str
    key: str
    id: str
    where: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": envelope.rfc3339(self.at),
            "actor": self.actor,
            "command": self.command,
            "key": self.key,
            "id": self.id,
            "record": self.where,
        }


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted. None is no limit. `since`: by Kafka's time of arrival. `festival`: of commands that
    name it, a booth of it, or it as the scope of a role; one about a device names none."""

    actor: str | None = None
    since: datetime | None = None
    festival: str | None = None

    def takes(self, event: Event, entry: AuditEntry) -> bool:
        return (
            self.actor in (None, entry.actor)
            and (self.since is None or event.logged_at >= self.since)
            and (self.festival is None or festival_of(event.body) == self.festival)
        )


async def audit(settings: Settings, wanted: AuditFilter, among: Sequence[Topic] = TOPICS) -> list[AuditEntry]:
    """The entries of these topics by time of arrival, the oldest first.

    Raises KafkaError or NotReached when Kafka does not answer.
    """
    topics = {topic.name: topic for topic in among}
    found: list[tuple[datetime, AuditEntry]] = []
    async with TopicLog(settings, topics) as log:
        async for name, records in log.read(await log.ends()):
            found += _entries(topics[name], records, wanted)
    return [entry for _, entry in sorted(found, key=lambda pair: (pair[0], pair[1].where))]


def _entries(
    topic: Topic, records: Sequence[ConsumerRecord], wanted: AuditFilter
) -> Iterator[tuple[datetime, AuditEntry]]:
    for record in records:
        try:
            event = envelope.decode(topic, record)
        except Unusable:
            continue  # it commands nothing; `karya dlq list` shows it
        entry = AuditEntry(
            at=event.time,
            actor=_actor(event),
            command=type(event.body).__name__,
            key=event.key,
            id=event.id,
            where=f"{record.topic} {record.partition}/{record.offset}",
        )
        if wanted.takes(event, entry):
            yield event.logged_at, entry


def _actor(event: Event) -> str:
    # An operator's event names the operator itself.
    named: str | None = getattr(event.body, "actor", None)
    return named or event.actor or event.source
