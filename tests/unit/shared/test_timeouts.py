"""A bound on waiting holds for what gives an answer, what fails, what hangs, and what takes no notice of being
cancelled."""

import asyncio

import pytest

from shared.timeouts import hard_timeout


async def test_what_ends_in_time_gives_its_answer_or_its_fault() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> None:
        raise LookupError("made up")

    assert await hard_timeout(5, answer()) == 7
    with pytest.raises(LookupError, match="made up"):
        await hard_timeout(5, fail())


async def test_what_takes_no_notice_of_being_cancelled_is_left_alone() -> None:
    free, ended = asyncio.Event(), asyncio.Event()

    async def ignore_cancellation() -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    with pytest.raises(TimeoutError):
        await hard_timeout(0.01, ignore_cancellation())
    assert not ended.is_set()
    free.set()
    await ended.wait()


async def test_what_was_cancelled_from_within_is_a_fault_and_does_not_look_like_a_stop() -> None:
    async def cancel_itself() -> None:
        inner = asyncio.create_task(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner

    with pytest.raises(ConnectionAbortedError):
        await hard_timeout(5, cancel_itself())


async def test_who_is_cancelled_while_waiting_cancels_the_work() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(hard_timeout(60, work()))
    await began.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await cancelled.wait()


async def test_who_waited_too_long_says_for_what() -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner()

    with pytest.raises(
        TimeoutError, match=r"waited 0.01 s for locks.py:\d+ < test_timeouts.py:\d+ < test_timeouts.py:\d+"
    ):
        await hard_timeout(0.01, outer())
