"""Reads all there is, once: the four databases and every topic, up to where the topics ended when it was quiet."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from aiokafka import ConsumerRecord
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic_core import from_json

from deploy.topics import SERVICES, all_topics
from ops.verify.accounts import Books, Journals, dead_letters, event_id, first_of_each, parked_keys, readable
from ops.verify.heard import Heard, Word
from ops.verify.log import Ends, Log
from ops.verify.privacy import Watch
from ops.verify.quiet import topic_names
from ops.verify.report import Check
from ops.verify.writers import Writers
from shared.envelope import digest
from shared.events.journal import BatchWorked, journal
from shared.events.production import TERMINAL
from shared.mongo import Mongo
from shared.runtime.processor import Collection, Processor
from shared.runtime.state import Entity
from shared.runtime.storage import RuntimeStore

E = TypeVar("E", bound=Entity)

PRODUCTION = "production"
PAGE = 2000
DLQ = ".dlq"
# Headers that nothing typed can come into.
_PLAIN = frozenset({"ce_specversion", "ce_type", "ce_time", "content-type", "traceparent"})
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(slots=True)
class Evidence:
    """What the checks look at: entities as the services keep them, and what the topics said."""

    heard: Heard = field(default_factory=Heard)
    entities: dict[type[Any], dict[str, Any]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    def of(self, entity: type[E]) -> Mapping[str, E]:
        """All entities of this class by id."""
        return self.entities.get(entity, {})


async def gather(mongo: Mongo, log: Log, ends: Ends, *, allow_parked: bool) -> Evidence:
    """All the evidence, with the checks that are made while reading."""
    reading = _Reading(mongo, log, ends)
    for service, processors in SERVICES.items():
        await reading.documents(service, processors)
        await reading.books(service)
    # First of all topics: only then is it known whose pseudonyms must not be anywhere else.
    await reading.topics([TERMINAL.name])
    await reading.topics([name for name in topic_names() if name != TERMINAL.name])
    for service in SERVICES:
        await reading.privacy(service)
    await reading.close()
    evidence = reading.evidence
    evidence.checks = [
        reading.records,
        reading.journal.check,
        reading.readable,
        reading.watch.check,
        reading.writers.check,
        parked_keys(reading.parked, allow_parked),
        dead_letters(reading.letters),
    ]
    return evidence


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads a topic: a service, and the group of its processor."""

    service: str
    group: str


