"""Bad records on every topic that a service reads: nobody crashes, nobody is blocked, and the count adds up."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from deploy.topics import SERVICES, topic_names
from ops.verify.log import TopicLog
from ops.verify.quiescence import Observation, wait_until_quiet
from shared import envelope
from shared.events.catalogue import (
    CATALOGUE,
    ENTRY_COMMANDS,
    FACILITY_CATALOGUE,
    REFERENCES,
    EntryAsked,
    SetTerm,
    TermSet,
)
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    ORGANISER,
    AnnounceFestival,
    BoothOpened,
    FestivalCancelled,
)
from shared.events.gateway import HELD_COMMANDS, HELD_REPORTS, HELD_SALES, RecordHeld, ReleaseRecords
from shared.events.identity import (
    IDENTITY,
    IDENTITY_COMMANDS,
    IDENTITY_GRANTS,
    AccountClosed,
    GrantAsked,
    OpenAccount,
    Role,
)
from shared.events.inventory import INVENTORY, RESERVATIONS, STOCK_ORDERS, LossRecorded, StockChanged, StockReturned
from shared.events.language import Body, DeadlineReached, Topic
from shared.events.production import (
    ANSWERS,
    LOT_ANSWERS,
    PRODUCTION,
    RELEASED,
    TERMINAL,
    LotCorrected,
    LotRecorded,
    ProductionReported,
    ReportAccepted,
    ReportReleased,
)
from shared.events.sales import (
    BOOTH_REPORTS,
    PUBLIC_SALES,
    SALE_SHARES,
    SALES,
    SETTLEMENTS,
    TILL,
    DeviceHeard,
    SalePublished,
    SellThroughCounted,
    SettlementPostponed,
    ShareOpened,
    TillClosed,
)
from shared.kafka import partition_for_bytes, producer, stop_producer, topic_name
from shared.mongo import Mongo
from shared.runtime.dlq import BUG, KEY_PARKED, original_headers
from shared.runtime.processor import Processor
from shared.runtime.storage import lane_id
from shared.settings import Settings
from tests.support import foreign
from tests.support.builders.production import facility_listed
from tests.support.corpus import Made, corpus, ledger_id
from tests.support.place import RunProcess
from tests.support.probe import DeadLetter, Probe, Record, a_probe
from tests.support.running import ServiceProcess
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SEED = 20260418
AT_ONCE = 500
QUIET_WITHIN = 300.0
# Production, festival and gateway would hold more if they kept the 10,000 records of each topic.
MOST_MEMORY = 180 * 1024 * 1024
READ: list[tuple[str, Processor, Topic]] = [
    (service, processor, topic)
    for service, processors in SERVICES.items()
    for processor in processors
    for topic in processor.topics
]


@pytest.mark.parametrize("each", [100, pytest.param(10_000, marks=pytest.mark.slow)], ids="{}_a_topic".format)
async def test_bad_records_stop_nobody_and_are_all_accounted_for(
    each: int, settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    records = each * len(READ)
    made = corpus(SEED, records, [topic for _, _, topic in READ], settings.partitions)
    async with AsyncExitStack() as stack:
        running = {name: await stack.enter_async_context(service_process(name)) for name in SERVICES}
        memory = Memory(running)
        log = await stack.enter_async_context(TopicLog(settings, topic_names()))
        await send(settings, made, memory.measure)

        async def quiet() -> None:
            look = await wait_until_quiet(settings, mongo, log, within=QUIET_WITHIN, on_wait=memory.measure)
            assert not look.waits, look.waits

        await quiet()
        await good_records_go_through(probe, mongo)
        await quiet()
        sums = await counted(settings, mongo)
        assert sum(counts.letters for counts in sums.values()) > records // 3
        worked: Counter[str] = Counter()
        for (name, _), counts in sums.items():
            worked[name] += counts.worked
        assert min(worked.values()) > 1, "besides the good one, some record of each topic is worked"
        for name, process in running.items():
            assert process.alive, f"{name} has ended: {process.output}"
            await process.ready(within=5)
    print(memory)
    assert max(memory.most.values()) < MOST_MEMORY, memory


async def test_what_our_own_client_could_not_read_stops_nobody(
    settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header's name that is not UTF-8, alone and in a packed batch."""
    made = {
        lot: LotRecorded(lot=lot, facility="PR-KPG", product="KTI", category="tenun", qty=9, made_on=date(2026, 4, 1))
        for lot in ("PACKED", "NAMED", "AFTER")
    }
    async with service_process("inventory") as process:
        with monkeypatch.context() as patched:
            foreign.allow_foreign_headers(patched)
            await _say(settings, made["PACKED"], b" " * 5000, (foreign.Name("x"), b"1"), compression_type="zstd")
            await _say(settings, made["NAMED"], b"", (foreign.Name("x"), b"1"))
        await probe.send(PRODUCTION, made["AFTER"])
        lots = mongo.database("inventory")["lots"]
        await eventually(lambda: lots.count_documents({}), equals=len(made))
        assert await probe.dlq(PRODUCTION) == [], process.output


