"""A client that is thrown away does not take its owner with it."""

import asyncio
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from shared.kafka import stop_producer, stop_reader


class Failing:
    """A client whose end fails."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def stop(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    "error", [KafkaConnectionError(), TimeoutError(), asyncio.CancelledError(), KeyError("a batch")]
)
async def test_a_producer_whose_end_fails_is_let_go(error: BaseException) -> None:
    await stop_producer(cast("AIOKafkaProducer", Failing(error)))


@pytest.mark.parametrize("error", [KafkaConnectionError(), TimeoutError(), asyncio.CancelledError()])
async def test_a_consumer_whose_end_fails_is_let_go(error: BaseException) -> None:
    await stop_reader(cast("AIOKafkaConsumer", Failing(error)))


async def test_a_bug_is_loud() -> None:
    with pytest.raises(AttributeError):
        await stop_producer(cast("AIOKafkaProducer", Failing(AttributeError())))
