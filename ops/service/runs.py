"""Long work in a process of its own, so that the service answers meanwhile: its progress, and what it has found."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from deploy.local.services import environment
from ops.service.worker import FAULT, REPORT
from shared.settings import PREFIX, Settings
from shared.wording import Message, message_of

log = structlog.get_logger()

WORKER = "ops.service.worker"
# A report names at most some of its findings, but a rebuild compares many collections.
MOST_LINE_BYTES = 8 * 1024 * 1024
ENDED = Message("The run has ended before it found anything. The log of operations says more.")


@dataclass(slots=True)
class WorkerRun:
    """One run. `progress`: the latest that it has told; `report`: what it has found; `fault`: why it found
    nothing."""

    actor: str
    started_at: datetime
    finished_at: datetime | None = None
    progress: Mapping[str, Any] | None = None
    report: Mapping[str, Any] | None = None
    fault: Message | None = None

    @property
    def status(self) -> str:
        if self.finished_at is None:
            return "running"
        return "failed" if self.report is None else "done"


class Runs:
    """The last run of each name. They are kept in memory, and so by this process alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runs: dict[str, WorkerRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def last(self, name: str) -> WorkerRun | None:
        return self._runs.get(name)

    def running(self, prefix: str) -> str | None:
        """The name of a run with this prefix that has not ended, if there is one."""
        return next(
            (name for name, run in self._runs.items() if name.startswith(prefix) and run.finished_at is None), None
        )

    def start(self, name: str, actor: str, *words: str) -> WorkerRun:
        """Begin a run of the worker with these words. One of this name that has not ended goes on instead."""
        last = self._runs.get(name)
        if last is not None and last.finished_at is None:
            return last
        run = self._runs[name] = WorkerRun(actor, datetime.now(UTC))
        self._tasks[name] = asyncio.create_task(self._work(run, words), name=name)
        return run

    async def close(self) -> None:
        """End the processes of all runs."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _work(self, run: WorkerRun, words: tuple[str, ...]) -> None:
        try:
            await self._follow(run, words)
        except (OSError, ValueError) as fault:
            log.warning("run_failed", words=words, fault=repr(fault)[:300])
        finally:
            run.finished_at = datetime.now(UTC)
            if run.report is None and run.fault is None:
                run.fault = ENDED

    async def _follow(self, run: WorkerRun, words: tuple[str, ...]) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", WORKER, *words),
            env=own | environment(self.settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            limit=MOST_LINE_BYTES,
        )
        assert child.stdout is not None, "it was asked for"
        try:
            async for line in child.stdout:
                self._take(run, json.loads(line))
            await child.wait()
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()

    def _take(self, run: WorkerRun, told: Mapping[str, Any]) -> None:
        if REPORT in told:
            run.report = told[REPORT]
        elif FAULT in told:
            run.fault = message_of(told[FAULT]["template"], told[FAULT]["values"])
        else:
            run.progress = told
