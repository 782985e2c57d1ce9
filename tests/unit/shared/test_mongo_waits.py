"""PyMongo's waits under a lock, as this project has them: whoever is cancelled gives the lock back."""

import asyncio
import random

import pymongo.lock as waits

import shared.mongo

assert shared.mongo, "it is the one that makes them sound"

ROUNDS = 60
WAITERS = 8


async def test_a_lock_is_free_again_when_all_who_waited_under_it_were_cancelled() -> None:
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        lock = waits._async_create_lock()
        condition = waits._async_create_condition(lock)  # type: ignore[no-untyped-call]

        async def wait() -> None:
            async with lock:  # noqa: B023 - of this round
                while True:
                    await waits._async_cond_wait(condition, 0.001)  # noqa: B023 - of this round

        waiting = [asyncio.create_task(wait()) for _ in range(WAITERS)]
        for task in waiting:
            await asyncio.sleep(rng.random() * 0.003)
            task.cancel()
        await asyncio.wait(waiting)
        assert all(task.cancelled() for task in waiting)
        async with asyncio.timeout(1):
            await lock.acquire()
