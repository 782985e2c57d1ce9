"""The framework's help and refusals, in Indonesian."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from cli.help_language import split_language
from shared.translation import Language, use_language


@pytest.fixture(autouse=True)
def afterwards() -> Iterator[None]:
    yield
    use_language(None)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["terminal", "record", "--help"], ["Pemakaian: ", "Mencatat lot baru.", "Opsi"]),
        (["terminal", "correct", "--help"], ["Pemakaian: ", "[wajib]"]),
        (["terminal", "record", "KTI"], ["Argumen 'qty' belum diisi.", "Ketik", "Kesalahan"]),
        (["till", "--bogus"], ["Tidak ada opsi --bogus"]),
        (["terminal", "--facility", "LP-KPG", "record", "KTI", "3", "--ask-maker"], ["Dibatalkan."]),
        (["bogus"], ["Tidak ada perintah 'bogus'."]),
        (["terminal", "--facility", "x", "list"], ["Nilai tidak dapat diterima: Kode unit terdiri dari dua huruf"]),
        (["festival", "--wait", "31", "list"], ["Nilai untuk '--wait' tidak dapat diterima"]),
    ],
)
def test_help_and_refusals_are_in_the_reader_s_language(words: list[str], texts: list[str], tmp_path: Path) -> None:
    environment = {"KARYA_FACILITY": "LP-KPG", "COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    result = CliRunner().invoke(app, ["--lang", "id", *words], env={**environment, "KARYA_SPOOL_DIR": str(tmp_path)})
    shown = " ".join(result.output.replace("│", "").split())
    assert not [text for text in texts if text not in shown], shown


def test_a_command_that_shows_no_help_does_not_wait_for_its_imports(tmp_path: Path) -> None:
    code = "import sys; from cli import app; app(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    words = ["terminal", "--facility", "LP-KPG", "--spool-dir", str(tmp_path), "list"]
    result = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    modules = set(result.stdout.split())
    assert "cli.terminal" in modules
    assert not modules & {"typer.rich_utils", "rich.traceback"}


@pytest.mark.parametrize(
    ("arguments", "remainder", "language"),
    [
        (["till", "--lang", "id", "day"], ["till", "day"], Language.INDONESIAN),
        (["--lang=en", "status"], ["status"], Language.ENGLISH),
        (["till", "--", "--lang", "id"], ["till", "--", "--lang", "id"], None),
    ],
)
def test_the_language_may_stand_anywhere(
    arguments: list[str], remainder: list[str], language: Language | None
) -> None:
    assert split_language(arguments) == (remainder, language)
