"""Every topic of Karya, and how to make them."""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from services.festival.handlers import FAMILIES as FESTIVAL
from services.inventory.handlers import FAMILIES as INVENTORY
from services.production.handlers import FAMILIES as PRODUCTION
from services.sales.handlers import FAMILIES as SALES
from shared.events import festival, inventory, production, sales
from shared.events.journal import journal
from shared.events.language import Topic
from shared.family import Family
from shared.kafka import DLQ_MAX_BYTES, topic_name
from shared.settings import Settings

SERVICES: dict[str, tuple[Family, ...]] = {
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

# History is the system's memory: nothing expires by itself. LogAppendTime is the clock that `decide` may trust. What
# comes compressed is unpacked by the broker: one batch in snappy, lz4 or zstd, which our client can't read without
# more libraries, would stop every reader for ever.
_KEPT = {
    "retention.ms": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "compression.type": "uncompressed",
}


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
    return {topic.name for families in SERVICES.values() for family in families for topic in family.topics}


def writers() -> dict[str, str]:
    """The service that alone writes a topic, by the topic's name, for every topic that one service owns."""
    owned = {topic.name: service for service, topics in _WRITTEN.items() for topic in topics}
    return owned | {journal(service).name: service for service in SERVICES}


async def make_topics(settings: Settings) -> list[str]:
    """Make those that are missing; returns their full names. Raises KafkaError when the broker says no."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        return await _make(admin, _wanted(settings))
    finally:
        await admin.close()


def _wanted(settings: Settings) -> Iterable[NewTopic]:
    dlq = {**_KEPT, "max.message.bytes": str(DLQ_MAX_BYTES)}
    for topic in all_topics():
        yield _new(settings, topic.name, _KEPT)
    for name in sorted(read_topics()):
        yield _new(settings, f"{name}.dlq", dlq)


def _new(settings: Settings, name: str, configs: dict[str, str]) -> NewTopic:
    return NewTopic(topic_name(settings, name), settings.partitions, settings.replication, topic_configs=configs)


async def _make(admin: AIOKafkaAdminClient, wanted: Iterable[NewTopic]) -> list[str]:
    existing = set(await admin.list_topics())
    missing = [topic for topic in wanted if topic.name not in existing]
    if not missing:
        return []
    answer = await admin.create_topics(missing, timeout_ms=30_000)
    for name, code, *why in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"topic {name}: {why}")
    return [topic.name for topic in missing]
