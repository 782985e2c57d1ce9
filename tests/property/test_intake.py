"""Records of devices over HTTP count once and in their order, whatever is lost, cut off or sent again."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from hypothesis import given
from hypothesis import strategies as st

from edge.sync import GatewayRoute
from edge.terminal.terminal import Terminal
from shared.errors import NotReached
from shared.settings import Settings
from tests.support.examples import examples
from tests.support.intake import Line, Log, an_intake

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
FAULTS = ("none", "full", "request lost", "answer lost", "killed", "two at once")


class Killed(BaseException):
    """The device was switched off at this moment."""


async def play(folder: Path, steps: list[tuple[int, str, int]]) -> tuple[list[str], list[str]]:
    """The ids of all records in order, and those that Kafka has. Each step records some, and syncs with a fault."""
    log, recorded = Log(), list[str]()
    async with an_intake(log, Settings()) as app:
        line = Line(app)
        with Terminal(folder, "LP-KPG", "T1") as terminal:
            for count, fault, at in [*steps, (0, "none", 0)]:
                recorded += [
                    terminal.record("KRJ", 1, made_on=date(2026, 11, 30), at=NOW, unlisted=True).id
                    for _ in range(count)
                ]
                with suppress(NotReached, Killed):
                    await _sync(folder, terminal, line, log, fault, at)
            assert terminal.counts().pending == 0
    return recorded, log.ids


async def _sync(folder: Path, terminal: Terminal, line: Line, log: Log, fault: str, at: int) -> None:
    route = GatewayRoute("http://localhost", transport=line)
    posts = 0
    log.room = len(log.records) + at if fault == "full" else 1_000_000

    def lose(request: httpx.Request) -> None:
        nonlocal posts
        posts += request.method == "POST"
        if posts > at:
            raise httpx.ReadTimeout("", request=request)

    line.before = lose if fault == "request lost" else lambda _: None
    line.after = lose if fault == "answer lost" else lambda _: None
    if fault == "killed":
        with _dying(terminal, at):
            await terminal.sync(route, wait=0)
    elif fault == "two at once":
        with Terminal(folder, "LP-KPG", "T1") as other:
            await asyncio.gather(terminal.sync(route, wait=0), other.sync(route, wait=0))
    else:
        await terminal.sync(route, wait=0)


@contextmanager
def _dying(terminal: Terminal, at: int) -> Iterator[None]:
    """The device is switched off when `at` windows were acknowledged and one more was stored."""
    acknowledge, left = terminal.spool.acknowledge, at

    def die(numbers: Sequence[int]) -> None:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        acknowledge(numbers)

    terminal.spool.acknowledge = die  # type: ignore[method-assign]
    try:
        yield
    finally:
        terminal.spool.acknowledge = acknowledge  # type: ignore[method-assign]


steps = st.lists(st.tuples(st.integers(0, 70), st.sampled_from(FAULTS), st.integers(0, 60)), max_size=5)


@examples(100)
@given(steps)
def test_each_record_counts_once_and_in_order(steps: list[tuple[int, str, int]]) -> None:
    with TemporaryDirectory() as folder:
        recorded, logged = asyncio.run(play(Path(folder), steps))
    # A reader drops what comes again.
    assert list(dict.fromkeys(logged)) == recorded
