"""Tests in several processes (pytest-xdist), each with a stack of its own.

Not one stack for all: rolling back what a killed client left open (`killAllSessions`) ends every session of the
server, and the local server lets nobody write while a database is dropped.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from xdist.scheduler import LoadFileScheduling

from deploy.stack import VARIABLE, StackKind
from shared import gc_tuning

# A stack takes about 1 GiB.
MOST = 4
SHARED = 'scope="module"'
# What takes long begins first, and what is short fills the gaps at the end.
ORDER = ("integration", "property")


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Tests of a file that share something stay together; all others go wherever there is room."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._root = config.rootpath

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if shares(self._root / file) else nodeid

    def remove_node(self, node: Any) -> Any:
        """A worker has ended or crashed; what it has not done is for the others.

        A worker that is given what is done already would wait for ever: nothing of it is left to report.
        """
        items = self.assigned_work[node]
        for scope in [scope for scope, tests in items.items() if all(tests.values())]:
            del items[scope]
        return super().remove_node(node)


@cache
def shares(file: Path) -> bool:
    """Whether its tests are short, or share what takes long to make."""
    return folder(file) not in ORDER or SHARED in file.read_text()


def folder(file: Path) -> str:
    """The folder below `tests`."""
    return file.relative_to(Path(__file__).parents[1]).parts[0]


def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: a test waits for a third of its time. Servers that are not ours can't be had twice."""
    if os.environ.get(VARIABLE) == StackKind.EXTERNAL:
        return 0
    cores = psutil.cpu_count() or 1
    return min(MOST, cores + cores // 2)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Modules and thousands of tests stay until the end: nothing among them is garbage to be looked for."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc_tuning.relax()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.path))


@cache
def rank(file: Path) -> Sequence[int]:
    """Its tests begin before those of a file with a higher rank."""
    where = folder(file)
    return ORDER.index(where) if where in ORDER else len(ORDER), not shares(file)
