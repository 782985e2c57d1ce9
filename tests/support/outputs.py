"""The output of a test's services: a failure shows it, also the failure of a test that ended its worker."""

import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import psutil
import pytest
import structlog
from structlog.typing import WrappedLogger

ON_DISK = Path(__file__).parents[2] / ".karya" / "test"
IN_MEMORY = Path("/dev/shm")
# `make test` takes half a GiB of memory for it. The rest is for larger tests, and for what runs beside.
ROOM = 6 * 1024**3
TAIL = 4000
# What xdist hands to a worker has its folder under this name.
KEY = "karya_folder"
RUN = pytest.StashKey[Path]()


@dataclass(slots=True)
class Outputs:
    """The logs of the current test's service processes, those that have ended too.

    The folder of a worker has links to them, and a copy of what services in the worker itself write: pytest's
    captured output is lost with its process.
    """

    logs: list[Path] = field(default_factory=list)
    folder: Path | None = None
    inside: TextIO | None = None

    def enter_worker(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.inside = folder, (folder / "worker.log").open("a", encoding="utf-8")

    def add(self, log: Path) -> None:
        self.logs.append(log)
        if self.folder is not None:
            (self.folder / log.name).symlink_to(log)

    def copy(self, logger: WrappedLogger, method: str, line: str) -> str:
        """The last processor of structlog in a worker."""
        print(line, file=self.inside, flush=True)
        return line

    def clear(self) -> None:
        if self.folder is not None:
            for log in self.logs:
                (self.folder / log.name).unlink()
        self.logs.clear()
        if self.inside is not None:
            self.inside.truncate(0)


OUTPUTS = Outputs()


def tail(log: Path) -> str:
    """The end of what was written to it."""
    return log.read_text(encoding="utf-8", errors="replace")[-TAIL:]


def sections(logs: list[Path]) -> list[tuple[str, str]]:
    """Their ends as sections of a test's report."""
    return [(f"Output of {log.stem}", tail(log)) for log in logs]


def base() -> Path:
    """Where the folders of all runs lie: in memory if there is room, since a disk makes every commit wait."""
    if not IN_MEMORY.is_dir():
        return ON_DISK
    free = min(shutil.disk_usage(IN_MEMORY).free, psutil.virtual_memory().available)
    return IN_MEMORY / f"karya-test-{os.getuid()}" if free > ROOM else ON_DISK


def new_run(base: Path) -> Path:
    """A folder for a run of this process, not made yet."""
    return base / f"{os.getpid()}-{uuid4().hex[:8]}"


def remove_left_over(base: Path) -> None:
    """Remove the folders of runs that were killed. Nothing else would free their memory."""
    for folder in base.glob("*-*"):
        if not psutil.pid_exists(int(folder.name.partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)


def new_folder(config: pytest.Config) -> Path:
    """A folder for this process, not made yet. That of a worker lies in its run's, which is removed at the end."""
    given = getattr(config, "workerinput", {}).get(KEY)
    return Path(given) / uuid4().hex[:8] if given else new_run(base())


def pytest_configure(config: pytest.Config) -> None:
    if given := getattr(config, "workerinput", {}).get(KEY):
        OUTPUTS.enter_worker(Path(given))
    else:
        remove_left_over(base())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Each worker, also one that replaces another, gets a folder in that of the run."""
    if RUN not in node.config.stash:
        node.config.stash[RUN] = new_run(base())
    run = node.config.stash[RUN]
    node.workerinput[KEY] = str(run / node.gateway.id)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before each test, for a test may have reset structlog."""
    processors = structlog.get_config()["processors"]
    if OUTPUTS.inside is not None and OUTPUTS.copy not in processors:
        structlog.configure(processors=[*processors, OUTPUTS.copy])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the test's processes wrote. Services in this process write to its captured output."""
    report = yield
    if report.failed:
        report.sections += sections(OUTPUTS.logs)
    if report.when == "teardown":
        OUTPUTS.clear()
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(report: pytest.TestReport) -> None:
    """The failure of a test that ended its worker shows what all its services wrote."""
    folder = Path(report.node.workerinput[KEY])  # type: ignore[attr-defined]
    report.sections += sections(sorted(folder.glob("*.log")))


def pytest_unconfigure(config: pytest.Config) -> None:
    """A worker that crashed has left its folder, and the data of its servers with it."""
    if run := config.stash.get(RUN, None):
        shutil.rmtree(run, ignore_errors=True)
