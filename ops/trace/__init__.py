"""`karya trace`: the history of one lot by the topics, and its present state by the databases. Never its maker."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from aiokafka import ConsumerRecord

from ops.repairs import Mending, Repairs
from ops.trace.actors import Actors
from ops.trace.descriptions import describe
from ops.trace.forwarded import ForwardedSales
from ops.trace.held import HELD, HeldRecords
from ops.trace.plans import LongPlans, as_part, may_be_part
from ops.trace.sold import LotSales
from ops.trace.timeline import TimelineEntry
from ops.verify.log import Ends, TopicLog
from services.inventory.store import LOTS
from services.production.store import FACILITIES
from services.sales.store import BOOTHS
from shared import envelope
from shared.errors import Unusable, WrongEntry
from shared.events import lot_number
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    ORGANISER,
    AllocationPlanned,
    AllocationRevised,
    ShipmentReceived,
    TransferReceived,
)
from shared.events.inventory import RESERVATIONS, STOCK_ORDERS
from shared.events.language import Body, Event, Topic
from shared.events.operator import OPERATOR, LetterMended, LetterReplayed
from shared.events.production import (
    ANSWERS,
    LOT_ANSWERS,
    PRODUCTION,
    TERMINAL,
    LiftRecall,
    LotRecorded,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    WithdrawReport,
)
from shared.events.sales import SALE_SHARES, SALES, SALES_DEADLINES, TILL
from shared.kafka import partition_for
from shared.mongo import Mongo
from shared.settings import Settings
from shared.wording import Message

# The balance of a lot in inventory.
BALANCE_COLUMNS = ["recorded", "corrected", "on_hand", "reserved", "dispatched", "returned", "written_off"]
_BY_LOT = (PRODUCTION, STOCK_ORDERS)
_BY_FACILITY = (TERMINAL, ANSWERS, LOT_ANSWERS, SALE_SHARES)
_BY_CONTENT = (FESTIVAL, RESERVATIONS, BOOTH_STOCK, SALES)
_SOLD = (SALES, SALE_SHARES)


@dataclass(frozen=True, slots=True)
class LotHistory:
    """A lot's history, oldest entry first. `now`: inventory's balance in pieces; `booths`: the lot at each booth.
    `withdrawn`: its report was withdrawn."""

    lot: str
    facility: str
    product: str
    zone: tzinfo
    entries: tuple[TimelineEntry, ...]
    now: dict[str, int] = field(default_factory=dict)
    recalled: bool = False
    withdrawn: bool = False
    booths: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "lot": self.lot,
            "facility": self.facility,
            "product": self.product,
            "zone": str(self.zone),
            "recalled": self.recalled,
            "withdrawn": self.withdrawn,
            "now": self.now,
            "booths": list(self.booths),
            "timeline": [
                {
                    "at": envelope.rfc3339(entry.at),
                    "local": entry.at.astimezone(self.zone).isoformat(timespec="seconds"),
                    "kind": entry.kind,
                    "text": entry.text,
                    "who": entry.who,
                    "actor": entry.actor,
                    "record": entry.where,
                }
                for entry in self.entries
            ],
        }


async def trace(settings: Settings, typed: str, *, every_sale: bool = False) -> LotHistory:
    """The history of the lot with the typed number. Sales are summed by booth and hour, unless `every_sale`.

    Raises WrongEntry for an invalid or unknown lot number; KafkaError, PyMongoError or NotReached when Kafka or
    MongoDB does not answer.
    """
    number = lot_number.parse(typed)
    if number is None:
        raise WrongEntry(
            Message(
                "{text} is no lot number: its check character does not fit. Please compare it with the label.",
                text=typed,
            )
        )
    zone = await _zone_of(settings, number.facility)
    history = LotHistory(str(number), number.facility, number.product, zone, ())
    topics = (*_BY_LOT, *_BY_FACILITY, *_BY_CONTENT)
    repairs, actors, causes, plans = Repairs(), Actors(), set[str](), LongPlans()
    sales, forwarded = LotSales(history.lot, history.facility, history.product), ForwardedSales()
    held = HeldRecords()
    others = (ORGANISER.name, OPERATOR.name, SALES_DEADLINES.name, TILL.name, *HELD)
    async with TopicLog(settings, [*(topic.name for topic in topics), *others]) as log:
        ends = await log.ends()
        async for _, page in log.read(log.of(ends, OPERATOR.name)):
            repairs.add(page)
        async for _, page in log.read(log.of(ends, ORGANISER.name)):
            actors.add(page)
        async for name, page in log.read(log.of(ends, *HELD)):
            held.add(HELD[name], page)
        records = await _events(
            log,
            _ends_to_read(log, ends, history),
            {topic.name: topic for topic in topics},
            history,
            sales,
            causes,
            plans,
        )
        async for _, page in log.read(log.of(ends, SALES_DEADLINES.name)):
            for record in page:
                forwarded.add(SALES_DEADLINES, record)
        forwarded.select(sales.receipts)
        async for _, page in log.read(_ends_of(log, ends, TILL, forwarded.booths)):
            causes.update(forwarded.find_originals(page))
    if not any(isinstance(event.body, LotRecorded) for event, _ in records):
        raise WrongEntry(
            Message("No lot {lot} was ever recorded. Please compare the number with the label.", lot=str(number))
        )
    actors.add(record for _, record in records)
    entries = [
        replace(entry, actor=actors.of(record))
        for event, record in records
        for entry in _entries(event, record, history.lot)
    ]
    event_ids = causes | {event.id for event, _ in records}
    for mending in repairs.mended.values():
        if mending.body.mended in event_ids:
            entries += _repair(mending)
    entries += [entry for _, record in records for entry in _replays(repairs, settings, record)]
    entries += held.entries(event_ids)
    entries += [*plans.missing(), *sales.entries(zone, every_sale=every_sale), *forwarded.entries()]
    history = replace(history, entries=tuple(sorted(entries, key=lambda entry: entry.at)))
    return await _with_state(settings, history)


def _ends_to_read(log: TopicLog, ends: Ends, history: LotHistory) -> Ends:
    """The partitions to read: of a topic that is keyed by the lot or its facility only the partition of the key."""
    selected: dict[Any, int] = {}
    for topics, key in ((_BY_LOT, history.lot), (_BY_FACILITY, history.facility)):
        for topic in topics:
            selected |= _ends_of(log, ends, topic, {key})
    return selected | dict(log.of(ends, *(topic.name for topic in _BY_CONTENT)))


def _ends_of(log: TopicLog, ends: Ends, topic: Topic, keys: set[str]) -> dict[Any, int]:
    """The partitions of the topic in which records with these keys lie."""
    parts = log.of(ends, topic.name)
    numbers = {partition_for(key, len(parts)) for key in keys} if parts else set()
    return {part: end for part, end in parts.items() if part.partition in numbers}


async def _events(
    log: TopicLog,
    ends: Ends,
    topics: dict[str, Topic],
    history: LotHistory,
    sales: LotSales,
    causes: set[str],
    plans: LongPlans,
) -> list[tuple[Event, ConsumerRecord]]:
    """Every event that names the lot, each once, and the report that created the lot, in the order of Kafka's
    timestamps.

    Events about its sales are added to `sales`, and the ids of what caused them to `causes`. Parts of long plans are
    added to `plans`, as the lot may stand in a part that is missing.
    """
    naming: dict[tuple[str, str], tuple[Event, ConsumerRecord]] = {}
    reports: dict[str, tuple[Event, ConsumerRecord]] = {}
    async for name, records in log.read(ends):
        for record in records:
            topic = topics[name]
            sold = topic in _SOLD
            if not (sales.may_concern(topic, record.value or b"") if sold else _may_name(record, topic, history)):
                continue
            try:
                event = envelope.decode(topic, record)
            except Unusable:
                continue  # an unreadable record names no lot
            plans.add(event, _position(record))
            if sold:
                sales.add(event)
                causes.add(envelope.header(record.headers, "causationid") or "")
            elif isinstance(event.body, ProductionReported):
                reports.setdefault(event.known_as, (event, record))
            elif history.lot in _lots_of(event.body):
                naming.setdefault((event.source, event.id), (event, record))
    accepted = {event.body.report for event, _ in naming.values() if isinstance(event.body, ReportAccepted)}
    events = [*naming.values(), *(reports[report] for report in accepted & reports.keys())]
    return sorted(events, key=lambda pair: (pair[0].logged_at, pair[1].topic, pair[1].offset))


def _may_name(record: ConsumerRecord, topic: Topic, history: LotHistory) -> bool:
    """Whether the record may name the lot, so that it must be decoded."""
    if topic is TERMINAL:
        # A report has no lot number yet, and a typed lot number may be spelled differently.
        return bool(record.key == history.facility.encode())
    return history.lot.encode() in (record.value or b"") or (topic is FESTIVAL and may_be_part(record))


def _lots_of(body: Body) -> set[str]:
    if isinstance(body, AllocationPlanned):
        return {line.lot for line in body.lines}
    if isinstance(body, AllocationRevised):
        return {line.lot for line in body.back}
    if isinstance(body, ShipmentReceived | TransferReceived):
        return {item.lot for item in body.lots} | {item.lot for item in body.discrepancies}
    lot: str | None = getattr(body, "lot", None)
    if lot is not None and isinstance(body, ProductionCorrected | RecallLot | LiftRecall | WithdrawReport):
        # Typed by a person, perhaps in lower case or with spaces.
        lot = str(lot_number.parse(lot))
    return {lot} if lot is not None else set()


def _entries(event: Event, record: ConsumerRecord, lot: str) -> Iterator[TimelineEntry]:
    who = getattr(event.body, "terminal", None) or event.source.removeprefix("karya/")
    for text in describe(event.body, lot):
        yield TimelineEntry(event.time, type(event.body).__name__, as_part(event.body, text), who, _position(record))


def _position(record: ConsumerRecord) -> str:
    return f"{record.topic} {record.partition}/{record.offset}"


async def _zone_of(settings: Settings, facility: str) -> tzinfo:
    """The facility's zone in the catalogue; UTC for a facility that production does not know."""
    mongo = Mongo(settings)
    try:
        document = await mongo.database("production")[FACILITIES.name].find_one({"_id": facility})
    finally:
        await mongo.close()
    return ZoneInfo(FACILITIES.from_document(document).zone) if document is not None else UTC


