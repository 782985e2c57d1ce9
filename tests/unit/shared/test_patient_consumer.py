"""How long a consumer is silent, by which a service knows that it must be replaced."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.kafka import PatientConsumer

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaConsumer")


@pytest.fixture
async def consumer() -> PatientConsumer:
    return PatientConsumer(bootstrap_servers="127.0.0.1:1")


async def test_before_it_was_asked_it_is_not_silent(consumer: PatientConsumer) -> None:
    assert consumer.silence == 0


async def test_while_it_is_asked_it_is_not_silent(consumer: PatientConsumer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", waits)
    asking = asyncio.create_task(consumer.getmany())
    await asyncio.sleep(0.001)
    assert consumer.silence == 0
    asking.cancel()
    await asyncio.wait([asking])
    assert consumer.silence > 0


async def test_refused_again_and_again_it_is_silent_since_its_last_answer(
    consumer: PatientConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any, **__: Any) -> None:
        raise KafkaError("made up for a test")

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", refused)
    before = 0.0
    for _ in range(3):
        with pytest.raises(KafkaError):
            await consumer.getmany()
        await asyncio.sleep(0.001)
        assert consumer.silence > before
        before = consumer.silence
