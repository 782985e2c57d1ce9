"""A bound on waiting that holds whatever is waited for."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


async def hard_timeout(seconds: float, work: Awaitable[T]) -> T:
    """What the work gives. Raises TimeoutError after so many seconds, ConnectionAbortedError when the work was
    cancelled from within: to the caller that would look as if it had been told to stop itself, and nobody would hear
    of it (aiokafka's consumer, stopped while it asks where to begin, does so:
    https://github.com/aio-libs/aiokafka/issues/647).

    `asyncio.timeout` cancels once and then waits for the end. A client that takes the cancellation for one of its own
    (aiokafka may, when a connection is made or lost at that moment) goes on, and nobody would ever hear of it. Here
    it is cancelled too, and left alone.
    """
    task = asyncio.ensure_future(work)
    place = ""
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            place = await_stack(task)
            task.cancel()
            task.add_done_callback(ignore_result)
    if not task.done():
        raise TimeoutError(f"waited {seconds:g} s for {place}")
    if task.cancelled():
        raise ConnectionAbortedError("the client gave up by itself")
    return task.result()


def await_stack(task: asyncio.Future[T]) -> str:
    """Where a task waits: the line of each coroutine, the innermost first. For whoever looks for what hangs."""
    places: list[str] = []
    waits = task.get_coro() if isinstance(task, asyncio.Task) else None
    while (frame := getattr(waits, "cr_frame", None)) is not None:
        places.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        waits = getattr(waits, "cr_await", None)
    return " < ".join(reversed(places))


def ignore_result(task: asyncio.Future[T]) -> None:
    """For what nobody waits for any more: a fault of it is no warning in the log."""
    if not task.cancelled():
        task.exception()
