"""Dead letters: read them, say what became of each, and send them back where they came from.

A DLQ is a log: nothing is taken out of it. Whether a letter still waits is for the ledger of the service that
wrote it to say: an event that was worked since stands there.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import TypeAlias

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from deploy.topics import SERVICES, read_topics
from ops.verify.log import Log
from shared.envelope import EPOCH, digest, header, taken_in
from shared.errors import NoSuchLetter, NotReached
from shared.events.production import TERMINAL
from shared.kafka import partition_for_bytes, producer, stop_producer, topic_name
from shared.mongo import Database, Mongo
from shared.retry import attempts
from shared.runtime.dlq import BUG, KEY_PARKED, HeaderList, original_headers
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

_Same: TypeAlias = tuple[object, ...]

PATIENCE = 30.0
# What terminals send may hold a maker's pseudonym: it is shown only to who asks for it.
PRIVATE = frozenset({TERMINAL.name})
_PARTITION = re.compile(r"[0-9]{1,9}")
_PLACE = re.compile(r"(?P<topic>[\w.-]+?)(?:\.dlq)?/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})")


class Status(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"  # its key waits for it: mend the bug, then replay the key
    WORKED = "worked"  # the ledger holds this very event: nothing is left to do
    UNUSABLE = "unusable"  # as it is nobody can use it; nothing waits for it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a letter lies: partition and offset of the DLQ of `topic` (its name without prefix and `.dlq`)."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}.dlq/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; `times`: how often the same record came to this DLQ. `came_from`: the partition of the
    original topic. `headers` and `value` are the record's own, without the marks of the DLQ."""

    place: Place
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: HeaderList
    service: str
    reason: str
    message: str
    came_from: int
    status: Status = Status.UNUSABLE
    times: int = 1

    @property
    def ledger_id(self) -> str | None:
        """As the ledger would know the event, or None if its headers don't say what it is."""
        source, id = header(self.headers, "ce_source"), header(self.headers, "ce_id")
        return f"{source} {id}" if source and id else None

    @property
    def private(self) -> bool:
        return self.place.topic in PRIVATE


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many records were sent back; how many of the letters meant still wait after that, and how many nobody can
    use still."""

    sent: int
    still_open: int
    still_unusable: int


def place_of(text: str) -> Place | None:
    """The place that `TOPIC/PARTITION/OFFSET` names (with or without `.dlq`), or None: it is a key then."""
    found = _PLACE.fullmatch(text)
    if found is None or found["topic"] not in read_topics():
        return None
    return Place(found["topic"], int(found["partition"]), int(found["offset"]))


class DeadLetters:
    """The DLQs of all services on one cluster, with the services' databases to judge them by."""

    def __init__(self, settings: Settings, mongo: Mongo, client: AIOKafkaProducer) -> None:
        self._settings = settings
        self._mongo = mongo
        self._client = client

    async def all(self, topics: Collection[str] | None = None) -> list[Letter]:
        """Every letter (of what came from `topics`) in the order in which it came, the same record only once."""
        found: dict[_Same, Letter] = {}
        for record in await self._records(topics):
            letter = self._letter(record)
            same = _same(letter)
            if same in found:
                first = found[same]
                letter = replace(letter, place=first.place, at=first.at, times=first.times + 1)
            found[same] = letter
        return await self._judged(list(found.values()))

    async def one(self, place: Place) -> Letter:
        """The letter at this place. Raises NoSuchLetter."""
        for record in await self._records({place.topic}):
            letter = self._letter(record)
            if letter.place == place:
                [judged] = await self._judged([letter])
                return judged
        raise NoSuchLetter(f"No dead letter lies at {place}; `karya dlq list --all` shows where they lie.")

    async def replay(self, letters: Sequence[Letter], wait: float) -> Replayed:
        """Send letters back, each key's in the order in which they wait. What was worked is not sent again, and one
        that is sent twice is worked once. Waits up to `wait` seconds for each next part of a key to be worked."""
        sent = 0
        for service, key in dict.fromkeys((one.service, one.key) for one in letters if one.status is Status.OPEN):
            sent += await self._replay_key(service, key, wait)
        unusable = [one for one in letters if one.status is Status.UNUSABLE]
        await self._send(unusable)
        useless = await self._useless(unusable, wait)
        meant = {one.place for one in letters if one.status is Status.OPEN}
        keys = {(one.service, one.key) for one in letters if one.status is Status.OPEN}
        left = [
            one
            for one in (await self.all() if meant else [])
            if one.status is Status.OPEN and (one.place in meant or (one.service, one.key) in keys)
        ]
        return Replayed(sent + len(unusable), len(left), useless)

    async def _useless(self, sent: Sequence[Letter], within: float) -> int:
        """How many of these, sent back just now, came here again or were not worked in time."""
        now: dict[_Same, Letter] = {}
        async for _ in attempts(within=within if sent else 0, most=0.5):
            now = {_same(one): one for one in await self.all({one.place.topic for one in sent})} if sent else {}
            if all(now[_same(one)].status is Status.WORKED or now[_same(one)].times > one.times for one in sent):
                break
        return sum(now[_same(one)].status is not Status.WORKED for one in sent)

    async def _replay_key(self, service: str, key: bytes | None, wait: float) -> int:
        """Part after part: two topics of a lane have no order between them, so a part of one topic is worked
        before the next topic's part is sent. Stops when a part is not worked: the bug is still there."""
        database, sent = self._database(service), 0
        topics = {topic.name for processor in SERVICES[service] for topic in processor.topics}
        assert database is not None, "a letter can be open only by a ledger"
        while True:
            waiting = await self._waiting(database, service, key)
            part = _next_part(
                [one for one in await self.all(topics) if (one.service, one.key) == (service, key)], waiting
            )
            if not part:
                return sent
            await self._send(part)
            sent += len(part)
            if not await self._worked(database, [one.ledger_id for one in part if one.ledger_id], wait):
                return sent

    async def _worked(self, database: Database, ids: Collection[str], within: float) -> bool:
        async for _ in attempts(within=within, most=0.2):
            if len(await RuntimeStore(database).processed(ids)) == len(ids):
                return True
        return False

    async def _waiting(self, database: Database, service: str, key: bytes | None) -> list[str]:
        """The ids that wait for this key, in their order."""
        text = (key or b"").decode(errors="replace")
        parked = [f"{processor.group} {text}" for processor in SERVICES[service]]
        documents = await database["parked"].find({"_id": {"$in": parked}}).to_list(None)
        return [id for document in documents for id in document["events"]]

    async def _send(self, letters: Iterable[Letter]) -> None:
        async with asyncio.timeout(PATIENCE):
            waiting = []
            for one in letters:
                name = topic_name(self._settings, one.place.topic)
                partitions = len(await self._client.partitions_for(name))
                # Without a key it is nobody's: back to where it lay.
                partition = one.came_from if one.key is None else partition_for_bytes(one.key, partitions)
                waiting.append(await self._client.send(name, one.value, one.key, partition, headers=one.headers))
            await asyncio.gather(*waiting)

    async def _judged(self, letters: Sequence[Letter]) -> list[Letter]:
        known: dict[tuple[str, str], bytes] = {}
        for service in {one.service for one in letters}:
            database = self._database(service)
            ids = {one.ledger_id for one in letters if one.service == service and one.ledger_id is not None}
            if database is not None and ids:
                known |= {(service, id): found for id, found in (await RuntimeStore(database).processed(ids)).items()}
        return [replace(one, status=_status(one, known.get((one.service, one.ledger_id or "")))) for one in letters]

    def _database(self, service: str) -> Database | None:
        return self._mongo.database(service) if service in SERVICES else None

    async def _records(self, topics: Collection[str] | None = None) -> list[Record]:
        """All records of these topics' DLQs (of every DLQ unless given), as Kafka took them in."""
        names = [f"{name}.dlq" for name in sorted(topics or read_topics())]
        async with Log(self._settings, names) as log:
            if log.missing:
                raise NotReached(f"There is no topic {log.missing[0]} on this Kafka; `karya topics` makes it.")
            found = [record async for _, records in log.read(await log.ends()) for record in records]
        return sorted(found, key=lambda one: (one.timestamp, one.topic, one.partition, one.offset))

    def _letter(self, record: Record) -> Letter:
        def mark(name: str) -> str:
            return header(record.headers, f"dlq_{name}") or ""

        topic = record.topic.removeprefix(self._settings.topic_prefix).removesuffix(".dlq")
        came_from = mark("partition")
        return Letter(
            place=Place(topic, record.partition, record.offset),
            at=taken_in(record) or EPOCH,
            key=record.key,
            value=record.value,
            headers=original_headers(record.headers),
            service=mark("service"),
            reason=mark("reason"),
            message=mark("message"),
            came_from=int(came_from) if _PARTITION.fullmatch(came_from) else record.partition,
        )


