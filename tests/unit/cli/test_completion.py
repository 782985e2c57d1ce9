"""`karya --version`, and completion in three shells."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app

pytestmark = pytest.mark.unit

# The names of the framework's protocol between a shell's script and the program.
LINES = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


def karya(*words: str, **environment: str) -> str:
    """The output of a process of its own: the framework looks at the shell when the program starts."""
    code = "import sys; sys.argv[0] = 'karya'; from cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "KARYA_LANG": "en", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"karya {metadata.version('karya')}\n")


@pytest.mark.parametrize("shell", LINES)
def test_each_shell_gets_its_script(shell: str) -> None:
    script = karya("--show-completion", shell)
    assert f"_KARYA_COMPLETE=complete_{shell}" in script


@pytest.mark.parametrize("shell", LINES)
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("karya festival tak", "takings"),
        ("karya settlement ODOP --cs", "--csv"),
    ],
)
def test_each_shell_completes_commands_and_options(shell: str, line: str, found: str) -> None:
    output = karya(**LINES[shell](line), _KARYA_COMPLETE=f"complete_{shell}")
    assert found in output
    assert "receipts" not in output


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/karya.sh"),
        ("zsh", ".zfunc/_karya"),
        ("fish", ".config/fish/completions/karya.fish"),
    ],
)
def test_completion_is_installed(shell: str, file: str, tmp_path: Path) -> None:
    karya("--install-completion", shell, HOME=str(tmp_path))
    assert f"complete_{shell}" in (tmp_path / file).read_text()
