"""Events that wait for inventory: its lots, and what production and festival say about them. Made up, and the same
for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

from aiokafka import AIOKafkaProducer, TopicPartition

from services.inventory.domain import Lot
from services.inventory.store import LOTS
from shared import envelope
from shared.derivation import derived_id
from shared.envelope import Headers
from shared.events.inventory import STOCK_ORDERS, DispatchOrdered, ReleaseRequested, ReservationRequested
from shared.events.language import Body, Topic
from shared.events.production import PRODUCTION, CorrectionRequested, LotRecorded
from shared.kafka import partition_for, producer, topic_name
from shared.mongo import Database
from shared.settings import Settings

MADE_ON = date(2023, 4, 1)
SAID_AT = datetime(2023, 4, 17, 1, 2, 3, tzinfo=UTC)
FACILITIES, PRODUCTS, FESTIVALS, BOOTHS = 500, 40, 12, 300
# Of each hundred events. A new lot brings one event about, each of the others two.
NEW_LOTS, CORRECTIONS, DISPATCHES, RELEASES = 25, 10, 20, 10
EVENTS_PER_KNOWN_LOT = 20
PAGE = 5000
FIRST_KNOWN = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record before it is in Kafka."""

    topic: Topic
    key: str
    value: bytes
    headers: Headers


def known_lots(count: int) -> Iterator[Lot]:
    """Lots that inventory has had before, so large that nothing is refused."""
    for number in range(count):
        yield Lot(
            id=f"L{number:07}",
            facility=f"F{number % FACILITIES:03}",
            product=f"P{number % PRODUCTS:02}",
            category="kerajinan",
            made_on=MADE_ON,
            best_before=None,
            recorded=100_000,
            on_hand=100_000,
        )


async def keep(database: Database, lots: Iterator[Lot]) -> None:
    """Put lots where inventory keeps them. Whoever works them makes the indexes that it needs."""
    page: list[dict[str, object]] = []
    for lot in lots:
        page.append({"_id": lot.id, **LOTS.to_document(lot)})
        if len(page) == PAGE:
            await database[LOTS.name].insert_many(page)
            page = []
    if page:
        await database[LOTS.name].insert_many(page)


def events(count: int, known: int, seed: int = 1, every: int = 1, first: int = 0) -> Iterator[Waiting]:
    """`count` events about new lots and `known` others: of those that are there each `every`-th. A reservation comes
    before what is done with it. `first` numbers them on after earlier ones, which must not have the same numbers."""
    random = Random(seed)
    held: list[ReservationRequested] = []
    for number in range(first, first + count):
        lot = f"L{random.randrange(known) * every:07}"
        facility = f"F{int(lot[1:]) % FACILITIES:03}"
        kind = random.randrange(100)
        body: Body
        if kind < NEW_LOTS:
            body = LotRecorded(
                lot=f"N{number:07}",
                # Not that of a known lot: those that are far apart have few.
                facility=f"F{number % FACILITIES:03}",
                product=f"P{random.randrange(PRODUCTS):02}",
                category="kerajinan",
                qty=random.randint(1, 200),
                made_on=MADE_ON,
            )
        elif kind < NEW_LOTS + CORRECTIONS:
            body = CorrectionRequested(lot=lot, facility=facility, correction=f"k{number}", change=1)
        elif held and kind < NEW_LOTS + CORRECTIONS + DISPATCHES + RELEASES:
            place = random.randrange(len(held))
            held[place], held[-1] = held[-1], held[place]
            one = held.pop()
            if kind < NEW_LOTS + CORRECTIONS + DISPATCHES:
                body = DispatchOrdered(
                    lot=one.lot, reservation=one.reservation, festival=one.festival, shipment=f"S{number}"
                )
            else:
                body = ReleaseRequested(lot=one.lot, reservation=one.reservation, festival=one.festival)
        else:
            body = _reservation(lot, number, random)
            held.append(body)
        yield _record(body, number)


def recorded(count: int) -> Iterator[Waiting]:
    """What production says of the first `count` known lots."""
    for number, lot in enumerate(known_lots(count)):
        body = LotRecorded(
            lot=lot.id,
            facility=lot.facility,
            product=lot.product,
            category=lot.category,
            qty=lot.recorded,
            made_on=lot.made_on,
        )
        # Numbers that no other event of a bench has, since their ids are made of them.
        yield _record(body, FIRST_KNOWN + number)


def _reservation(lot: str, number: int, random: Random) -> ReservationRequested:
    festival = f"H{random.randrange(FESTIVALS):02}"
    return ReservationRequested(
        lot=lot,
        reservation=f"R{number}",
        festival=festival,
        booth=f"{festival}-B{random.randrange(BOOTHS):03}",
        request=f"{festival}-Q{number % 50}",
        qty=random.randint(1, 20),
    )


def _record(body: Body, number: int) -> Waiting:
    topic = PRODUCTION if type(body) in PRODUCTION.bodies else STOCK_ORDERS
    id = derived_id("bench", topic.name, number)
    headers = envelope.headers(
        id=id,
        source="karya/production" if topic is PRODUCTION else "karya/festival",
        topic=topic,
        body=body,
        time=SAID_AT,
        cause=derived_id("cause", topic.name, number),
        trace=f"00-{number:032x}-{number:016x}-01",
    )
    return Waiting(topic, topic.key_of(body), envelope.encode(body), headers)


async def fill(settings: Settings, waiting: Iterator[Waiting]) -> dict[TopicPartition, int]:
    """Put them into Kafka, in order; where each partition ends then."""
    ends: dict[TopicPartition, int] = {}
    client = producer(settings)
    await client.start()
    try:
        page: list[Waiting] = []
        for one in waiting:
            page.append(one)
            if len(page) == PAGE:
                await _send(client, settings, page, ends)
                page = []
        await _send(client, settings, page, ends)
    finally:
        await client.stop()
    return ends


async def _send(
    client: AIOKafkaProducer, settings: Settings, page: Sequence[Waiting], ends: dict[TopicPartition, int]
) -> None:
    futures = [
        await client.send(
            topic_name(settings, one.topic.name),
            one.value,
            one.key.encode(),
            partition_for(one.key, settings.partitions),
            headers=one.headers,
        )
        for one in page
    ]
    for future in futures:
        acknowledged = await future
        part = TopicPartition(acknowledged.topic, acknowledged.partition)
        ends[part] = max(ends.get(part, 0), acknowledged.offset + 1)