@asynccontextmanager
async def dead_letters(settings: Settings) -> AsyncIterator[DeadLetters]:
    """The DLQs as long as the block lasts. Raises NotReached when Kafka or MongoDB can't be reached."""
    client, mongo = producer(settings), Mongo(settings)
    try:
        await client.start()
        yield DeadLetters(settings, mongo, client)
    except (KafkaError, PyMongoError, TimeoutError, OSError) as fault:
        raise NotReached(
            f"Kafka at {settings.kafka} or the services' MongoDB does not answer: {fault!r}. "
            "Nothing is lost by it; a replay can be repeated."
        ) from fault
    finally:
        await stop_producer(client)
        await mongo.close()


def _same(letter: Letter) -> _Same:
    """What makes two letters the same record."""
    return letter.place.topic, letter.came_from, letter.key, letter.value, tuple(letter.headers)


def _next_part(letters: Sequence[Letter], waiting: Sequence[str]) -> list[Letter]:
    """The open ones, in the order in which they wait, as far as they are of one topic."""
    turn = {id: number for number, id in enumerate(waiting)}
    ordered = sorted(
        (one for one in letters if one.status is Status.OPEN),
        key=lambda one: turn.get(one.ledger_id or "", len(turn)),
    )
    return list(takewhile(lambda one: one.place.topic == ordered[0].place.topic, ordered))


def _status(letter: Letter, known: bytes | None) -> Status:
    if known is not None and known == digest(letter.value or b""):
        return Status.WORKED
    return Status.OPEN if letter.reason in (BUG, KEY_PARKED) and letter.service in SERVICES else Status.UNUSABLE
