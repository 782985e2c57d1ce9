"""Records that a service appends for HTTP clients: in their order, with one wait, and counted from the front."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.kafka import partition_for
from shared.runtime import service as runtime
from shared.runtime.service import Appended, Service
from shared.settings import Settings


@dataclass
class Producer:
    """Takes records; `fates` of their positions are faults, and None for an answer that never comes."""

    fates: Mapping[int, Exception | None] = field(default_factory=dict)
    refuses_from: int = 1_000_000
    sent: list[tuple[str, bytes, bytes, int, Any]] = field(default_factory=list)
    stopped: bool = False

    async def partitions_for(self, _topic: str) -> set[int]:
        return {0, 1, 2}

    async def send(
        self, topic: str, value: bytes, key: bytes, partition: int, headers: Any
    ) -> "asyncio.Future[object]":
        position = len(self.sent)
        if position >= self.refuses_from:
            raise KafkaConnectionError
        self.sent.append((topic, value, key, partition, headers))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        fate = self.fates.get(position, "taken")
        if isinstance(fate, Exception):
            future.set_exception(fate)
        elif fate is not None:
            future.set_result(fate)
        return future

    async def stop(self) -> None:
        self.stopped = True


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(runtime, "APPENDED_WITHIN", 0.05)
    service = Service("gateway", (), Settings(topic_prefix="x."))
    yield service
    await service.mongo.close()


RECORDS = [Appended(TERMINAL if n % 3 else TILL, f"K{n % 5}", b"%d" % n, [("ce_id", b"%d" % n)]) for n in range(20)]


async def appended(service: Service, producer: Producer) -> int:
    service._commands = producer
    stored = await service.append_all(RECORDS)
    assert stored.too_large == frozenset()
    return stored.front


async def test_records_go_out_in_their_order_to_the_partitions_of_their_keys(service: Service) -> None:
    producer = Producer()
    assert await appended(service, producer) == len(RECORDS)
    assert producer.sent == [
        (f"x.{topic.name}", value, key.encode(), partition_for(key, 3), headers)
        for topic, key, value, headers in RECORDS
    ]
    assert not producer.stopped
    assert await service.append_all([]) == (0, frozenset())


async def test_a_record_that_no_topic_takes_is_an_answer_and_no_fault(service: Service) -> None:
    large = [("large", b"x" * 1024 * 1024)]
    records = [
        RECORDS[0],
        Appended(TERMINAL, "K", b"x" * 1024 * 1024, []),
        RECORDS[2],
        Appended(TILL, "K", b"", large),
    ]
    service._commands = producer = Producer()
    assert await service.append_all(records) == (4, {1, 3})
    assert [sent[1] for sent in producer.sent] == [b"0", b"2"]
    assert not producer.stopped, "others send by it too"
    service._commands = Producer({1: KafkaConnectionError()})
    assert await service.append_all(records) == (2, {1, 3})


@pytest.mark.parametrize(
    ("producer", "taken"),
    [
        (Producer({7: KafkaConnectionError()}), 7),
        (Producer({0: KafkaConnectionError()}), 0),
        (Producer({19: None}), 19),
        (Producer(dict.fromkeys(range(20))), 0),
        # Behind a hole nothing counts: the sender goes on from the front.
        (Producer({3: None, 9: KafkaConnectionError()}), 3),
        (Producer(refuses_from=12), 12),
        (Producer({2: None}, refuses_from=5), 2),
    ],
    ids=["a fault", "the first", "no answer", "silence", "holes", "no room", "both"],
)
async def test_it_counts_what_was_taken_from_the_front(producer: Producer, taken: int, service: Service) -> None:
    assert await appended(service, producer) == taken
    assert producer.stopped, "it must not send the others later"
    assert service._commands is None
