"""Long work in a process of its own: its progress, its report, and its end with the service."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.service import runs as module
from ops.service.runs import Runs, WorkerRun
from shared.settings import Settings
from tests.support.waiting import eventually

WORKER = """
import os, sys, time
kind = sys.argv[1]
if kind == "fails":
    sys.exit(1)
if kind == "refuses":
    print('{"fault": {"template": "{service} runs.", "values": {"service": "sales"}}}', flush=True)
    sys.exit()
print('{"done": 1, "of": %s}' % os.environ["KARYA_PARTITIONS"], flush=True)
while kind == "hangs":
    time.sleep(0.1)
print('{"report": {"ok": true}}', flush=True)
"""


@pytest.fixture
async def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runs]:
    (tmp_path / "a_worker.py").write_text(WORKER)
    monkeypatch.setattr(module, "WORKER", "a_worker")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("KARYA_PARTITIONS", "7")
    under_test = Runs(Settings(partitions=3))
    yield under_test
    await under_test.close()


def children() -> list[str]:
    """The processes that this one has begun."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


async def ended(run: WorkerRun) -> str:
    await eventually(lambda: run.finished_at is not None, equals=True, within=30)
    return run.status


async def test_a_run_tells_its_progress_and_its_report(runs: Runs) -> None:
    run = runs.start("rebuild sales", "s-1", "works")
    assert run.status == "running"
    assert runs.running("rebuild ") == "rebuild sales"
    assert runs.start("rebuild sales", "s-2", "works") is run, "the one that runs goes on"
    assert await ended(run) == "done"
    assert (run.progress, run.report, run.actor) == ({"done": 1, "of": 3}, {"ok": True}, "s-1")
    assert runs.running("rebuild ") is None
    assert runs.start("rebuild sales", "s-2", "works") is not run


async def test_a_run_without_a_report_says_why(runs: Runs) -> None:
    refused, failed = runs.start("a", "s-1", "refuses"), runs.start("b", "s-1", "fails")
    assert await ended(refused) == await ended(failed) == "failed"
    assert str(refused.fault) == "sales runs."
    assert failed.fault == module.ENDED


async def test_a_run_ends_with_the_service(runs: Runs) -> None:
    run = runs.start("a", "s-1", "hangs")
    await eventually(lambda: run.progress is not None, equals=True, within=30)
    before = children()
    await runs.close()
    assert run.status == "failed"
    assert len(children()) == len(before) - 1
