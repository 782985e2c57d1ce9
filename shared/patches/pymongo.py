"""PyMongo 4 on Python before 3.12.

PyMongo waits for a connection or a server in a Condition under a lock. `asyncio.wait_for` of older Pythons waits in a
separate task. A cancellation at the moment of the timeout leaves this task behind. The task takes the lock and never
releases it, and every later call hangs. `wait_for` is correct from Python 3.12 on:
https://github.com/python/cpython/issues/86296. Its effect on PyMongo is not reported yet.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

from shared.patches import check_version

check_version("pymongo", "4.")

NEEDED = sys.version_info < (3, 12)

T = TypeVar("T")


async def _wait_for(awaitable: Awaitable[T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await awaitable


def hold_no_lock_after_cancellation() -> None:
    """Let all clients of this process wait in the calling task."""
    if NEEDED:
        vars(pymongo.lock)["wait_for"] = _wait_for
