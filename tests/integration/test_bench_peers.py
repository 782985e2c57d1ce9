"""Peers of the catch-up that publish: byte for byte what inventory's own rules say of the same events."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from deploy.stack import Stack
from lab.bench import backlog
from lab.bench.catchup import OURS, STREAMS_VIEW, Contestant, keep_lots, run_contestant
from lab.bench.core import Pass
from lab.bench.environment import BenchEnvironment
from lab.bench.peers import kafka_streams
from services.inventory.domain import Lot
from services.inventory.handlers import LOT
from services.inventory.store import LOTS
from shared.events.inventory import INVENTORY, RESERVATIONS
from shared.events.production import LOT_ANSWERS
from shared.kafka import partition_for_bytes, reader, stop_reader, topic_name
from shared.mongo import Mongo
from shared.runtime.arrival import ARRIVED
from shared.runtime.state import Key
from shared.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]

EVENTS, KNOWN_LOTS = 2_000, 100
OUTPUTS = (INVENTORY.name, RESERVATIONS.name, LOT_ANSWERS.name)
needs_java = pytest.mark.skipif(bool(kafka_streams.lacks()), reason=f"Kafka Streams: {kafka_streams.lacks()}")


@pytest.mark.parametrize(
    "contestant",
    [OURS, pytest.param(STREAMS_VIEW, marks=needs_java)],
    ids=lambda contestant: contestant.name,
)
async def test_a_contestant_publishes_and_keeps_what_inventory_says(
    contestant: Contestant, stack: Stack, tmp_path: Path
) -> None:
    env = BenchEnvironment(tmp_path, lambda: stack)
    async with env.namespace() as settings:
        ends = await backlog.publish(settings, backlog.events(EVENTS, KNOWN_LOTS))
        await keep_lots(settings, contestant.group, KNOWN_LOTS)
        result = await run_contestant(env, settings, contestant, ends)
        assert result.events == EVENTS
        assert result.cpu_seconds > 0
        inputs = await everything(settings, sorted({part.topic for part in ends}))
        outputs = await everything(settings, [topic_name(settings, name) for name in OUTPUTS])
        lots = await kept_lots(settings, contestant.group)
    rules = worked_by_rules(settings, inputs, outputs)
    expected = [
        (settings.topic_prefix + record.topic, record.key, record.value, tuple(record.headers))
        for record in rules.published
        if record.topic in OUTPUTS
    ]
    assert sorted((record.topic, record.key, record.value, record.headers) for record in outputs) == sorted(expected)
    assert all(record.partition == partition_for_bytes(record.key, settings.partitions) for record in outputs)
    assert lots == {key[1]: LOTS.to_document(lot) for key, lot in rules.entities.items()}


def worked_by_rules(settings: Settings, inputs: Sequence[ConsumerRecord], outputs: Sequence[ConsumerRecord]) -> Pass:
    """The events as inventory's rules work them, each lot's in the order of its balances: two topics have no common
    order. Each event of the backlog changes its lot, so each is the cause of one balance."""
    by_id = {dict(record.headers)["ce_id"]: record for record in inputs}
    balances = [record for record in outputs if record.topic == topic_name(settings, INVENTORY.name)]
    ordered = [by_id[dict(record.headers)["causationid"]] for record in balances]
    assert len(ordered) == len({id(record) for record in ordered}) == len(inputs)
    lots: dict[Key, Any] = {(Lot, lot.id): lot for lot in backlog.known_lots(KNOWN_LOTS)}
    rules = Pass(LOT, lots)
    for record in ordered:
        record.topic = record.topic.removeprefix(settings.topic_prefix)
    rules.work(ordered)
    return rules


async def everything(settings: Settings, topics: Sequence[str]) -> list[ConsumerRecord]:
    """All committed records of these topics, each partition in its order."""
    client = reader(settings)
    await client.start()
    try:
        parts = [TopicPartition(topic, partition) for topic in topics for partition in range(settings.partitions)]
        client.assign(parts)
        ends = await client.end_offsets(parts)
        records: list[ConsumerRecord] = []
        while any([await client.position(part) < end for part, end in ends.items()]):
            for fetched in (await client.getmany(timeout_ms=100)).values():
                records += fetched
        return records
    finally:
        await stop_reader(client)


async def kept_lots(settings: Settings, group: str) -> dict[str, dict[str, Any]]:
    mongo = Mongo(settings)
    try:
        documents = await mongo.database(group)[LOTS.name].find().to_list(None)
    finally:
        await mongo.close()
    return {
        document["_id"]: {name: value for name, value in document.items() if name not in ("_id", ARRIVED)}
        for document in documents
    }
