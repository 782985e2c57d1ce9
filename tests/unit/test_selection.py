"""What `make test` leaves out is said, and tests that share something stay in one process."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.stack import VARIABLE
from tests.support import workers
from tests.support.selection import slow_but, summary_line
from tests.support.workers import pytest_xdist_auto_num_workers, rank, shares

TESTS = Path(__file__).parents[1]
THREE = """
import pytest

def test_quick(): ...

@pytest.mark.slow
def test_slow(): ...

@pytest.mark.skip(reason="not here")
def test_elsewhere(): ...
"""


def run(folder: Path, *options: str) -> str:
    """What pytest prints of three tests: a quick one, a slow one, one that can not run."""
    (folder / "test_three.py").write_text(THREE)
    plugins = ("-p", "tests.support.selection", "-p", "no:cacheprovider", "-W", "ignore")
    command = [sys.executable, "-m", "pytest", *plugins, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_last_line_says_what_was_left_out(tmp_path: Path) -> None:
    output = run(tmp_path, "--quick", "-n", "2")
    assert "1 passed, 1 skipped" in output
    assert output.splitlines()[-1] == summary_line(1, ["test_elsewhere"], quick=True)


def test_without_quick_all_are_run(tmp_path: Path) -> None:
    output = run(tmp_path)
    assert "2 passed, 1 skipped" in output
    assert output.splitlines()[-1] == summary_line(0, ["test_elsewhere"], quick=False)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "with workers"])
def test_a_run_of_slow_tests_only_leaves_them_out_and_is_no_failure(tmp_path: Path, workers: tuple[str, ...]) -> None:
    output = run(tmp_path, "--quick", "-k", "slow", *workers)
    assert output.splitlines()[-1] == summary_line(1, (), quick=True)


def test_a_name_that_no_test_has_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, "--quick", "-k", "nowhere")


def test_all_that_is_not_named_is_slow() -> None:
    assert [parameter.id for parameter in slow_but("b", among="abc") if parameter.marks] == ["a", "c"]


@pytest.mark.parametrize(
    ("file", "together"),
    [("integration/test_verify.py", True), ("integration/test_step.py", False), ("unit/test_apart.py", True)],
)
def test_only_tests_that_share_something_stay_together(file: str, together: bool) -> None:
    assert (TESTS / file).exists()
    assert shares(TESTS / file) == together


def test_what_takes_long_begins_first() -> None:
    files = ["unit/test_apart.py", "property/test_chain.py", "integration/test_step.py", "integration/test_verify.py"]
    assert sorted(files, key=lambda file: rank(TESTS / file)) == files[::-1]


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 3), (3, 4), (16, 4)])
def test_half_as_many_processes_again_as_cores_share_the_tests_but_memory_is_bounded(
    cores: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(workers.psutil, "cpu_count", lambda: cores)
    assert pytest_xdist_auto_num_workers() == processes
    monkeypatch.setenv(VARIABLE, "external")
    assert pytest_xdist_auto_num_workers() == 0
