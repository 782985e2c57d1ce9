"""PyMongo 4 on Python before 3.12.

PyMongo waits for a connection or a server in a Condition under a lock. `asyncio.wait_for` of older Pythons does so in
a task apart: whoever is cancelled just when the time is over leaves that task behind, it takes the lock, and nobody
gives it back. From then on every call hangs, until the process ends. Of `wait_for`, mended in Python 3.12:
https://github.com/python/cpython/issues/86296. Of what PyMongo makes of it: not reported yet.
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


async def _wait_for(work: Awaitable[T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await work


def hold_no_lock_after_cancellation() -> None:
    """From now on all clients of this process wait in one task."""
    if NEEDED:
        vars(pymongo.lock)["wait_for"] = _wait_for
