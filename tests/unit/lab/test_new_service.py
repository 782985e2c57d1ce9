"""The template of a service passes the project's own checks, and its first test can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.new_service.files import PLACES, BadServiceName, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a service stands on."""
    for folder in ("services", "shared"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=tree, capture_output=True, text=True, timeout=100, check=False
    )


def unit_tests(tree: Path) -> subprocess.CompletedProcess[str]:
    # Its own import path: the editable install would lead to this tree.
    return run(
        tree, "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tree), "-c", "/dev/null", "tests/unit"
    )


def test_a_new_service_is_formatted_and_tested(tree: Path) -> None:
    files = write(tree, "stalls")
    assert len(files) == len(PLACES)
    written = [str(file.relative_to(tree)) for file in files]
    formatted = run(tree, "ruff", "format", "--check", *written)
    assert formatted.returncode == 0, formatted.stdout
    checked = run(tree, "ruff", "check", *written)
    assert checked.returncode == 0, checked.stdout
    tested = unit_tests(tree)
    assert tested.returncode == 0, tested.stdout
    rules = tree / "services" / "stalls" / "domain" / "rules.py"
    rules.write_text(rules.read_text().replace("before.revision + 1", "before.revision"))
    assert "1 failed, 2 passed" in unit_tests(tree).stdout


@pytest.mark.slow
def test_a_new_service_is_typed(tree: Path) -> None:
    write(tree, "stalls")
    typed = run(tree, "mypy", "--config-file", "pyproject.toml", "services/stalls", "shared/events/stalls.py")
    assert typed.returncode == 0, typed.stdout


@pytest.mark.parametrize(
    "name", ["", "a", "Stalls", "two words", "x-y", "import", "match", "inventory", "stalls/../x"]
)
def test_a_name_that_no_service_can_have_writes_nothing(tree: Path, name: str) -> None:
    before = sorted(tree.rglob("*"))
    with pytest.raises(BadServiceName):
        write(tree, name)
    assert sorted(tree.rglob("*")) == before
