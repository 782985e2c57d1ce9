"""Runners as child processes."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import uuid4

from deploy.local import process
from deploy.local.services import environment
from lab.bench.meter import MARK, RunResult
from lab.bench.runners.job import Job
from shared.errors import KaryaError
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
TAIL = 3000
LOOK = 0.05


class BenchFailed(KaryaError):
    """A measured process ended without a result. The message shows the end of its output."""


async def figures_of(module: str, runs: int) -> list[dict[str, Any]]:
    """The JSON rows that a bench without servers prints, in a process of its own. Raises BenchFailed."""
    program = (sys.executable, "-m", module, "--json", "--runs", str(runs))
    child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdin=DEVNULL, stdout=PIPE)
    output = (await child.communicate())[0]
    if not output:
        raise BenchFailed(f"{module} ended with exit code {child.returncode} and without figures.")
    rows: list[dict[str, Any]] = json.loads(output)
    return rows


class Runner:
    """A process that runs `module`. On Linux it dies with this process, however that ends."""

    def __init__(self, folder: Path, module: str, job: Job, settings: Settings, python: str = sys.executable) -> None:
        self._name = module
        self._log = folder / f"{module}-{uuid4().hex[:6]}.log"
        self._child = start_python(self._log, ["-m", module, job.argument], environment(settings), python)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def wait_for_output(self, word: str) -> None:
        """Wait until its output contains this word. Raises BenchFailed when the process ends without it."""
        while word not in (output := self._log.read_text(errors="replace")):
            if self._child.poll() is not None:
                raise BenchFailed(f"{self._name} ended with exit code {self._child.returncode}:\n{output[-TAIL:]}")
            await asyncio.sleep(LOOK)

    async def result(self) -> RunResult:
        """Wait until the process ends, and return its result. Raises BenchFailed."""
        code = await asyncio.to_thread(self._child.wait)
        output = self._log.read_text(errors="replace")
        results = [line for line in output.splitlines() if line.startswith(MARK)]
        if code or not results:
            raise BenchFailed(f"{self._name} ended with exit code {code}:\n{output[-TAIL:]}")
        return RunResult.of_line(results[-1])

    def end(self) -> None:
        """Kill the process, if it still runs."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def start_python(
    log: Path, arguments: Sequence[str], variables: Mapping[str, str], python: str = sys.executable
) -> Popen[bytes]:
    """Start Python with these arguments. It gets no other KARYA_* variables than those in `variables`."""
    unset = [f"--unset={name}" for name in os.environ if name.startswith("KARYA_")]
    assignments = [f"{name}={value}" for name, value in variables.items()]
    env = shutil.which("env") or "/usr/bin/env"
    return process.spawn([env, *unset, *assignments, python, *arguments], folder=ROOT, log=log, tied=True)


async def run(
    folder: Path, module: str, jobs: Sequence[Job], settings: Settings, python: str = sys.executable
) -> list[RunResult]:
    """Run one process for each job, all at once. Raises BenchFailed."""
    runners = [Runner(folder, module, job, settings, python) for job in jobs]
    try:
        return list(await asyncio.gather(*(runner.result() for runner in runners)))
    finally:
        for runner in runners:
            runner.end()