class _Reading:
    def __init__(self, mongo: Mongo, log: Log, ends: Ends) -> None:
        self.evidence = Evidence()
        self.records = Check(
            "records", "every record of every input is in its reader's ledger once, or a dead letter"
        )
        self.readable = Check("documents", "every document can be read by the service that keeps it")
        self.watch = Watch()
        self.journal = Journals()
        self.writers = Writers()
        self.parked: dict[str, dict[str, Sequence[str]]] = {}
        self.letters: Counter[tuple[str, str, str]] = Counter()
        self._books: dict[str, Books] = {}
        self._mongo = mongo
        self._log = log
        self._ends = ends
        self._seen: dict[str, dict[str, bytes]] = defaultdict(dict)
        self._topics = {topic.name: topic for topic in all_topics()}
        self._readers = {
            topic.name: _Reader(service, processor.group)
            for service, processors in SERVICES.items()
            for processor in processors
            for topic in processor.topics
        }
        self._journals = {journal(service).name for service in SERVICES}

    async def documents(self, service: str, processors: Sequence[Processor]) -> None:
        """A service's own collections, as entities."""
        collections = {
            collection.name: collection for processor in processors for collection in processor.collections
        }
        for name, collection in sorted(collections.items()):
            kept = self.evidence.entities.setdefault(collection.entity, {})
            async for page in _pages(self._mongo.database(service)[name].find({}, batch_size=PAGE)):
                for document in page:
                    entity = self._entity(service, collection, document)
                    if entity is not None:
                        kept[document["_id"]] = entity
                    if service == PRODUCTION and document.get("maker"):
                        self.watch.learn(document["maker"])

    async def books(self, service: str) -> None:
        """A service's ledger and parked keys."""
        database = self._mongo.database(service)
        ledger: dict[str, tuple[bytes, str]] = {}
        async for page in _pages(database["ledger"].find({}, {"digest": 1, "lane": 1}, batch_size=PAGE)):
            ledger |= {entry["_id"]: (bytes(entry["digest"]), entry["lane"]) for entry in page}
        self.parked[service] = {d["_id"]: d["events"] async for d in database["parked"].find({})}
        self._books[service] = Books(self.records, service, ledger, self.parked[service])
        self.writers.learn(service, ledger)

    async def topics(self, names: Sequence[str]) -> None:
        """Every record of these topics."""
        async for name, records in self._log.read(self._log.of(self._ends, *names)):
            if name not in (TERMINAL.name, TERMINAL.dlq):
                self._look(name, records)
            self.journal.see(records)
            for record in records:
                if name in (TERMINAL.name, TERMINAL.dlq):
                    self._learn(record)
                if name.endswith(DLQ):
                    self._dead_letter(name, record)
                elif name in self._journals:
                    if self.writers.enter(name, record, first_of_each(record.headers)):
                        self.journal.hear(BatchWorked.model_validate_json(record.value or b""))
                else:
                    self._event(name, record)

    async def privacy(self, service: str) -> None:
        """Every byte of a database that no pseudonym belongs in."""
        if service == PRODUCTION:
            return
        database = self._mongo.database(service)
        for name in await database.list_collection_names():
            kept = database.get_collection(name, codec_options=cast("CodecOptions[dict[str, Any]]", _RAW))
            before = 0
            async for page in _pages(kept.find({}, batch_size=PAGE)):
                # By number: the document's id may be what must not be shown.
                place = partial("{}'s database, {}, document {}".format, service, name)
                raw = [bytes(cast("RawBSONDocument", document).raw) for document in page]
                self.watch.look(raw, lambda index, first=before + 1, place=place: place(first + index))  # type: ignore[misc]
                before += len(page)

    async def close(self) -> None:
        """Draw the line under ledgers, writers and journals."""
        self.writers.close()
        for books in self._books.values():
            books.close()
        for service, processors in SERVICES.items():
            store = RuntimeStore(self._mongo.database(service))
            for processor in processors:
                partitions = {part.partition for part in self._log.of(self._ends, processor.topics[0].name)}
                for lane in (await store.lanes(processor.group, partitions)).values():
                    self.journal.compare(lane)

    def _event(self, name: str, record: ConsumerRecord) -> None:
        headers = first_of_each(record.headers)
        id = event_id(headers)
        its_own = self.writers.enter(name, record, headers)
        reader = self._readers.get(name)
        if reader is not None:
            first = self._books[reader.service].enter(reader.group, id, record)
        else:
            first = self._is_first(name, id, record)
        # A foreign one is heard too, if it can be: whoever reads the topic believes it.
        if first and (its_own or readable(self._topics[name], record)):
            type, cause = (
                (headers.get(header) or b"").decode(errors="replace") for header in ("ce_type", "causationid")
            )
            source, event = id.split(" ", 1)
            self.evidence.heard.hear(Word(type.rsplit(".", 1)[0], source, event, cause, record.value or b"{}"))

    def _is_first(self, name: str, id: str, record: ConsumerRecord) -> bool:
        """Of a topic that no service reads: nobody's ledger tells the copies of a relay that was killed."""
        seen, body = self._seen[name], digest(record.value or b"")
        if id not in seen:
            seen[id] = body
            return True
        if seen[id] != body:
            self.writers.twice(name, record)
        return False

    def _dead_letter(self, name: str, record: ConsumerRecord) -> None:
        topic = self._topics[name.removesuffix(DLQ)]
        service = self._readers[topic.name].service
        reason = self._books[service].set_aside(topic, record)
        self.writers.set_aside(topic.name, record, reason, readable=readable(topic, record))
        self.letters[service, topic.name, reason] += 1

    def _entity(self, service: str, collection: Collection[Any], document: dict[str, Any]) -> Any:
        self.readable.looked_at += 1
        try:
            return collection.from_document(document)
        except (KeyError, TypeError, ValueError) as fault:
            self.readable.wrong(f"{service}'s {collection.name} {document['_id']} can't be read: {fault!r}")
            return None

    def _look(self, name: str, records: Sequence[ConsumerRecord]) -> None:
        said = [
            b"\n".join(
                [
                    record.key or b"",
                    record.value or b"",
                    *[value for header, value in record.headers if value and header not in _PLAIN],
                ]
            )
            for record in records
        ]
        self.watch.look(said, lambda index: f"{name} {records[index].partition}/{records[index].offset}")

    def _learn(self, record: ConsumerRecord) -> None:
        # Also of reports that were refused: what was wrong with them must not be told with the maker.
        maker = _maker(record.value)
        if maker:
            self.watch.learn(maker)


async def _pages(cursor: Any) -> AsyncIterator[list[Any]]:
    """What a cursor of either driver finds, many at a time: one by one costs more than all that is done with it."""
    while page := await cursor.to_list(PAGE):
        yield page


def _maker(value: bytes | None) -> str | None:
    try:
        body = from_json(value or b"")
    except ValueError:
        return None
    maker = body.get("maker") if isinstance(body, dict) else None
    return maker if isinstance(maker, str) else None
