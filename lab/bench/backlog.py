"""A backlog of inventory: lots, and the events of production and festival about them. Made up from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

from aiokafka import AIOKafkaProducer, TopicPartition

from services.inventory.domain import Lot
from services.inventory.store import LOTS
from shared import envelope
from shared.derivation import named_id
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
# Of each hundred events. A new lot causes one event of inventory, each of the others two.
NEW_LOTS, CORRECTIONS, DISPATCHES, RELEASES = 25, 10, 20, 10
EVENTS_PER_KNOWN_LOT = 20
PAGE = 5000
FIRST_KNOWN = 1_000_000_000


@dataclass(frozen=True, slots=True)
class BacklogRecord:
    """A record that is to be published."""

    topic: Topic
    key: str
    value: bytes
    headers: Headers


def known_lots(count: int) -> Iterator[Lot]:
    """Lots that inventory keeps already, so large that no reservation is refused."""
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


async def insert_lots(database: Database, lots: Iterator[Lot]) -> None:
    """Insert lots into inventory's collection. The program that works the backlog creates the indexes."""
    page: list[dict[str, object]] = []
    for lot in lots:
        page.append({"_id": lot.id, **LOTS.to_document(lot)})
        if len(page) == PAGE:
            await database[LOTS.name].insert_many(page)
            page = []
    if page:
        await database[LOTS.name].insert_many(page)


def events(count: int, lots: int, seed: int = 1, every: int = 1, first: int = 0) -> Iterator[BacklogRecord]:
    """`count` events about new lots and about `lots` known ones, each `every`-th of them.

    A reservation comes before its release or dispatch. `first` is the number of the first event: a second backlog
    must not repeat the numbers of the first one.
    """
    rng = Random(seed)
    held: list[ReservationRequested] = []
    for number in range(first, first + count):
        lot = f"L{rng.randrange(lots) * every:07}"
        facility = f"F{int(lot[1:]) % FACILITIES:03}"
        kind = rng.randrange(100)
        body: Body
        if kind < NEW_LOTS:
            body = LotRecorded(
                lot=f"N{number:07}",
                # By the event's number: known lots that are far apart belong to few facilities.
                facility=f"F{number % FACILITIES:03}",
                product=f"P{rng.randrange(PRODUCTS):02}",
                category="kerajinan",
                qty=rng.randint(1, 200),
                made_on=MADE_ON,
            )
        elif kind < NEW_LOTS + CORRECTIONS:
            body = CorrectionRequested(lot=lot, facility=facility, correction=f"k{number}", change=1)
        elif held and kind < NEW_LOTS + CORRECTIONS + DISPATCHES + RELEASES:
            env = rng.randrange(len(held))
            held[env], held[-1] = held[-1], held[env]
            reservation = held.pop()
            if kind < NEW_LOTS + CORRECTIONS + DISPATCHES:
                body = DispatchOrdered(
                    lot=reservation.lot,
                    reservation=reservation.reservation,
                    festival=reservation.festival,
                    shipment=f"S{number}",
                )
            else:
                body = ReleaseRequested(
                    lot=reservation.lot, reservation=reservation.reservation, festival=reservation.festival
                )
        else:
            body = _reservation(lot, number, rng)
            held.append(body)
        yield _record(body, number)


def lot_recordings(count: int) -> Iterator[BacklogRecord]:
    """Production's events about the first `count` known lots."""
    for number, lot in enumerate(known_lots(count)):
        body = LotRecorded(
            lot=lot.id,
            facility=lot.facility,
            product=lot.product,
            category=lot.category,
            qty=lot.recorded,
            made_on=lot.made_on,
        )
        # Event ids are derived from the numbers, so no other event of a bench may have these.
        yield _record(body, FIRST_KNOWN + number)


def _reservation(lot: str, number: int, rng: Random) -> ReservationRequested:
    festival = f"H{rng.randrange(FESTIVALS):02}"
    return ReservationRequested(
        lot=lot,
        reservation=f"R{number}",
        festival=festival,
        booth=f"{festival}-B{rng.randrange(BOOTHS):03}",
        request=f"{festival}-Q{number % 50}",
        qty=rng.randint(1, 20),
    )


def _record(body: Body, number: int) -> BacklogRecord:
    topic = PRODUCTION if type(body) in PRODUCTION.bodies else STOCK_ORDERS
    id = named_id("bench", topic.name, number)
    headers = envelope.headers(
        id=id,
        source="karya/production" if topic is PRODUCTION else "karya/festival",
        topic=topic,
        body=body,
        time=SAID_AT,
        cause=named_id("cause", topic.name, number),
        trace=f"00-{number:032x}-{number:016x}-01",
    )
    return BacklogRecord(topic, topic.key_of(body), envelope.encode(body), headers)


async def publish(settings: Settings, records: Iterator[BacklogRecord]) -> dict[TopicPartition, int]:
    """Publish the records in order. Returns where each partition ends then."""
    ends: dict[TopicPartition, int] = {}
    client = producer(settings)
    await client.start()
    try:
        page: list[BacklogRecord] = []
        for record in records:
            page.append(record)
            if len(page) == PAGE:
                await _send(client, settings, page, ends)
                page = []
        await _send(client, settings, page, ends)
    finally:
        await client.stop()
    return ends


async def _send(
    client: AIOKafkaProducer, settings: Settings, page: Sequence[BacklogRecord], ends: dict[TopicPartition, int]
) -> None:
    futures = [
        await client.send(
            topic_name(settings, record.topic.name),
            record.value,
            record.key.encode(),
            partition_for(record.key, settings.partitions),
            headers=record.headers,
        )
        for record in page
    ]
    for future in futures:
        acknowledged = await future
        part = TopicPartition(acknowledged.topic, acknowledged.partition)
        ends[part] = max(ends.get(part, 0), acknowledged.offset + 1)
