"""How long a consumer is silent, by which a service knows that it must be replaced; what FastStream alone does."""

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faststream._internal.endpoint.subscriber.usecase import SubscriberUsecase
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.parser import AioKafkaBatchParser
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.patches.faststream import PatientConsumer, decode, has_a_batch, parse

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaConsumer")


@pytest.fixture
async def consumer() -> PatientConsumer:
    return PatientConsumer(bootstrap_servers="127.0.0.1:1")


async def test_before_it_was_asked_it_is_not_silent(consumer: PatientConsumer) -> None:
    assert consumer.silence == 0


async def test_while_it_is_asked_it_is_not_silent(consumer: PatientConsumer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def block(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", block)
    fetch = asyncio.create_task(consumer.getmany())
    await asyncio.sleep(0.001)
    assert consumer.silence == 0
    fetch.cancel()
    await asyncio.wait([fetch])
    assert consumer.silence > 0


async def test_refused_again_and_again_it_is_silent_since_its_last_answer(
    consumer: PatientConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raise_kafka_error(*_: Any, **__: Any) -> None:
        raise KafkaError("made up for a test")

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", raise_kafka_error)
    before = 0.0
    for _ in range(3):
        with pytest.raises(KafkaError):
            await consumer.getmany()
        await asyncio.sleep(0.001)
        assert consumer.silence > before
        before = consumer.silence


async def test_faststream_still_sleeps_after_an_answer_without_records(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def empty_reply(**_: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(anyio, "sleep", sleep)
    subscriber: Any = SimpleNamespace(batch_timeout_ms=200, max_records=1)
    assert await BatchSubscriber.get_msg(subscriber, SimpleNamespace(getmany=empty_reply)) == ()
    assert pauses == [0.2]


def test_faststream_still_takes_no_consumer_of_ones_own() -> None:
    for taking in (KafkaBroker, KafkaBroker.subscriber):
        assert "AIOKafkaConsumer" not in str(inspect.signature(taking))


@pytest.mark.parametrize("header", [None, b"\xff"])
async def test_faststream_still_fails_on_a_header_that_is_no_text(header: bytes | None) -> None:
    record: Any = SimpleNamespace(
        topic="t", partition=0, offset=7, timestamp=0, key=None, value=b"{}", headers=[("x", header)]
    )
    with pytest.raises((AttributeError, UnicodeDecodeError)):
        await AioKafkaBatchParser(KafkaMessage, None).parse_batch((record,))
    message = await parse((record,))
    assert await decode(message) == (record,)


async def test_only_a_private_lock_still_says_whether_a_batch_is_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    subscriber = KafkaBroker().subscriber("t", batch=True)
    monkeypatch.setattr(subscriber, "_build_fastdepends_model", lambda: None)
    monkeypatch.setattr(type(subscriber._outer_config), "logger", SimpleNamespace(log=lambda *_, **__: None))
    await SubscriberUsecase.start(subscriber)
    assert isinstance(subscriber.lock, MultiLock)
    assert not has_a_batch(subscriber)
    with subscriber.lock:
        assert has_a_batch(subscriber)
