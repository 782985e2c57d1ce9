"""A timeout that returns even if the awaited task ignores its cancellation."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


async def hard_timeout(seconds: float, work: Awaitable[T]) -> T:
    """Return the result of `work`. Raises TimeoutError after so many seconds.

    Raises ConnectionAbortedError when the work cancelled itself. The caller would otherwise take that for its own
    cancellation. aiokafka's consumer does so when it is stopped while it looks up its first offset:
    https://github.com/aio-libs/aiokafka/issues/647.

    `asyncio.timeout` cancels once and then waits for the end. A client may swallow that cancellation, as aiokafka can
    when a connection is made or lost at that moment, and would run on unnoticed. Here the task is cancelled and left.
    """
    task = asyncio.ensure_future(work)
    stack = ""
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            stack = await_stack(task)
            task.cancel()
            task.add_done_callback(ignore_result)
    if not task.done():
        raise TimeoutError(f"waited {seconds:g} s for {stack}")
    if task.cancelled():
        raise ConnectionAbortedError("the client gave up by itself")
    return task.result()


def await_stack(task: asyncio.Future[T]) -> str:
    """File and line of each coroutine that the task waits in, the innermost first."""
    frames: list[str] = []
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        frames.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        coroutine = getattr(coroutine, "cr_await", None)
    return " < ".join(reversed(frames))


def ignore_result(task: asyncio.Future[T]) -> None:
    """Retrieve the exception of an abandoned task, so that asyncio logs no warning about it."""
    if not task.cancelled():
        task.exception()
