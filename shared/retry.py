"""Bounded back-off for passing faults."""

import asyncio
import random
from collections.abc import AsyncIterator

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared.errors import NotRelayed

PASSING = (PyMongoError, KafkaError, NotRelayed, OSError, TimeoutError)


async def attempts(*, within: float | None = None, first: float = 0.02, most: float = 1.0) -> AsyncIterator[int]:
    """Count attempts from 0, with growing waits between them, for `within` seconds or for ever.

    The caller leaves the loop after a success. Waits are jittered, so that instances don't retry in step.
    """
    loop = asyncio.get_running_loop()
    end = None if within is None else loop.time() + within
    pause, attempt = first, 0
    while True:
        yield attempt
        attempt += 1
        wait = pause * (0.5 + random.random() / 2)
        if end is not None and loop.time() + wait > end:
            return
        await asyncio.sleep(wait)
        pause = min(pause * 2, most)
