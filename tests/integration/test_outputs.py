"""A failing test shows what its services wrote, also a test that ends its worker, of which nothing stays."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from deploy.local.services import environment
from deploy.stack import Stack
from shared.settings import Settings
from tests.support.place import a_place

ROOT = Path(__file__).parents[2]
FAILING = """
import os
import signal
from pathlib import Path

import pytest

from shared.settings import Settings

@pytest.fixture
def settings():
    return Settings()

async def test_passing(service_process):
    wrote = ("-c", "print('by the test before')")
    async with service_process("production", command=wrote, ready=False) as process:
        assert await process.ended() == 0
        assert "by the test before" in process.output

async def test_process(service_process):
    async with service_process("production"):
        raise AssertionError

async def test_inside(run_service):
    async with run_service("production"):
        raise AssertionError

async def test_worker(run_service, service_process):
    async with run_service("inventory"), service_process("production") as process:
        Path("pid").write_text(str(process.pid))
        os.kill(os.getpid(), signal.SIGKILL)
"""
WITH_A_STACK = """
import os
import signal
from pathlib import Path

def test_worker(stack):
    Path("pids").write_text(" ".join(str(server.pid) for server in stack.local.servers))
    Path("folder").write_text(str(stack.local.folder))
    os.kill(os.getpid(), signal.SIGKILL)
"""
HEADING = re.compile(r"^_{3,} (\S+) _{3,}$", re.MULTILINE)
FILE = "test_planted.py"
RECOVERED = re.compile(r"lanes_recovered.*karya.production|karya.production.*lanes_recovered")
ALSO_RECOVERED = re.compile(r"lanes_recovered.*karya.inventory")
BEFORE = "by the test before"

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")


@pytest.fixture(scope="module")
async def place(stack: Stack) -> AsyncIterator[Settings]:
    async with a_place(stack) as settings:
        yield settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def failures(place: Settings, folder: Path) -> dict[str, str]:
    """What is shown of each failing test. A test that ended its worker stands under its file."""
    return run_in_a_worker(folder, FAILING, {**environment(place), "KARYA_STACK": "external"})


def run_in_a_worker(folder: Path, tests: str, variables: dict[str, str]) -> dict[str, str]:
    (folder / FILE).write_text(tests)
    plugins = ("-p", "tests.support.outputs", "-p", "tests.integration.conftest")
    settings = ("-c", str(ROOT / "pyproject.toml"), "--dist=load", "-n1", "--max-worker-restart=0")
    # Cache and temporary folders of the run that this test belongs to stay as they are.
    folders = (f"--rootdir={folder}", f"--basetemp={folder / 'temporary'}", "-o", f"cache_dir={folder / 'cache'}")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *settings, *folders, FILE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    _, *shown = HEADING.split(run.stdout.partition("warnings summary")[0])
    return dict(zip(shown[::2], shown[1::2], strict=True))


def alive(pids: Sequence[int]) -> list[psutil.Process]:
    """Those that do not end soon."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=20)
    return alive


def test_a_service_in_a_process_of_its_own(failures: dict[str, str]) -> None:
    assert RECOVERED.search(failures["test_process"]), failures


def test_a_service_in_the_process_of_the_test(failures: dict[str, str]) -> None:
    assert RECOVERED.search(failures["test_inside"]), failures


def test_both_when_the_test_has_ended_its_worker(failures: dict[str, str]) -> None:
    assert RECOVERED.search(failures[FILE]), failures
    assert ALSO_RECOVERED.search(failures[FILE]), failures


def test_nothing_of_other_tests(failures: dict[str, str]) -> None:
    """Each test's services have a topic prefix of their own, but one log may follow another."""
    assert not [name for name, shown in failures.items() if BEFORE in shown]
    assert not ALSO_RECOVERED.search(failures["test_inside"])
    assert failures[FILE].count("service_started") == 2


@only_linux
def test_a_service_ends_with_its_worker(failures: dict[str, str], folder: Path) -> None:
    assert alive([int((folder / "pid").read_text())]) == []


@only_linux
@pytest.mark.slow
def test_servers_end_with_their_worker_and_leave_no_folder(tmp_path: Path) -> None:
    run_in_a_worker(tmp_path, WITH_A_STACK, {"KARYA_STACK": "local"})
    servers = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(servers) == 2
    assert alive(servers) == []
    assert not Path((tmp_path / "folder").read_text()).exists()


def test_these_outputs_are_those_of_every_run(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.support.outputs")
