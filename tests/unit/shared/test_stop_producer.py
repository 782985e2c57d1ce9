"""A producer that is thrown away does not take its owner with it."""

from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from shared.kafka import stop_producer


class Failing:
    """A producer whose end fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def stop(self) -> None:
        raise self._error


@pytest.mark.parametrize("error", [KafkaConnectionError(), TimeoutError(), KeyError("a batch")])
async def test_a_producer_whose_end_fails_is_let_go(error: Exception) -> None:
    await stop_producer(cast("AIOKafkaProducer", Failing(error)))


async def test_a_bug_is_loud() -> None:
    with pytest.raises(AttributeError):
        await stop_producer(cast("AIOKafkaProducer", Failing(AttributeError())))
