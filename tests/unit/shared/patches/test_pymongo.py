"""PyMongo's waits under a lock, as this project has them: whoever is cancelled gives the lock back."""

import asyncio
import random

import pymongo.lock as waits
import pytest

import shared.mongo
from shared.patches.pymongo import NEEDED

assert shared.mongo, "it is the one that makes them sound"

ROUNDS = 60
ROUNDS_AT_MOST = 1_000
WAITERS = 8


async def is_acquirable(lock: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(1):
            return await lock.acquire()
    except TimeoutError:
        return False


async def is_free(seed: int) -> bool:
    """Whether all who waited under the lock have ended as cancelled, and it can be had."""
    rng = random.Random(seed)
    lock = waits._async_create_lock()
    condition = waits._async_create_condition(lock)  # type: ignore[no-untyped-call]

    async def wait() -> None:
        async with lock:
            while True:
                await waits._async_cond_wait(condition, 0.001)

    waiting = [asyncio.create_task(wait()) for _ in range(WAITERS)]
    for task in waiting:
        await asyncio.sleep(rng.random() * 0.003)
        task.cancel()
    _, hanging = await asyncio.wait(waiting, timeout=1)
    sound = not hanging and all(task.cancelled() for task in waiting) and await is_acquirable(lock)
    while hanging:
        if lock.locked():
            lock.release()
        _, hanging = await asyncio.wait(hanging, timeout=0.01)
    await asyncio.gather(*waiting, return_exceptions=True)
    return sound


async def test_a_lock_is_free_again_when_all_who_waited_under_it_were_cancelled() -> None:
    for seed in range(ROUNDS):
        assert await is_free(seed)


@pytest.mark.skipif(not NEEDED, reason="mended in Python 3.12")
async def test_pymongo_alone_still_loses_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "wait_for", asyncio.wait_for)
    for seed in range(ROUNDS_AT_MOST):
        if not await is_free(seed):
            return
    pytest.fail("the patch is needed no more")
