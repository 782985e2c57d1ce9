"""What is installed: all that runs and all that operators need; never the laboratory or the tests."""

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
INSTALLED = {"cli", "deploy", "edge", "ops", "services", "shared"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All files of the wheel that is built from here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    [wheel] = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_what_runs_and_nothing_else(files: set[str]) -> None:
    folders = {name.partition("/")[0] for name in files}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == INSTALLED


def test_every_module_and_its_data_are_in_the_wheel(files: set[str]) -> None:
    modules = {str(file.relative_to(ROOT)) for folder in INSTALLED for file in (ROOT / folder).rglob("*.py")}
    assert modules <= files
    assert {"services/production/reference.yaml", "deploy/local/kafka-jars.sha256"} <= files


def test_the_image_holds_what_the_wheel_holds() -> None:
    copied = {
        line.split()[1]
        for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and not line.startswith("COPY --from") and "requirements" not in line
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert copied == INSTALLED == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