def _repair(mending: Mending) -> Iterator[TimelineEntry]:
    """The unusable record that a mended copy stands for, and its mending."""
    body = mending.body
    topic, partition, offset = body.original.rsplit("/", 2)
    place = f"{topic} {partition}/{offset}"
    yield TimelineEntry(
        body.arrived_at, "Unusable", Message("a record could not be used: {reason}", reason=body.reason), "", place
    )
    changes = Message(", {fields} changed", fields=", ".join(body.fields)) if body.fields else ""
    note = f": {body.note}" if body.note else ""
    yield TimelineEntry(
        mending.at,
        LetterMended.__name__,
        Message("that record was mended{changed}{note}", changed=changes, note=note),
        body.actor,
        place,
    )


def _replays(repairs: Repairs, settings: Settings, record: ConsumerRecord) -> Iterator[TimelineEntry]:
    """The replays of the record's dead letter."""
    topic = record.topic.removeprefix(settings.topic_prefix)
    for replay in repairs.replays(topic, record.partition, record.offset):
        text = Message("its dead letter was sent back to the topic")
        yield TimelineEntry(replay.at, LetterReplayed.__name__, text, replay.body.actor, _position(record))


async def _with_state(settings: Settings, history: LotHistory) -> LotHistory:
    """The history with the present state of the lot in inventory and at booths."""
    mongo = Mongo(settings)
    try:
        stored = await mongo.database("inventory")[LOTS.name].find_one({"_id": history.lot})
        selling = await mongo.database("sales")[BOOTHS.name].find({"lots.lot": history.lot}).to_list(None)
    finally:
        await mongo.close()
    lot = LOTS.from_document(stored) if stored is not None else None
    booths = [BOOTHS.from_document(document) for document in selling]
    holdings = [(booth, holding) for booth in booths if (holding := booth.find_lot(history.lot)) is not None]
    return replace(
        history,
        now={name: getattr(lot, name) for name in BALANCE_COLUMNS} if lot is not None else {},
        recalled=lot is not None and lot.recalled,
        withdrawn=lot is not None and lot.withdrawn,
        booths=tuple(
            {
                "booth": booth.id,
                "stocked": holding.stocked,
                "sold": holding.sold,
                "unlabelled": holding.pool_qty,
                "lost": holding.lost,
                "unsold": holding.unsold,
                "sold_rupiah": holding.sold_rupiah,
                "withdrawn": holding.withdrawn is not None,
            }
            for booth, holding in sorted(holdings, key=lambda pair: pair[0].id)
        ),
    )
