"""`--json`: every command has it, and a failure is one JSON document on stderr."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner, Result

from cli import app
from cli.console import exit_on_error, warn
from cli.festival.client import ServiceClient
from cli.problems import add_problem, run_with_problems, with_flag_at_command
from shared.errors import KaryaError, NotAnswered, Unusable, WrongEntry
from shared.translation import Language, use_language
from shared.wording import Message
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit

# Commands that have no --json, with the reason.
WITHOUT_JSON: dict[str, str] = {}


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    use_language(Language.ENGLISH)
    yield
    use_language(None)


@pytest.fixture
def festival() -> Iterator[FakeServer]:
    with running() as server:
        yield server


def run(*words: str, url: str = "") -> Result:
    return CliRunner().invoke(app, words, env={"KARYA_FESTIVAL_URL": url, "KARYA_SALES_URL": url})


def problem_of(result: Result) -> dict[str, Any]:
    """The one document on stderr."""
    problem: dict[str, Any] = json.loads(result.stderr)
    assert {"type", "title", "detail", "exit_code"} <= problem.keys()
    assert problem["exit_code"] == result.exit_code
    return problem


def leaves(command: Any, path: Sequence[str] = ()) -> Iterator[tuple[str, set[str]]]:
    """Every command with its options."""
    context = typer.Context(command)
    if not hasattr(command, "list_commands"):
        yield " ".join(path), {option for parameter in command.params for option in parameter.opts}
        return
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*path, name))


def test_every_command_has_json_or_a_reason() -> None:
    commands = dict(leaves(get_command(app)))
    assert len(commands) > 60
    assert {name for name, options in commands.items() if "--json" not in options} == set(WITHOUT_JSON)


@pytest.mark.parametrize(
    ("words", "field", "detail"),
    [
        (["festival", "list", "--json", "--stat", "open"], "--stat", "No such option: --stat"),
        (["festival", "show", "--json"], "festival", "Missing argument 'festival'."),
        (["festival", "--wait", "99", "list", "--json"], "wait", "must be from 0 to 30"),
        (["festivals", "--json"], None, "No such command 'festivals'."),
        (["--json"], None, "Missing command."),
    ],
)
def test_a_wrong_option_is_a_problem(words: list[str], field: str | None, detail: str) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    problem = problem_of(result)
    assert problem.get("field") == field
    assert detail in problem["detail"]
    assert problem["title"] == "The command can't be understood"


def test_without_json_a_wrong_option_is_text() -> None:
    result = run("festival", "list", "--nope")
    assert result.exit_code == 2
    assert "No such option" in result.stderr
    assert "{" not in result.stderr


def test_what_a_service_does_not_have_is_a_problem_with_its_status(festival: FakeServer) -> None:
    result = run("festival", "show", "ODOP", "--json", url=festival.url)
    assert (result.exit_code, result.stdout) == (1, "")
    problem = problem_of(result)
    assert (problem["status"], problem["error"]) == (404, "NotAnswered")


@pytest.mark.parametrize("words", [("--json", "festival", "list"), ("festival", "list", "--json")])
def test_json_may_stand_before_the_command(festival: FakeServer, words: tuple[str, ...]) -> None:
    festival.pages["/festivals"] = []
    result = run(*words, url=festival.url)
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, [], "")
    assert problem_of(run(*words))["error"] == "NotAnswered"


def test_the_catalogue_without_a_service_is_a_problem_too() -> None:
    problem = problem_of(CliRunner().invoke(app, ["catalogue", "list", "--json"], env={"KARYA_PRODUCTION_URL": ""}))
    assert problem["error"] == "NotAnswered"
    assert "KARYA_PRODUCTION_URL" in problem["detail"]


def test_a_refused_line_of_a_catalogue_file_is_a_problem_too(festival: FakeServer, tmp_path: Path) -> None:
    sheet = tmp_path / "catalogue.csv"
    sheet.write_text("kind,code,name\nproduct,NEW,Baru\n")
    words = ["catalogue", "import", str(sheet), "--json"]
    result = CliRunner().invoke(app, words, env={"KARYA_PRODUCTION_URL": festival.url})
    assert [row["status"] for row in json.loads(result.stdout)] == ["refused"]
    problem = problem_of(result)
    assert (problem["error"], problem["field"]) == ("Refused", "entry")
    assert "product/NEW is new" in problem["detail"]


def test_a_refusal_is_a_document_and_a_problem(festival: FakeServer) -> None:
    refusal = {"detail": "ODOP has no booth B9.", "field": "booth", "reason": "unknown_booth"}
    festival.refusals["/festivals/ODOP/booths/ODOP.B9/tills"] = refusal
    result = run("festival", "add-till", "ODOP", "B9", "T2", "--json", url=festival.url)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "refused"
    problem = problem_of(result)
    assert {name: problem[name] for name in refusal} == refusal
    assert problem["status"] == 409


def test_an_unknown_language_is_a_problem_too() -> None:
    result = run("--lang", "xx", "festival", "list", "--json")
    assert result.exit_code == 1
    assert problem_of(result)["error"] == "UnknownLanguage"


def test_what_people_typed_steers_no_terminal() -> None:
    result = run("festival", "list", "--json", "--\x1b[2J\u202e")
    assert {c for c in result.stderr if not c.isprintable()} == {"\n"}


def finished(command: Any) -> int:
    """Exit code as the framework gives it."""
    try:
        command()
    except typer.Exit as end:
        return int(end.exit_code)
    return 0


def outcome(capsys: pytest.CaptureFixture[str], command: Any) -> tuple[int, str]:
    code = run_with_problems(lambda: finished(command))
    return code, capsys.readouterr().err


def test_an_error_s_field_reason_and_warnings_are_in_the_problem(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        warn("The clock is wrong.")
        with exit_on_error():
            raise Unusable("BAD_BODY", "No JSON.")

    code, text = outcome(capsys, fail)
    problem = json.loads(text)
    assert (code, problem["detail"], problem["reason"]) == (1, "No JSON.", "BAD_BODY")
    assert problem["warnings"] == ["The clock is wrong."]


def test_an_error_outside_every_block_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise WrongEntry("KTY is no product.")

    code, text = outcome(capsys, fail)
    assert (code, json.loads(text)["error"]) == (1, "WrongEntry")


def kinds_of_errors(base: type[KaryaError] = KaryaError) -> Iterator[type[KaryaError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of_errors(kind)


@pytest.mark.parametrize("kind", list(kinds_of_errors()), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("in_a_block", [False, True])
def test_every_kind_of_error_is_a_problem(
    kind: type[KaryaError], in_a_block: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    error = kind("BAD_BODY", "It is wrong.") if kind is Unusable else kind(Message("{what} is wrong.", what="It"))

    def fail() -> None:
        with exit_on_error() if in_a_block else nullcontext():
            raise error

    code, text = outcome(capsys, fail)
    problem = json.loads(text)
    assert (code, problem["exit_code"], problem["error"], problem["detail"]) == (1, 1, kind.__name__, "It is wrong.")


def test_what_the_system_refuses_is_a_problem(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, text = outcome(capsys, (tmp_path / "made.csv").read_bytes)
    problem = json.loads(text)
    assert (code, problem["error"]) == (1, "SystemRefused")
    assert problem["detail"] == f"{tmp_path}/made.csv: there is no such file or folder."


@pytest.mark.parametrize(
    "words",
    [
        ["topics"],
        ["verify"],
        ["trace", "PR-KPG-KTI-230418-007-4"],
        ["rebuild", "sales"],
        ["strays", "list"],
        ["dlq", "list"],
    ],
)
@pytest.mark.parametrize(
    ("settings", "kind", "texts"),
    [
        ({"KARYA_PARTITIONS": "many"}, "BadSettings", ["KARYA_PARTITIONS", "number"]),
        ({"KARYA_KAFKA": "", "KARYA_MONGO": ""}, "ServersNotConfigured", ["KARYA_"]),
        ({}, "NotReached", ["no connection is possible"]),
    ],
)
def test_without_settings_or_servers_every_command_says_so_as_a_problem(
    words: list[str], settings: dict[str, str], kind: str, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the servers were away for longer than a command waits.
    monkeypatch.setenv("KARYA_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("KARYA_MONGO", "mongodb://127.0.0.1:1/")
    for name, value in settings.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    result = CliRunner().invoke(app, [*words, "--json"])
    assert (result.exit_code, result.stdout) == (1, "")
    problem = problem_of(result)
    assert problem["error"] == kind
    assert not [text for text in texts if text not in problem["detail"]]
    assert not [text for text in ("Errno", "Error(", "bootstrap", "ServerSelection") if text in problem["detail"]]


def test_no_log_line_of_a_library_stands_beside_the_problem() -> None:
    environment = {**os.environ, "KARYA_KAFKA": "127.0.0.1:1", "KARYA_LANG": "en"}
    words = [sys.executable, "-m", "cli", "topics", "--json"]
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert json.loads(result.stderr)["error"] == "NotReached"


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://127.0.0.1:1", "does not answer (nothing listens there)"),
        ("127.0.0.1:8003", "KARYA_FESTIVAL_URL is not a valid address"),
        ("http://127.0.0.1:many", "KARYA_FESTIVAL_URL is not a valid address"),
        ("https://no-such-name.invalid", "does not answer (the network knows no such name)"),
    ],
)
def test_a_service_that_is_away_is_a_problem_in_our_words(url: str, detail: str) -> None:
    problem = problem_of(run("festival", "list", "--json", url=url))
    assert problem["error"] == "NotAnswered"
    assert detail in problem["detail"]


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (200, b"<html>It works!</html>", "is not the festival service of Karya"),
        (502, b"<html>Bad Gateway</html>", "The festival service answered with status 502."),
        (409, b"Conflict", "The festival service answered with status 409."),
    ],
)
def test_what_is_no_service_of_ours_is_a_problem_in_our_words(status: int, body: bytes, detail: str) -> None:
    client = ServiceClient("http://localhost", 0)
    client._client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body)), base_url="http://localhost"
    )
    with pytest.raises(NotAnswered, match=detail):
        client.get("festivals")
    if status != 200:
        with pytest.raises(NotAnswered, match=detail):
            client.command("festivals", body={})


def test_warnings_of_a_command_that_works_stay_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, lambda: warn("Two tills are silent.")) == (0, "Two tills are silent.\n")


@pytest.mark.parametrize("warnings", [[], ["Booth B1 is not settled."]])
def test_a_bare_exit_code_is_explained(capsys: pytest.CaptureFixture[str], warnings: list[str]) -> None:
    def fail() -> None:
        for warning in warnings:
            warn(warning)
        raise typer.Exit(2)

    code, text = outcome(capsys, fail)
    expected = warnings[0] if warnings else "The document on standard output says what is wrong."
    assert (code, json.loads(text)["detail"], json.loads(text)["exit_code"]) == (2, expected, 2)


def test_many_refusals_are_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        for lot in ("L1", "L2"):
            add_problem("The command was refused", f"{lot} is unknown.", field="lot")
        raise typer.Exit(1)

    _, text = outcome(capsys, fail)
    problem = json.loads(text)
    assert problem["detail"] == "L1 is unknown. L2 is unknown."
    assert [error["detail"] for error in problem["errors"]] == ["L1 is unknown.", "L2 is unknown."]


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_with_problems(lambda: 130)
    assert (code, json.loads(capsys.readouterr().err)["error"]) == (130, "Interrupted")


@pytest.mark.parametrize(
    ("arguments", "moved"),
    [
        (["--json", "till", "list"], ["till", "list", "--json"]),
        (["--json", "till", "sell", "--", "-x"], ["till", "sell", "--json", "--", "-x"]),
        (["--json", "till", "list", "--json"], ["till", "list", "--json"]),
        (["till", "list", "--json"], ["till", "list", "--json"]),
        (["till", "sell", "--", "--json"], ["till", "sell", "--", "--json"]),
        (["--json"], ["--json"]),
        (["--json", "--help"], ["--json", "--help"]),
    ],
)
def test_json_before_the_command_goes_behind_it(arguments: list[str], moved: list[str]) -> None:
    assert with_flag_at_command(arguments) == moved