async def _say(settings: Settings, body: LotRecorded, room: bytes, *more: tuple[str, bytes], **options: str) -> None:
    client = AIOKafkaProducer(bootstrap_servers=settings.kafka, **options)
    await client.start()
    try:
        headers = envelope.headers(id=body.lot, source="foreign", topic=PRODUCTION, body=body, time=envelope.EPOCH)
        key = body.lot.encode()
        await client.send_and_wait(
            topic_name(settings, PRODUCTION.name),
            envelope.encode(body) + room,
            key,
            partition_for_bytes(key, settings.partitions),
            headers=[*headers, *more],
        )
    finally:
        await client.stop()


class Memory:
    """The most that each process was seen to hold, in bytes."""

    def __init__(self, running: dict[str, ServiceProcess]) -> None:
        self._processes = {name: psutil.Process(process.pid) for name, process in running.items()}
        self.most = dict.fromkeys(running, 0)

    def measure(self, _: Observation | None = None) -> None:
        for name, process in self._processes.items():
            if process.is_running():
                self.most[name] = max(self.most[name], process.memory_info().rss)

    def __str__(self) -> str:
        return ", ".join(f"{name} {most / 1024 / 1024:.0f} MiB" for name, most in self.most.items())


@dataclass(slots=True)
class Sums:
    """Records of one partition of one topic: what became of each."""

    sent: int = 0
    worked: int = 0
    again: int = 0
    letters: int = 0


async def send(settings: Settings, made: Iterator[Made], on_sent: Callable[[], None]) -> None:
    """All of it, in its order; `on_sent` is called after every few of them."""
    client = producer(settings)
    await client.start()
    try:
        while some := list(islice(made, AT_ONCE)):
            await asyncio.gather(*[await _send(settings, client, record) for record in some])
            on_sent()
    finally:
        await stop_producer(client)


async def _send(settings: Settings, client: AIOKafkaProducer, record: Made) -> asyncio.Future[object]:
    partition = (
        partition_for_bytes(record.key or b"", settings.partitions) if record.partition is None else record.partition
    )
    name = topic_name(settings, record.topic.name)
    future: asyncio.Future[object] = await client.send(
        name, record.value, record.key, partition, headers=list(record.headers)
    )
    return future


async def counted(settings: Settings, mongo: Mongo) -> dict[tuple[str, int], Sums]:
    """What became of every record of every topic that is read. Raises AssertionError unless each is exactly one of:
    worked first (one entry of the ledger), the same again (as one that was worked, or waits with its parked key), or
    one letter with the record's own bytes."""
    sums: dict[tuple[str, int], Sums] = defaultdict(Sums)
    for service in SERVICES:
        entries = mongo.database(service)["ledger"].find({}, {"digest": 1, "lane": 1})
        ledger = {entry["_id"]: (bytes(entry["digest"]), entry["lane"]) async for entry in entries}
        unseen = set(ledger)
        for _, processor, topic in (triple for triple in READ if triple[0] == service):
            # The records of all topics together would take gigabytes.
            async with a_probe(settings) as probe:
                records = await probe.records(topic)
                # A topic may have two readers, and each sets aside what it can't use.
                letters = _by_place([letter for letter in await probe.dlq(topic) if letter.service == service])
            parked = {
                (ledger_id(letter.record.headers), envelope.digest(letter.record.value or b""))
                for letter in letters.values()
                if letter.reason in (BUG, KEY_PARKED)
            }
            for record in records:
                here = sums[f"{service} {topic.name}", record.partition]
                here.sent += 1
                place = (topic_name(settings, topic.name), record.partition, record.offset)
                if place in letters:
                    here.letters += 1
                    check_letter(record, letters.pop(place), service)
                    continue
                id, digest = ledger_id(record.headers), envelope.digest(record.value or b"")
                if (id, digest) in parked:
                    here.again += 1  # it waits in the DLQ with its key
                    continue
                assert ledger.get(id) == (digest, lane_id(processor.group, record.partition)), f"{place} is lost"
                here.worked += id in unseen
                here.again += id not in unseen
                unseen.discard(id)
            assert not letters, "letters without their records"
        assert not unseen, "the ledger holds what never came"
    for name, counts in sums.items():
        assert counts.sent == counts.worked + counts.again + counts.letters, name
    return sums


def check_letter(record: Record, letter: DeadLetter, service: str) -> None:
    """A letter is the record as it came, with a reason for people."""
    assert (letter.record.key, letter.record.value) == (record.key, record.value)
    assert list(original_headers(letter.record.headers)) == list(original_headers(record.headers))
    assert letter.service == service
    assert letter.reason
    assert letter.message


