"""Dead letters: reading them, finding the status of each, and sending them back to their topics.

A DLQ is a log, so letters are never deleted. The ledger of the writing service decides whether a letter still waits:
it has an entry for an event that was worked since. The operators' topic tells which unusable letters were mended or
archived.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TypeAlias

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from pymongo.errors import PyMongoError

from deploy.topics import SERVICES, read_topics
from ops import repairs
from ops.letters import Letter, LetterPlace, Status, letter_of, status_of
from ops.originals import LetterComparison, compare_originals
from ops.reaching import unreachable
from ops.repairs import Repairs
from ops.verify.log import TopicLog
from shared import envelope
from shared.errors import NoSuchLetter, NotPermitted, NotReached
from shared.events.operator import OPERATOR, LetterReplayed
from shared.kafka import partition_for_bytes, producer, stop_producer, topic_name
from shared.mongo import Database, Mongo
from shared.retry import attempts
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings
from shared.wording import Message

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

_RecordKey: TypeAlias = tuple[object, ...]

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class ResendReport:
    """A replay's result. `sent`: the number of records sent back. The letters as they are now: still `open`; sent and
    still `unusable`; not sent because they were worked or mended before (`kept`), or because Kafka would not take
    them or they are not the records that they name (`impossible`, each with the reason)."""

    sent: int
    open: tuple[Letter, ...] = ()
    unusable: tuple[Letter, ...] = ()
    kept: tuple[Letter, ...] = ()
    impossible: tuple[tuple[Letter, Message], ...] = ()

    @property
    def still_open(self) -> int:
        return len(self.open)


@dataclass(slots=True)
class _Sending:
    """A replay under way: who sends, and which letters are not sent, with the reasons."""

    actor: str
    without_original: bool
    comparisons: dict[LetterPlace, LetterComparison] = field(default_factory=dict)
    refused: dict[LetterPlace, tuple[Letter, Message]] = field(default_factory=dict)

    @property
    def waits_for_consent(self) -> bool:
        """Whether a letter was refused because its record is deleted."""
        return any(self.comparisons.get(place) is LetterComparison.GONE for place in self.refused)


class DeadLetters:
    """The DLQs of all services on one cluster, with the services' databases, which decide the status of letters."""

    def __init__(self, settings: Settings, mongo: Mongo, client: AIOKafkaProducer) -> None:
        self._settings = settings
        self._mongo = mongo
        self._client = client

    async def all(self, topics: Collection[str] | None = None) -> list[Letter]:
        """Every letter (of records from `topics`, if given), oldest first, and each record only once."""
        letters_by_record: dict[_RecordKey, Letter] = {}
        for record in await self._records(topics):
            letter = letter_of(self._settings, record)
            record_key = _record_key(letter)
            if record_key in letters_by_record:
                first = letters_by_record[record_key]
                letter = replace(
                    letter,
                    place=first.place,
                    at=first.at,
                    original_offset=first.original_offset,
                    arrived_at=first.arrived_at,
                    times=first.times + 1,
                    places=(*first.places, letter.place),
                )
            letters_by_record[record_key] = letter
        return await self._with_status(list(letters_by_record.values()))

    async def get(self, place: LetterPlace) -> Letter:
        """The letter at this place, or whose record came again and then had this place. Raises NoSuchLetter."""
        for letter in await self.all({place.topic}):
            if place in letter.places:
                return letter
        raise NoSuchLetter(
            Message("No dead letter lies at {place}; `karya dlq list --all` shows all places.", place=str(place))
        )

    async def require_operators_topic(self) -> None:
        """Raise NotReached if Kafka lacks the operators' topic: a copy would be published and not told."""
        async with TopicLog(self._settings, [OPERATOR.name]) as log:
            if log.missing:
                raise NotReached(
                    Message("There is no topic {topic} on this Kafka; `karya topics` makes it.", topic=log.missing[0])
                )

    async def publish(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Publish a record on `topic` (without prefix), and wait until Kafka has it."""
        name = topic_name(self._settings, topic)
        async with asyncio.timeout(PATIENCE), _permission(topic):
            partition = partition_for_bytes(key, len(await self._client.partitions_for(name)))
            await self._client.send_and_wait(name, value, key, partition, headers=list(headers))

    async def copy_digest(self, letter: Letter) -> bytes | None:
        """The digest of the letter's mended copy, once it is worked."""
        database = self._database(letter.service)
        if database is None:
            return None
        id = repairs.ledger_id(letter.original, letter.place.topic)
        return (await RuntimeStore(database).processed([id])).get(id)

    async def comparisons(self, letters: Sequence[Letter]) -> Mapping[LetterPlace, LetterComparison]:
        """Each letter compared with the record that it names."""
        return await compare_originals(self._settings, letters) if letters else {}

    async def difference(self, letter: Letter, *, without_original: bool = False) -> Message | None:
        """Why this letter can't be trusted to be the record that it names, if so."""
        comparison = (await self.comparisons([letter]))[letter.place]
        return _difference(letter, comparison, without_original=without_original)

    async def replay(
        self, letters: Sequence[Letter], wait: float, *, actor: str, without_original: bool = False
    ) -> ResendReport:
        """Send letters back, those of a key in the order in which they wait, and tell each before. Worked and mended
        letters are not sent: what a mended letter says is told by its copy. A letter that is not the record that it
        names is not sent; `without_original`: one whose record is deleted is. A letter that is sent twice is worked
        once. Waits up to `wait` seconds until each part of a key is worked."""
        await self.require_operators_topic()
        sending = _Sending(actor, without_original)
        finished_letters = tuple(letter for letter in letters if letter.status in (Status.WORKED, Status.MENDED))
        sent_count = 0
        for service, key in dict.fromkeys(
            (letter.service, letter.key) for letter in letters if letter.status is Status.OPEN
        ):
            sent_count += await self._replay_key(service, key, wait, sending)
        resendable = [letter for letter in letters if letter.status in (Status.UNUSABLE, Status.ARCHIVED)]
        obstacles = [(letter, await self._obstacle(letter)) for letter in resendable]
        impossible = [(letter, obstacle) for letter, obstacle in obstacles if obstacle is not None]
        unusable = await self._compared([letter for letter, obstacle in obstacles if obstacle is None], sending)
        await self._tell_and_send(unusable, sending)
        still_unusable = await self._still_unusable(unusable, wait)
        places = {letter.place for letter in letters if letter.status is Status.OPEN}
        keys = {(letter.service, letter.key) for letter in letters if letter.status is Status.OPEN}
        open_letters = [
            letter
            for letter in (await self.all() if places else [])
            if letter.status is Status.OPEN and (letter.place in places or (letter.service, letter.key) in keys)
            if letter.place not in sending.refused
        ]
        impossible += sending.refused.values()
        return ResendReport(
            sent_count + len(unusable), tuple(open_letters), still_unusable, finished_letters, tuple(impossible)
        )

    async def _compared(self, letters: Sequence[Letter], sending: _Sending) -> list[Letter]:
        """The letters that may be sent. The others are refused."""
        comparisons = await self.comparisons(letters)
        sending.comparisons |= comparisons
        for letter in letters:
            fault = _difference(letter, comparisons[letter.place], without_original=sending.without_original)
            if fault is not None:
                sending.refused[letter.place] = (letter, fault)
        return [letter for letter in letters if letter.place not in sending.refused]

    async def _tell_and_send(self, letters: Sequence[Letter], sending: _Sending) -> None:
        await asyncio.gather(
            *(self._tell(letter, sending.comparisons[letter.place], sending.actor) for letter in letters)
        )
        await self._send(letters)

    async def _tell(self, letter: Letter, comparison: LetterComparison, actor: str) -> None:
        body = LetterReplayed(
            original=letter.original,
            letter=str(letter.place),
            reason=letter.reason,
            arrived_at=letter.arrived_at,
            actor=actor,
            compared=comparison is LetterComparison.SAME,
        )
        headers = repairs.event_headers(body, str(uuid.uuid4()))
        await self.publish(OPERATOR.name, body.original.encode(), envelope.encode(body), headers)

    async def _obstacle(self, letter: Letter) -> Message | None:
        """Why the record of this letter can't be sent, if so: Kafka's client would fail."""
        if letter.key is not None:
            return None
        if letter.value is None:
            return Message("its record has neither a key nor a value, and so it says nothing.")
        name = topic_name(self._settings, letter.place.topic)
        if letter.original_partition not in await self._client.partitions_for(name):
            return Message(
                "its record has no key, and {topic} has no partition {partition} for it.",
                topic=name,
                partition=letter.original_partition,
            )
        return None

    async def _still_unusable(self, letters: Sequence[Letter], within: float) -> tuple[Letter, ...]:
        """The letters, among `letters` sent back just now, that came to the DLQ again or were not worked in time."""
        current: dict[_RecordKey, Letter] = {}
        async for _ in attempts(within=within if letters else 0, most=0.5):
            current = (
                {_record_key(letter): letter for letter in await self.all({letter.place.topic for letter in letters})}
                if letters
                else {}
            )
            if all(
                current[_record_key(letter)].status is Status.WORKED
                or current[_record_key(letter)].times > letter.times
                for letter in letters
            ):
                break
        return tuple(
            letter
            for letter in (current[_record_key(letter)] for letter in letters)
            if letter.status is not Status.WORKED
        )

    async def _replay_key(self, service: str, key: bytes | None, wait: float, sending: _Sending) -> int:
        """Send the letters of a key part by part, and return the number sent. Two topics of a lane have no common
        order, so the part of one topic must be worked before the next part is sent. A part that is not worked in time
        ends the replay, since the bug is still there."""
        database, sent_count = self._database(service), 0
        topics = {topic.name for processor in SERVICES[service] for topic in processor.topics}
        assert database is not None, "only a service with a ledger has open letters"
        while True:
            waiting = await self._waiting(database, service, key)
            part = _next_part(
                [
                    letter
                    for letter in await self.all(topics)
                    if (letter.service, letter.key) == (service, key) and letter.place not in sending.refused
                ],
                waiting,
            )
            if not part:
                return sent_count
            part = await self._compared(part, sending)
            if sending.waits_for_consent:
                return sent_count  # what comes after such a letter must not overtake it
            await self._tell_and_send(part, sending)
            sent_count += len(part)
            if not await self._worked(database, [letter.ledger_id for letter in part if letter.ledger_id], wait):
                return sent_count

    async def _worked(self, database: Database, ids: Collection[str], within: float) -> bool:
        async for _ in attempts(within=within, most=0.2):
            if len(await RuntimeStore(database).processed(ids)) == len(ids):
                return True
        return False

    async def _waiting(self, database: Database, service: str, key: bytes | None) -> list[str]:
        """The ids of the events parked under this key, in their order."""
        text = (key or b"").decode(errors="replace")
        parked = [f"{processor.group} {text}" for processor in SERVICES[service]]
        documents = await database["parked"].find({"_id": {"$in": parked}}).to_list(None)
        return [id for document in documents for id in document["events"]]

    async def _send(self, letters: Sequence[Letter]) -> None:
        async with asyncio.timeout(PATIENCE), _permission(*{letter.place.topic for letter in letters}):
            waiting = []
            for letter in letters:
                name = topic_name(self._settings, letter.place.topic)
                partitions = len(await self._client.partitions_for(name))
                # A record without a key returns to its own partition.
                partition = (
                    letter.original_partition if letter.key is None else partition_for_bytes(letter.key, partitions)
                )
                waiting.append(
                    await self._client.send(name, letter.value, letter.key, partition, headers=letter.headers)
                )
            await asyncio.gather(*waiting)

    async def _with_status(self, letters: Sequence[Letter]) -> list[Letter]:
        operator_repairs = await self._repairs() if letters else Repairs()
        digests: dict[tuple[str, str], bytes] = {}
        for service in {letter.service for letter in letters}:
            database = self._database(service)
            ids = {
                id
                for letter in letters
                if letter.service == service
                for id in (letter.ledger_id, repairs.ledger_id(letter.original, letter.place.topic))
                if id is not None
            }
            if database is not None and ids:
                digests |= {
                    (service, id): digest for id, digest in (await RuntimeStore(database).processed(ids)).items()
                }
        return [
            replace(
                letter,
                status=status_of(
                    letter,
                    digests.get((letter.service, letter.ledger_id or "")),
                    # The copy alone too: a crash may have come between it and its event.
                    mended=letter.original in operator_repairs.mended
                    or (letter.service, repairs.ledger_id(letter.original, letter.place.topic)) in digests,
                    archived=letter.original in operator_repairs.archived,
                ),
                mending=operator_repairs.mended.get(letter.original),
                archived=operator_repairs.archived.get(letter.original),
            )
            for letter in letters
        ]

    async def _repairs(self) -> Repairs:
        operator_repairs = Repairs()
        async with TopicLog(self._settings, [OPERATOR.name]) as log:
            # A cluster without the topic has no repair; `karya verify` says that the topic is missing.
            async for _, records in log.read(await log.ends()):
                operator_repairs.add(records)
        return operator_repairs

    def _database(self, service: str) -> Database | None:
        return self._mongo.database(service) if service in SERVICES else None

    async def _records(self, topics: Collection[str] | None = None) -> list[Record]:
        """All records of these topics' DLQs (by default of every DLQ), in the order of their timestamps."""
        names = [f"{name}.dlq" for name in sorted(topics or read_topics())]
        async with TopicLog(self._settings, names) as log:
            if log.missing:
                raise NotReached(
                    Message("There is no topic {topic} on this Kafka; `karya topics` makes it.", topic=log.missing[0])
                )
            records = [record async for _, page in log.read(await log.ends()) for record in page]
        return sorted(records, key=lambda record: (record.timestamp, record.topic, record.partition, record.offset))


@asynccontextmanager
async def _permission(*topics: str) -> AsyncIterator[None]:
    try:
        yield
    except TopicAuthorizationFailedError as fault:
        raise NotPermitted(
            Message(
                "Kafka does not let this user write {topics}. Nothing was sent. What gives roles or enrols devices "
                "is for the administrator: set KARYA_KAFKA_CREDENTIALS to the administrator's file, and repeat.",
                topics=", ".join(sorted(topics)),
            )
        ) from fault


@asynccontextmanager
async def dead_letters(settings: Settings) -> AsyncIterator[DeadLetters]:
    """The DLQs for the duration of the block. Raises NotReached when Kafka or MongoDB can't be reached."""
    client, mongo = producer(settings), Mongo(settings)
    try:
        await client.start()
        yield DeadLetters(settings, mongo, client)
    except (KafkaError, PyMongoError, TimeoutError, OSError) as fault:
        raise NotReached(
            Message(
                "{unreachable} Nothing is lost; a replay can be repeated.", unreachable=unreachable(settings, fault)
            )
        ) from fault
    finally:
        await stop_producer(client)
        await mongo.close()


def _record_key(letter: Letter) -> _RecordKey:
    """The identity of the original record at one reader: two letters of it by one service have the same key."""
    place = letter.place.topic, letter.original_partition
    return letter.service, *place, letter.key, letter.value, tuple(letter.headers)


def _difference(letter: Letter, comparison: LetterComparison, *, without_original: bool) -> Message | None:
    """Why the letter can't be trusted to be the record that it names, if so."""
    if comparison is LetterComparison.OTHER:
        return Message(
            "it is not the record that it names, {original}. Find who wrote it: {service} was wrong, or somebody "
            "wrote in its name.",
            original=letter.original,
            service=letter.service or Message("a service"),
        )
    if comparison is LetterComparison.GONE and not without_original:
        return Message(
            "its record {original} is deleted, and nobody can compare them. If you know that it is right, repeat "
            "with --without-original.",
            original=letter.original,
        )
    return None


def _next_part(letters: Sequence[Letter], waiting: Sequence[str]) -> list[Letter]:
    """The open letters in the order in which they wait, up to the first one of another topic."""
    turn = {id: number for number, id in enumerate(waiting)}
    ordered = sorted(
        (letter for letter in letters if letter.status is Status.OPEN),
        key=lambda letter: turn.get(letter.ledger_id or "", len(turn)),
    )
    return list(takewhile(lambda letter: letter.place.topic == ordered[0].place.topic, ordered))
