"""Every topic of Karya, its writer, and the creation and repair of topics on a cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from deploy.altering import alter
from services.festival.handlers import PROCESSORS as FESTIVAL
from services.gateway.handlers import PROCESSORS as GATEWAY
from services.identity.handlers import PROCESSORS as IDENTITY
from services.inventory.handlers import PROCESSORS as INVENTORY
from services.production.handlers import PROCESSORS as PRODUCTION
from services.sales.handlers import PROCESSORS as SALES
from shared.errors import TopicsRefused
from shared.events import catalogue, festival, gateway, identity, inventory, operator, production, sales
from shared.events.journal import journal
from shared.events.language import Topic
from shared.kafka import reader, stop_reader, topic_name
from shared.kafka_connection import administrator
from shared.runtime.processor import Processor
from shared.settings import Settings
from shared.topics import DLQ, TIME, TopicFault, configs, faults_of, wanted

SERVICES: dict[str, tuple[Processor, ...]] = {
    "production": PRODUCTION,
    "inventory": INVENTORY,
    "festival": FESTIVAL,
    "sales": SALES,
    "identity": IDENTITY,
    "gateway": GATEWAY,
}

# The topics that each service writes. Terminals, staff, organisers, tills, administrators and operators write all
# others.
WRITTEN: dict[str, tuple[Topic, ...]] = {
    "production": (
        production.PRODUCTION,
        production.ANSWERS,
        production.RELEASED,
        catalogue.CATALOGUE,
        catalogue.REFERENCES,
        catalogue.FACILITY_CATALOGUE,
    ),
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
    "identity": (identity.IDENTITY, identity.IDENTITY_GRANTS),
    "gateway": (gateway.HELD_REPORTS, gateway.HELD_SALES),
}

# The topics to which a service passes on records of other senders, unchanged.
_PASSED_ON: dict[str, tuple[Topic, ...]] = {"gateway": (production.TERMINAL, sales.TILL)}

# The topics of people and devices to which each service appends what comes over HTTP.
TAKEN_OVER_HTTP: dict[str, tuple[Topic, ...]] = {
    "production": (catalogue.ENTRY_COMMANDS,),
    "festival": (festival.ORGANISER,),
    "identity": (identity.IDENTITY_COMMANDS,),
    "gateway": (production.TERMINAL, sales.TILL, gateway.HELD_COMMANDS),
}

# The topics from which roles and devices follow: a client that writes one of them can give itself any right.
OF_RIGHTS: frozenset[Topic] = frozenset(
    {*WRITTEN["identity"], *(topic for processor in IDENTITY for topic in processor.topics)}
)


@dataclass(frozen=True, slots=True)
class TopicChanges:
    """Result of `reconcile_topics`: the full names of created topics, the altered settings, and a sentence with
    advice for each refused change."""

    made: Sequence[str] = ()
    altered: Sequence[TopicFault] = ()
    refused: Sequence[str] = ()


def all_topics() -> list[Topic]:
    """Every topic that carries events: the published language and the services' journals."""
    modules = (production, catalogue, inventory, festival, sales, identity, gateway, operator)
    language = {
        topic.name: topic for module in modules for topic in vars(module).values() if isinstance(topic, Topic)
    }
    journals = [journal(service) for service in SERVICES]
    return [*language.values(), *journals]


def read_topics() -> set[str]:
    """The names of the topics that a service reads. Each of them has a DLQ."""
    return {topic.name for processors in SERVICES.values() for processor in processors for topic in processor.topics}


def writers() -> dict[str, str]:
    """The owning service of each topic that only one service writes, by the topic's name."""
    owned = {topic.name: service for service, topics in WRITTEN.items() for topic in topics}
    return owned | {journal(service).name: service for service in SERVICES}


def passed_on(service: str) -> set[str]:
    """The names of the topics to which the service passes on records of other senders."""
    return {topic.name for topic in _PASSED_ON.get(service, ())}


async def make_topics(settings: Settings) -> TopicChanges:
    """`reconcile_topics` that raises TopicsRefused when a change was refused."""
    changes = await reconcile_topics(settings)
    if changes.refused:
        raise TopicsRefused("\n".join(changes.refused))
    return changes


async def reconcile_topics(settings: Settings) -> TopicChanges:
    """Create missing topics, and alter wrong settings of existing ones as far as that is safe.

    A topic with a wrong number of partitions is refused, and then no topic is created: a key would lie in different
    partitions of two topics. Raises KafkaError when the broker refuses.
    """
    names = [topic_name(settings, name) for name in topic_names()]
    admin = administrator(settings)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        old = [name for name in names if name in existing]
        counts = {topic["topic"]: len(topic["partitions"]) for topic in await _described(admin, old)}
        differing = faults_of(await configs(admin, old))
        # Kafka sets the time when it appends a record: a change does not affect existing records.
        nonempty = await _nonempty(settings, counts, {change.topic for change in differing if change.setting == TIME})
        altered = [change for change in differing if change.setting != TIME or change.topic not in nonempty]
        if altered:
            await alter(admin, altered)
        refused = [
            *_unequal(settings, counts),
            *_late(settings, [change for change in differing if change not in altered]),
        ]
        missing = [name for name in names if name not in existing]
        if any(count != settings.partitions for count in counts.values()):
            missing = []
        await _make(admin, settings, missing)
        return TopicChanges(missing, altered, refused)
    finally:
        await admin.close()


def topic_names() -> list[str]:
    """The names of all topics, including dead letter topics, without prefix."""
    return [*(topic.name for topic in all_topics()), *(f"{name}{DLQ}" for name in sorted(read_topics()))]


async def _described(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    # Kafka answers a request for no topic with all topics.
    return await admin.describe_topics(list(names)) if names else ()


async def _nonempty(settings: Settings, counts: Mapping[str, int], names: Iterable[str]) -> set[str]:
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
    for count, group in groupby(by_count, key=itemgetter(0)):
        yield (
            f"{', '.join(name for _, name in group)}: {count} partitions, but KARYA_PARTITIONS is "
            f"{settings.partitions}. Another number moves keys to other partitions. Set KARYA_PARTITIONS={count} "
            "if all topics have this number; else delete the empty topics and run `karya topics` again: "
            f"kafka-topics --bootstrap-server {settings.kafka} --delete --topic NAME"
        )


def _late(settings: Settings, refused: Iterable[TopicFault]) -> Iterable[str]:
    for change in refused:
        yield (
            f"{change.topic} has {change.setting}={change.found}, and its records have timestamps of their senders' "
            "clocks, which the rules would trust. If they are not needed, delete the topic and run `karya topics` "
            f"again. If they are good as they are: kafka-configs --bootstrap-server {settings.kafka} --alter "
            f"--entity-type topics --entity-name {change.topic} --add-config {change.setting}={change.wanted}"
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
