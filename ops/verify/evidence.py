"""Reads the evidence once: the five databases, and every topic up to its end at quiescence."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from aiokafka import ConsumerRecord
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic_core import from_json

from deploy.topics import SERVICES, all_topics, topic_names
from ops.verify.accounts import (
    JournalAudit,
    LedgerAudit,
    dead_letters,
    event_id,
    first_headers,
    parked_keys,
    readable,
)
from ops.verify.log import Ends, TopicLog
from ops.verify.privacy import PseudonymScanner
from ops.verify.repaired import RepairAudit
from ops.verify.report import Check
from ops.verify.topic_evidence import PublishedEvent, TopicEvidence
from ops.verify.writers import WriterAudit
from services.gateway.store import HELD_RECORD_DOCUMENTS
from shared import envelope
from shared.causes import cause_of
from shared.envelope import digest
from shared.events.journal import BatchWorked, journal
from shared.events.operator import OPERATOR
from shared.events.production import TERMINAL
from shared.events.sales import SALES_DEADLINES
from shared.mongo import Mongo
from shared.runtime.processor import Collection, Processor
from shared.runtime.state import Entity
from shared.runtime.storage import RuntimeStore
from shared.wording import Message

E = TypeVar("E", bound=Entity)

PRODUCTION = "production"
# The gateway keeps what a terminal has signed, byte for byte.
_HELD = ("gateway", HELD_RECORD_DOCUMENTS.name)
PAGE = 2000
DLQ = ".dlq"
# Headers that never hold typed text.
_PLAIN = frozenset({"ce_specversion", "ce_type", "ce_time", "content-type", "traceparent"})
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(slots=True)
class Evidence:
    """The input of the checks: entities of the services' databases, and the published events."""

    published: TopicEvidence = field(default_factory=TopicEvidence)
    entities: dict[type[Any], dict[str, Any]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    def of(self, entity: type[E]) -> Mapping[str, E]:
        """All entities of this class by id."""
        return self.entities.get(entity, {})


async def gather(mongo: Mongo, log: TopicLog, ends: Ends, *, allow_parked: bool) -> Evidence:
    """Read all evidence, and make the checks that need every record."""
    reader = _EvidenceReader(mongo, log, ends)
    for service, processors in SERVICES.items():
        await reader.documents(service, processors)
        await reader.ledgers(service)
    # Read first: it holds the pseudonyms that must not occur in other topics.
    await reader.topics([TERMINAL.name])
    # Read before the tills' records, some of which count at another booth.
    await reader.topics([SALES_DEADLINES.name])
    reader.evidence.published.tills.take_forwarded()
    await reader.topics([name for name in topic_names() if name not in (TERMINAL.name, SALES_DEADLINES.name)])
    for service in SERVICES:
        await reader.privacy(service)
    await reader.close()
    evidence = reader.evidence
    evidence.checks = [
        reader.records,
        reader.journal.check,
        reader.readable,
        reader.scanner.check,
        reader.writers.check,
        parked_keys(reader.parked, allowed=allow_parked),
        reader.repairs.check,
        dead_letters(reader.letters, reader.repairs.states()),
    ]
    return evidence


@dataclass(frozen=True, slots=True)
class _Reader:
    """A reader of a topic: a service, and the group of its processor."""

    service: str
    group: str


class _EvidenceReader:
    def __init__(self, mongo: Mongo, log: TopicLog, ends: Ends) -> None:
        self.evidence = Evidence()
        self.records = Check("records", "every input record is in its reader's ledger once, or a dead letter")
        self.readable = Check("documents", "every document can be read by the service that keeps it")
        self.scanner = PseudonymScanner()
        self.journal = JournalAudit()
        self.writers = WriterAudit()
        self.repairs = RepairAudit()
        self.parked: dict[str, dict[str, Sequence[str]]] = {}
        self.letters: Counter[tuple[str, str, str]] = Counter()
        self._ledgers: dict[str, LedgerAudit] = {}
        self._mongo = mongo
        self._log = log
        self._ends = ends
        self._seen: dict[str, dict[str, bytes]] = defaultdict(dict)
        self._topics = {topic.name: topic for topic in all_topics()}
        self._readers: dict[str, list[_Reader]] = defaultdict(list)
        for service, processors in SERVICES.items():
            for processor in processors:
                for topic in processor.topics:
                    self._readers[topic.name].append(_Reader(service, processor.group))
        self._journals = {journal(service).name for service in SERVICES}

    async def documents(self, service: str, processors: Sequence[Processor]) -> None:
        """Read a service's collections as entities."""
        collections = {
            collection.name: collection for processor in processors for collection in processor.collections
        }
        for name, collection in sorted(collections.items()):
            entities = self.evidence.entities.setdefault(collection.entity, {})
            async for page in _pages(self._mongo.database(service)[name].find({}, batch_size=PAGE)):
                for document in page:
                    entity = self._entity(service, collection, document)
                    if entity is not None:
                        entities[document["_id"]] = entity
                    if service == PRODUCTION and document.get("maker"):
                        self.scanner.learn(document["maker"])

    async def ledgers(self, service: str) -> None:
        """Read a service's ledger and parked keys."""
        database = self._mongo.database(service)
        ledger: dict[str, tuple[bytes, str]] = {}
        async for page in _pages(database["ledger"].find({}, {"digest": 1, "lane": 1}, batch_size=PAGE)):
            ledger |= {entry["_id"]: (bytes(entry["digest"]), entry["lane"]) for entry in page}
        self.parked[service] = {d["_id"]: d["events"] async for d in database["parked"].find({})}
        self._ledgers[service] = LedgerAudit(self.records, service, ledger, self.parked[service])
        self.writers.learn(service, ledger)

    async def topics(self, names: Sequence[str]) -> None:
        """Read every record of these topics."""
        async for name, records in self._log.read(self._log.of(self._ends, *names)):
            if name not in (TERMINAL.name, TERMINAL.dlq):
                self._scan(name, records)
            self.journal.add_records(records)
            if name == OPERATOR.name:
                self.repairs.add_events(records)
            for record in records:
                if name in (TERMINAL.name, TERMINAL.dlq):
                    self._learn_pseudonym(record)
                if name.endswith(DLQ):
                    self._dead_letter(name, record)
                elif name in self._journals:
                    if self.writers.enter(name, record, first_headers(record.headers)):
                        self.journal.add_batch(BatchWorked.model_validate_json(record.value or b""))
                else:
                    self._event(name, record)

    async def privacy(self, service: str) -> None:
        """Scan a database for pseudonyms. Production's may hold them, and held records of the gateway."""
        if service == PRODUCTION:
            return
        database = self._mongo.database(service)
        for name in await database.list_collection_names():
            if (service, name) == _HELD:
                continue
            collection = database.get_collection(name, codec_options=cast("CodecOptions[dict[str, Any]]", _RAW))
            before = 0
            async for page in _pages(collection.find({}, batch_size=PAGE)):
                # By number: the document's id could itself hold a pseudonym.
                raw = [bytes(cast("RawBSONDocument", document).raw) for document in page]
                self.scanner.scan(raw, partial(_document_place, service, name, before + 1))
                before += len(page)

    async def close(self) -> None:
        """Complete the audits of ledgers, writers and journals."""
        self.writers.close()
        self.repairs.close(lambda service, id: self._ledgers[service].digest(id))
        for ledgers in self._ledgers.values():
            ledgers.close()
        for service, processors in SERVICES.items():
            store = RuntimeStore(self._mongo.database(service))
            for processor in processors:
                partitions = {part.partition for part in self._log.of(self._ends, processor.topics[0].name)}
                for lane in (await store.lanes(processor.group, partitions)).values():
                    self.journal.compare(lane)

    def _event(self, name: str, record: ConsumerRecord) -> None:
        headers = first_headers(record.headers)
        id = event_id(headers)
        its_own = self.writers.enter(name, record, headers)
        self.repairs.add_record(name, record)
        if readers := self._readers.get(name):
            # Each of them is asked: all must have worked it.
            firsts = [self._ledgers[reader.service].enter(reader.group, id, record) for reader in readers]
            first = any(firsts)
        else:
            first = self._is_first(name, id, record)
        # A readable foreign record counts too, since the readers of the topic trust it.
        if first and (its_own or readable(self._topics[name], record)):
            type, cause = (
                (headers.get(header) or b"").decode(errors="replace") for header in ("ce_type", "causationid")
            )
            source, event = id.split(" ", 1)
            # Documents know what a mended copy records by the id of the record that it stands for.
            event = envelope.header(record.headers, envelope.SUBJECT) or event
            self.evidence.published.add(
                PublishedEvent(type.rsplit(".", 1)[0], source, event, cause, record.value or b"{}")
            )

    def _is_first(self, name: str, id: str, record: ConsumerRecord) -> bool:
        """Whether a record is the first of its event, for topics without a ledger. A killed relay leaves copies."""
        digests, body_digest = self._seen[name], digest(record.value or b"")
        if id not in digests:
            digests[id] = body_digest
            return True
        if digests[id] != body_digest:
            self.writers.twice(name, record)
        return False

    def _dead_letter(self, name: str, record: ConsumerRecord) -> None:
        topic = self._topics[name.removesuffix(DLQ)]
        services = [reader.service for reader in self._readers[topic.name]]
        written_by = envelope.header(record.headers, "dlq_service")
        service = written_by if written_by in services else services[0]
        reason = self._ledgers[service].set_aside(topic, record)
        self.writers.set_aside(topic.name, record, reason, readable=readable(topic, record))
        self.repairs.add_letter(topic.name, service, reason, event_id(first_headers(record.headers)), record)
        self.letters[service, topic.name, reason] += 1

    def _entity(self, service: str, collection: Collection[Any], document: dict[str, Any]) -> Any:
        self.readable.looked_at += 1
        try:
            return collection.from_document(document)
        except (KeyError, TypeError, ValueError) as fault:
            self.readable.fail(
                "{service}'s {collection} {document} can't be read: {cause}",
                service=service,
                collection=collection.name,
                document=document["_id"],
                cause=cause_of(fault),
            )
            return None

    def _scan(self, name: str, records: Sequence[ConsumerRecord]) -> None:
        texts = [
            b"\n".join(
                [
                    record.key or b"",
                    record.value or b"",
                    *[value for header, value in record.headers if value and header not in _PLAIN],
                ]
            )
            for record in records
        ]
        self.scanner.scan(texts, lambda index: f"{name} {records[index].partition}/{records[index].offset}")

    def _learn_pseudonym(self, record: ConsumerRecord) -> None:
        # Refused reports count too: an answer to them must not name the maker.
        maker = _maker(record.value)
        if maker:
            self.scanner.learn(maker)


def _document_place(service: str, collection: str, first: int, index: int) -> Message:
    return Message(
        "{service}'s database, {collection}, document {number}",
        service=service,
        collection=collection,
        number=first + index,
    )


async def _pages(cursor: Any) -> AsyncIterator[list[Any]]:
    """The documents of a cursor of either driver, page by page, which is much faster than one by one."""
    while page := await cursor.to_list(PAGE):
        yield page


def _maker(value: bytes | None) -> str | None:
    try:
        body = from_json(value or b"")
    except ValueError:
        return None
    maker = body.get("maker") if isinstance(body, dict) else None
    return maker if isinstance(maker, str) else None
