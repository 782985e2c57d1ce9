"""`karya trace`: the life of one lot, as the topics tell it and as the databases have it now. Never who made it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any

from aiokafka import ConsumerRecord

from ops.trace.sold import Sales
from ops.trace.timeline import Entry
from ops.trace.words import told
from ops.verify.log import Ends, Log
from services.inventory.store import LOTS
from services.production import reference
from services.sales.store import BOOTHS
from shared import envelope
from shared.errors import Unusable, WrongEntry
from shared.events import lot_number
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    AllocationPlanned,
    AllocationRevised,
    ShipmentReceived,
    TransferReceived,
)
from shared.events.inventory import RESERVATIONS, STOCK_ORDERS
from shared.events.language import Body, Event, Topic
from shared.events.production import (
    ANSWERS,
    LOT_ANSWERS,
    PRODUCTION,
    TERMINAL,
    LotRecorded,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
)
from shared.events.sales import SALE_SHARES, SALES
from shared.kafka import partition_for
from shared.mongo import Mongo
from shared.settings import Settings

_BY_LOT = (PRODUCTION, STOCK_ORDERS)
_BY_FACILITY = (TERMINAL, ANSWERS, LOT_ANSWERS, SALE_SHARES)
_BY_CONTENT = (FESTIVAL, RESERVATIONS, BOOTH_STOCK, SALES)
_SOLD = (SALES, SALE_SHARES)


@dataclass(frozen=True, slots=True)
class Life:
    """A lot's life, oldest first. `now` holds pieces: inventory's balance, and what each booth has of it."""

    lot: str
    facility: str
    product: str
    zone: tzinfo
    entries: tuple[Entry, ...]
    now: dict[str, int] = field(default_factory=dict)
    recalled: bool = False
    booths: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "lot": self.lot,
            "facility": self.facility,
            "product": self.product,
            "zone": str(self.zone),
            "recalled": self.recalled,
            "now": self.now,
            "booths": list(self.booths),
            "timeline": [
                {
                    "at": envelope.rfc3339(entry.at),
                    "local": entry.at.astimezone(self.zone).isoformat(timespec="seconds"),
                    "kind": entry.kind,
                    "text": entry.text,
                    "who": entry.who,
                    "record": entry.where,
                }
                for entry in self.entries
            ],
        }


async def trace(settings: Settings, typed: str, *, every_sale: bool = False) -> Life:
    """The life of the lot whose number was typed; single sales only if asked for, else summed by booth and hour.

    Raises WrongEntry for what is no lot number or was never recorded, a client's own error (KafkaError,
    PyMongoError) or NotReached when Kafka or MongoDB does not answer.
    """
    number = lot_number.parse(typed)
    if number is None:
        raise WrongEntry(
            f"{typed} is no lot number: its check character does not fit. Please compare it with the label."
        )
    facility = reference.load().catalogue.facilities.get(number.facility)
    zone: tzinfo = facility.zone if facility is not None else UTC
    life = Life(str(number), number.facility, number.product, zone, ())
    topics = (*_BY_LOT, *_BY_FACILITY, *_BY_CONTENT)
    sales = Sales(life.lot, life.facility, life.product)
    async with Log(settings, [topic.name for topic in topics]) as log:
        ends = await log.ends()
        heard = await _heard(log, _wanted(log, ends, life), {topic.name: topic for topic in topics}, life, sales)
    if not any(isinstance(event.body, LotRecorded) for event, _ in heard):
        raise WrongEntry(f"No lot {number} was ever recorded. Please compare the number with the label.")
    entries = [entry for event, record in heard for entry in _entries(event, record, life.lot)]
    entries += sales.entries(zone, every_sale=every_sale)
    life = replace(life, entries=tuple(sorted(entries, key=lambda entry: entry.at)))
    return await _now(settings, life)


def _wanted(log: Log, ends: Ends, life: Life) -> Ends:
    """Of a topic keyed by what we know (the lot, its facility) only the partition that the key lies in."""
    keys = {topic.name: life.lot for topic in _BY_LOT} | {topic.name: life.facility for topic in _BY_FACILITY}
    wanted: dict[Any, int] = {}
    for name, key in keys.items():
        parts = log.of(ends, name)
        if parts:
            lies_in = partition_for(key, len(parts))
            wanted |= {part: end for part, end in parts.items() if part.partition == lies_in}
    return wanted | dict(log.of(ends, *(topic.name for topic in _BY_CONTENT)))


async def _heard(
    log: Log, ends: Ends, topics: dict[str, Topic], life: Life, sales: Sales
) -> list[tuple[Event, ConsumerRecord]]:
    """Every event that names the lot, each once, and the report that it began with; in Kafka's order of time. What
    was sold of it is told to `sales`."""
    named: dict[tuple[str, str], tuple[Event, ConsumerRecord]] = {}
    reports: dict[str, tuple[Event, ConsumerRecord]] = {}
    async for name, records in log.read(ends):
        for record in records:
            topic = topics[name]
            sold = topic in _SOLD
            if not (sales.may_tell(topic, record.value or b"") if sold else _may_name(record, topic, life)):
                continue
            try:
                event = envelope.decode(topic, record)
            except Unusable:
                continue  # a dead letter names nothing for sure
            if sold:
                sales.hear(event)
            elif isinstance(event.body, ProductionReported):
                reports.setdefault(event.id, (event, record))
            elif life.lot in _lots_of(event.body):
                named.setdefault((event.source, event.id), (event, record))
    accepted = {event.body.report for event, _ in named.values() if isinstance(event.body, ReportAccepted)}
    told = [*named.values(), *(reports[report] for report in accepted & reports.keys())]
    return sorted(told, key=lambda one: (one[0].logged_at, one[1].topic, one[1].offset))


def _may_name(record: ConsumerRecord, topic: Topic, life: Life) -> bool:
    """Whether it is worth decoding."""
    if topic is TERMINAL:
        # A report was made before its lot had a number, and a typed number may be written in another way.
        return bool(record.key == life.facility.encode())
    return life.lot.encode() in (record.value or b"")


def _lots_of(body: Body) -> set[str]:
    if isinstance(body, AllocationPlanned):
        return {line.lot for line in body.lines}
    if isinstance(body, AllocationRevised):
        return {line.lot for line in body.back}
    if isinstance(body, ShipmentReceived | TransferReceived):
        return {one.lot for one in body.lots} | {one.lot for one in body.discrepancies}
    named: str | None = getattr(body, "lot", None)
    if named is not None and isinstance(body, ProductionCorrected | RecallLot):
        # Typed by a person: in lower case, say, or with spaces.
        named = str(lot_number.parse(named))
    return {named} if named is not None else set()


def _entries(event: Event, record: ConsumerRecord, lot: str) -> Iterator[Entry]:
    where = f"{record.topic} {record.partition}/{record.offset}"
    who = event.source.removeprefix("karya/")
    for text in told(event.body, lot):
        yield Entry(event.time, type(event.body).__name__, text, getattr(event.body, "terminal", None) or who, where)


async def _now(settings: Settings, life: Life) -> Life:
    """What inventory and the booths have of the lot now."""
    mongo = Mongo(settings)
    try:
        stored = await mongo.database("inventory")[LOTS.name].find_one({"_id": life.lot})
        selling = await mongo.database("sales")[BOOTHS.name].find({"lots.lot": life.lot}).to_list(None)
    finally:
        await mongo.close()
    names = ("recorded", "corrected", "on_hand", "reserved", "dispatched", "returned", "written_off")
    lot = LOTS.from_document(stored) if stored is not None else None
    booths = [BOOTHS.from_document(document) for document in selling]
    held = [(booth, one) for booth in booths if (one := booth.find_lot(life.lot)) is not None]
    return replace(
        life,
        now={name: getattr(lot, name) for name in names} if lot is not None else {},
        recalled=lot is not None and lot.recalled,
        booths=tuple(
            {
                "booth": booth.id,
                "stocked": one.stocked,
                "sold": one.sold,
                "unlabelled": one.pool_qty,
                "lost": one.lost,
                "unsold": one.unsold,
                "sold_rupiah": one.sold_rupiah,
                "withdrawn": one.withdrawn is not None,
            }
            for booth, one in sorted(held, key=lambda pair: pair[0].id)
        ),
    )
