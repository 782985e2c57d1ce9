"""Every topic of Karya, and how to make them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from deploy.altering import alter
from services.festival.handlers import PROCESSORS as FESTIVAL
from services.inventory.handlers import PROCESSORS as INVENTORY
from services.production.handlers import PROCESSORS as PRODUCTION
from services.sales.handlers import PROCESSORS as SALES
from shared.errors import TopicsRefused
from shared.events import festival, inventory, production, sales
from shared.events.journal import journal
from shared.events.language import Topic
from shared.kafka import reader, stop_reader, topic_name
from shared.runtime.processor import Processor
from shared.settings import Settings
from shared.topics import COMPRESSION, DLQ, TIME, TopicFault, configs, wanted, wrong

SERVICES: dict[str, tuple[Processor, ...]] = {
    "production": PRODUCTION,
    "inventory": INVENTORY,
    "festival": FESTIVAL,
    "sales": SALES,
}

# Terminals, organisers and tills write the topics that are not here.
_WRITTEN: dict[str, tuple[Topic, ...]] = {
    "production": (production.PRODUCTION, production.ANSWERS),
    "inventory": (production.LOT_ANSWERS, inventory.INVENTORY, inventory.RESERVATIONS),
    "festival": (inventory.STOCK_ORDERS, festival.FESTIVAL, festival.BOOTH_STOCK, festival.FESTIVAL_DEADLINES),
    "sales": (
        sales.SALES,
        sales.BOOTH_REPORTS,
        sales.SALE_SHARES,
        sales.SETTLEMENTS,
        sales.DEMAND,
        sales.PUBLIC_SALES,
        sales.SALES_DEADLINES,
    ),
}

# What these say of a record is settled when Kafka takes it in: of those that lie in the topic already it stays so.
_OF_RECORDS = {
    TIME: "keep their senders' clocks, which the rules would trust",
    COMPRESSION: "may be compressed in a way that nobody here can read",
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of putting the topics in order: full names that were made, settings that were altered, and in words
    what was refused, with what can be done."""

    made: Sequence[str] = ()
    altered: Sequence[TopicFault] = ()
    refused: Sequence[str] = ()


def all_topics() -> list[Topic]:
    """Every topic that carries events: the published language and the services' journals."""
    modules = (production, inventory, festival, sales)
    language = {
        topic.name: topic for module in modules for topic in vars(module).values() if isinstance(topic, Topic)
    }
    journals = [journal(service) for service in SERVICES]
    return [*language.values(), *journals]


def read_topics() -> set[str]:
    """Names of the topics that some service reads: each has a DLQ."""
    return {topic.name for processors in SERVICES.values() for processor in processors for topic in processor.topics}


def writers() -> dict[str, str]:
    """The service that alone writes a topic, by the topic's name, for every topic that one service owns."""
    owned = {topic.name: service for service, topics in _WRITTEN.items() for topic in topics}
    return owned | {journal(service).name: service for service in SERVICES}


async def make_topics(settings: Settings) -> Ordered:
    """As `order_topics`. Raises TopicsRefused when something could not be put in order, too."""
    ordered = await order_topics(settings)
    if ordered.refused:
        raise TopicsRefused("\n".join(ordered.refused))
    return ordered


async def order_topics(settings: Settings) -> Ordered:
    """Make the topics that are missing and alter the settings of those that are there, as far as that is safe.

    A topic with another number of partitions is left so, and then none is made: its keys would lie elsewhere.
    Raises KafkaError when the broker says no.
    """
    names = [topic_name(settings, name) for name in _names()]
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        old = [name for name in names if name in there]
        counts = {topic["topic"]: len(topic["partitions"]) for topic in await _described(admin, old)}
        differing = wrong(await configs(admin, old))
        held = await _holding_records(
            settings, counts, {one.topic for one in differing if one.setting in _OF_RECORDS}
        )
        altered = [one for one in differing if one.setting not in _OF_RECORDS or one.topic not in held]
        if altered:
            await alter(admin, altered)
        refused = [
            *_unequal(settings, counts),
            *_late(settings, [one for one in differing if one not in altered]),
        ]
        missing = [name for name in names if name not in there]
        if any(count != settings.partitions for count in counts.values()):
            missing = []
        await _make(admin, settings, missing)
        return Ordered(missing, altered, refused)
    finally:
        await admin.close()


def _names() -> Iterable[str]:
    yield from (topic.name for topic in all_topics())
    yield from (f"{name}{DLQ}" for name in sorted(read_topics()))


async def _described(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    # Asked for none, Kafka describes all.
    return await admin.describe_topics(list(names)) if names else ()


async def _holding_records(settings: Settings, counts: Mapping[str, int], names: Iterable[str]) -> set[str]:
    parts = [TopicPartition(name, p) for name in names for p in range(counts[name])]
    if not parts:
        return set()
    client = reader(settings)
    try:
        await client.start()
        first, end = await client.beginning_offsets(parts), await client.end_offsets(parts)
        return {part.topic for part in parts if first[part] < end[part]}
    finally:
        await stop_reader(client)


def _unequal(settings: Settings, counts: Mapping[str, int]) -> Iterable[str]:
    by_count = sorted((count, name) for name, count in counts.items() if count != settings.partitions)
    for count, of in groupby(by_count, key=lambda one: one[0]):
        yield (
            f"{', '.join(name for _, name in of)}: {count} partitions, and KARYA_PARTITIONS says "
            f"{settings.partitions}. With another number keys lie in other partitions. Set KARYA_PARTITIONS={count} "
            "if all topics have so many; else delete those that hold nothing and run `karya topics` again: "
            f"kafka-topics --bootstrap-server {settings.kafka} --delete --topic NAME"
        )


def _late(settings: Settings, left: Iterable[TopicFault]) -> Iterable[str]:
    for topic, of in groupby(left, key=attrgetter("topic")):
        differing = list(of)
        found = ", ".join(f"{one.setting}={one.found}" for one in differing)
        why = ", and ".join(_OF_RECORDS[one.setting] for one in differing)
        command = ",".join(f"{one.setting}={one.wanted}" for one in differing)
        yield (
            f"{topic} has {found}, and its records {why}. Delete it if they can go, and run `karya topics` again. If "
            f"they are good as they are: kafka-configs --bootstrap-server {settings.kafka} --alter "
            f"--entity-type topics --entity-name {topic} --add-config {command}"
        )


async def _make(admin: AIOKafkaAdminClient, settings: Settings, names: Sequence[str]) -> None:
    if not names:
        return
    new = [
        NewTopic(name, settings.partitions, settings.replication, topic_configs=dict(wanted(name))) for name in names
    ]
    answer = await admin.create_topics(new, timeout_ms=30_000)
    for name, code, *why in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"topic {name}: {why}")