def _by_place(letters: list[DeadLetter]) -> dict[tuple[str, int, int], DeadLetter]:
    letters_by_place = {(letter.topic, letter.partition, letter.offset): letter for letter in letters}
    assert len(letters_by_place) == len(letters), "a record was set aside twice"
    return letters_by_place


async def good_records_go_through(probe: Probe, mongo: Mongo) -> None:
    """After all that, one good record on every topic is worked."""
    today = datetime.now(UTC)
    good: dict[Topic, Body] = {
        TERMINAL: ProductionReported(facility="PR-KPG", terminal="T", product="KTI", qty=5, made_on=today.date()),
        LOT_ANSWERS: LotCorrected(facility="PR-KPG", lot="G", correction="g", change=1, on_hand=1),
        PRODUCTION: LotRecorded(
            lot="GOOD", facility="PR-KPG", product="KTI", category="tenun", qty=9, made_on=date(2026, 4, 1)
        ),
        STOCK_ORDERS: LossRecorded(lot="GOODER", order="g", festival="GOOD", qty=1),
        INVENTORY: a_balance(),
        ORGANISER: AnnounceFestival(
            festival="GOOD",
            name="Good",
            place="Kupang",
            zone="Asia/Makassar",
            first_day=date(2026, 4, 1),
            last_day=date(2026, 4, 1),
            confirmed=True,
        ),
        RESERVATIONS: StockReturned(festival="GOOD", order="g", lot="G", booth="GOOD.B1", qty=1),
        BOOTH_REPORTS: SellThroughCounted(festival="GOOD", booth="GOOD.B1", revision=1, lots=()),
        BOOTH_STOCK: BoothOpened(booth="GOOD.B1", festival="GOOD", name="Good", prices=(), tills=("T",)),
        TILL: TillClosed(booth="GOOD.B1", till="T", device="D", seq=1, last_seq=1),
        SALE_SHARES: ShareOpened(facility="GOOD", festival="GOOD", booth="GOOD.B1"),
        ENTRY_COMMANDS: SetTerm(entry="category/good", name="Good"),
        REFERENCES: EntryAsked(entry="category/good", asker="product/GUD", command="g"),
        CATALOGUE: TermSet(entry="category/good", revision=9, name="Good", changed_at=today, command="g"),
        FACILITY_CATALOGUE: facility_listed("LP-GUD"),
        RELEASED: ReportReleased(facility="LP-GUD", report="g", product="KTI", made_on=today.date()),
        IDENTITY_COMMANDS: OpenAccount(subject="s-gggggggggggggggg", credential="g"),
        IDENTITY: AccountClosed(subject="s-gggggggggggggggg", reason="", closed_at=today),
        IDENTITY_GRANTS: GrantAsked(subject="s-gggggggggggggggg", role=Role.AUDITOR),
        HELD_COMMANDS: ReleaseRecords(place="LP-GUD", device=f"d-{'g' * 52}"),
        HELD_REPORTS: a_held_record("LP-GUD", TERMINAL),
        HELD_SALES: a_held_record("GOOD.B1", TILL),
        FESTIVAL: FestivalCancelled(festival="GOOD", reason="rain"),
        ANSWERS: ReportAccepted(facility="LP-GUD", terminal="T", report="g", lot="G"),
        SALES: DeviceHeard(booth="GOOD.B1", till="T", device="D"),
        SETTLEMENTS: SettlementPostponed(facility="LP-GUD", festival="GOOD", booth="GOOD.B1"),
        PUBLIC_SALES: SalePublished(
            sale="g/1",
            facility="LP-GUD",
            festival="GOOD",
            product="KTI",
            revision=1,
            sequence=1,
            lots=(),
            qty=0,
            amount_rupiah=0,
            sold_at=today,
        ),
    }
    for service, _, topic in READ:
        body = good.get(topic) or DeadlineReached(key="GOOD", deadline="g", due=today)
        id = f"good-{topic.name}"
        await probe.send(topic, body, id=id)
        worked = partial(mongo.database(service)["ledger"].count_documents, {"_id": f"probe {id}"})
        await eventually(worked, equals=1)


def a_held_record(place: str, topic: Topic) -> RecordHeld:
    return RecordHeld(
        place=place,
        device=f"d-{'g' * 52}",
        record="g",
        topic=topic.name,
        type="karya.Good.v1",
        source=f"device/{place}/T",
        digest="0" * 64,
        held_at=datetime.now(UTC),
    )


def a_balance() -> StockChanged:
    return StockChanged(
        lot="GOOD",
        revision=1,
        facility="PR-KPG",
        product="KTI",
        category="tenun",
        made_on=date(2026, 4, 1),
        best_before=None,
        recalled=False,
        recorded=0,
        corrected=0,
        on_hand=0,
        reserved=0,
        dispatched=0,
        returned=0,
        written_off=0,
    )
