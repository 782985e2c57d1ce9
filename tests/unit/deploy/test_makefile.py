"""`make setup` takes no Python that Karya does not run on, and leaves nothing behind when it refuses one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# This very Python, of the age that it is told to have.
AGED = """#!/bin/sh
if [ "$1" = -c ]; then exec "{python}" -c "import sys; sys.version_info = {version}
$2"; fi
exec "{python}" "$@"
"""


def a_python(folder: Path, version: tuple[int, int, int]) -> Path:
    file = folder / "python"
    file.write_text(AGED.format(python=sys.executable, version=version))
    file.chmod(0o755)
    return file


def run_setup(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """The first step of `make setup` in a folder that holds nothing but the Makefile."""
    shutil.copy(ROOT / "Makefile", folder)
    command = ["make", "--no-print-directory", f"PYTHON={python}", ".venv/.setup/venv"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("python_name", ["older", "missing", ""])
def test_the_wrong_python_is_refused_before_anything_is_made(python_name: str, tmp_path: Path) -> None:
    python = {"older": str(a_python(tmp_path, (3, 10, 14))), "missing": str(tmp_path / "nobody"), "": ""}[python_name]
    refused = run_setup(tmp_path, python)
    assert refused.returncode != 0
    assert "3.11 or newer" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_what_an_older_python_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3.10")
    assert run_setup(tmp_path, sys.executable).returncode == 0
    running = [tmp_path / ".venv" / "bin" / "python", "-c", ""]
    assert subprocess.run(running, check=False).returncode == 0
