"""The framework's help and refusals, in Indonesian."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from cli import app
from cli.help_language import split_language, translate_framework
from cli.questions import confirm
from docsite import words as catalogue_words
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
        (["terminal", "--facility"], ["Opsi '--facility' memerlukan nilai."]),
        (["festival", "shw"], ["Tidak ada perintah 'shw'. Mungkin maksud Anda 'show'?"]),
        (["terminal", "list", "--help"], ["terminal list [OPSI]"]),
        (["terminal", "--help"], ["[OPSI] PERINTAH [ARGUMEN]...", "<berkas>", "[variabel: KARYA_FACILITY]"]),
        (["festival", "add-till", "--help"], ["<teks> Kode festival"]),
        (["terminal", "--facility", "x", "list"], ["Nilai tidak dapat diterima: Kode unit terdiri dari dua huruf"]),
        (["logs", "kafk"], ["'kafk' bukan salah satu dari 'kafka', 'mongo'"]),
        (["festival", "--wait", "31", "list"], ["Nilai untuk '--wait' tidak dapat diterima"]),
    ],
)
def test_help_and_refusals_are_in_the_reader_s_language(words: list[str], texts: list[str], tmp_path: Path) -> None:
    environment = {"KARYA_FACILITY": "LP-KPG", "COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    result = CliRunner().invoke(app, ["--lang", "id", *words], env={**environment, "KARYA_SPOOL_DIR": str(tmp_path)})
    shown = " ".join(result.output.replace("│", "").split())
    assert not [text for text in texts if text not in shown], shown


def paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group of commands."""
    yield path
    for name in getattr(command, "commands", {}) if path else command.list_commands(typer.Context(command)):
        yield from paths(command.get_command(typer.Context(command), name), (*path, name))


@cache
def helps(language: Language) -> Mapping[tuple[str, ...], Result]:
    """What each command and group answers to `--help`, without the required options of its group."""
    runner = CliRunner(env={"COLUMNS": "200", "KARYA_FACILITY": None, "KARYA_BOOTH": None})
    return {
        path: runner.invoke(app, ["--lang", language, *path, "--help"], prog_name="karya")
        for path in paths(get_command(app))
    }


KINDS = r"<(?:str|int|float|bool|date|list\[.*\]|File\w+)>|env var"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.ENGLISH, KINDS),
        (Language.INDONESIAN, rf"{KINDS}|<path>|default:|\[required|OPTIONS|COMMAND|ARGS|Usage|Arguments|Show this"),
    ],
)
def test_no_help_has_words_of_the_framework(language: Language, words: str) -> None:
    found = {path: re.findall(words, shown.output) for path, shown in helps(language).items()}
    assert not {path: matches for path, matches in found.items() if matches}


def test_each_command_shows_its_help_without_the_required_options_of_its_group() -> None:
    assert not [
        path
        for path, shown in helps(Language.ENGLISH).items()
        if shown.exit_code != 0 or f"Usage: {' '.join(['karya', *path])} " not in shown.output
    ]


def test_a_help_that_is_the_value_of_an_option_leaves_the_required_option_missing() -> None:
    result = CliRunner(env={"KARYA_FACILITY": None}).invoke(
        app, ["--lang", "en", "terminal", "recall", "LOT", "--reason", "--help"]
    )
    assert result.exit_code == 2
    assert "--facility" in result.output


def test_a_question_answered_wrongly_is_asked_again_in_the_reader_s_language() -> None:
    use_language(Language.INDONESIAN)
    translate_framework()
    result = CliRunner().invoke(_question(), input="perhaps\ny\n")
    assert "Mohon jawab dengan y (ya) atau t (tidak)." in result.output
    assert "invalid input" not in result.output
    assert result.output.endswith("True\n")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("typed", "yes"),
    [
        *((answer, True) for answer in ("y", "ya", "yes", "YA", " Ya ")),
        *((answer, False) for answer in ("n", "no", "t", "tidak", "Tidak", "")),
    ],
)
def test_a_question_takes_yes_and_no_of_both_languages(language: Language, typed: str, yes: bool) -> None:
    use_language(language)
    translate_framework()
    result = CliRunner().invoke(_question(), input=f"{typed}\n")
    assert result.output.endswith(f"{yes}\n")


def test_every_question_is_asked_in_one_place() -> None:
    asking = {
        str(path.relative_to(catalogue_words.ROOT))
        for room in catalogue_words.ROOMS
        for path in (catalogue_words.ROOT / room).rglob("*.py")
        if "typer.confirm" in path.read_text(encoding="utf-8")
    }
    assert not asking


def _question() -> typer.Typer:
    ask = typer.Typer()
    ask.command()(lambda: typer.echo(str(confirm("?"))))
    return ask


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
