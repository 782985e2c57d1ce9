"""Sign-in on the command line: where the session is kept, what is sent with it, and what people read."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from cli import sign_in
from cli.sample_accounts import SAMPLE_ROLES, sample_accounts
from cli.sessions import session_file
from shared.events.identity import DEVICE_ROLES, SCOPES, Role
from shared.translation import use_language
from tests.support.fake_identity import SUBJECT, FakeIdentity, a_token, running_identity

pytestmark = pytest.mark.unit

PASSWORD = "sepuluh kata acak"
ANNOUNCE = ("festival", "announce", "ODOP", "One Day", "--place", "Kupang", "--first-day", "2026-04-18")
ANNOUNCED = (*ANNOUNCE, "--last-day", "2026-04-19")


@pytest.fixture
def identity() -> Iterator[FakeIdentity]:
    with running_identity() as fake:
        fake.pages["/me"] = {
            "subject": SUBJECT,
            "name": "Rina",
            "roles": [{"role": "auditor", "scope": None}, {"role": "organiser", "scope": "ODOP"}],
        }
        fake.pages["/festivals"] = []
        yield fake


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    yield
    use_language(None)


@pytest.fixture
def run(identity: FakeIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setattr("cli.sessions.FOLDER", tmp_path / "sessions")
    monkeypatch.setattr(sign_in, "FOLDER", tmp_path / "up")
    return Run(identity, tmp_path)


class Run:
    """Runs commands with the addresses of the fake services."""

    def __init__(self, identity: FakeIdentity, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str | None] = {
            "KARYA_IDENTITY_URL": identity.url,
            "KARYA_FESTIVAL_URL": identity.url,
            "KARYA_SALES_URL": identity.url,
            "KARYA_TOKEN": None,
            "KARYA_SESSION_FILE": None,
            "COLUMNS": "300",
        }

    def __call__(self, *words: str, given: str = "") -> Result:
        return CliRunner().invoke(cli.app, words, env=self.environment, input=given)

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "sessions").glob("*") if path.suffix == ".json"]


def signed_in(run: Run) -> None:
    result = run("login", "rina", "--password-stdin", given=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output


def test_a_password_comes_from_standard_input_and_the_session_is_kept(run: Run, identity: FakeIdentity) -> None:
    result = run("login", "rina", "--password-stdin", given=f"{PASSWORD}\n")
    assert (result.exit_code, result.stdout) == (
        0,
        "You are signed in as rina, with the roles organiser:*.\n",
    ), result.output
    [file] = run.files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text())
    assert (kept["identity"], kept["access_token"]) == (identity.url, identity.valid)
    assert PASSWORD not in file.read_text()
    assert run("festival", "list").exit_code == 0
    assert identity.tokens_seen == [identity.valid]


def test_a_wrong_password_keeps_the_former_session(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    before = run.files()[0].read_text()
    result = run("login", "rina", "--password-stdin", given="something else\n")
    assert result.exit_code == 1
    assert "The login or the password is wrong" in result.stderr
    assert "Sign in first" not in result.stderr
    assert run.files()[0].read_text() == before


def test_a_password_is_never_an_argument(run: Run) -> None:
    for words in (("login", "rina", PASSWORD), ("login", "rina", "--password", PASSWORD)):
        assert run(*words).exit_code == 2
    result = run("login", "rina", given=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert "use --password-stdin" in result.stderr
    assert run("login", "--password-stdin", given=f"{PASSWORD}\n").exit_code == 1
    result = run("login", "rina", "--password-stdin", given="\n")
    assert "no password on standard input" in result.stderr


def test_a_second_sign_in_ends_the_first_session(run: Run, identity: FakeIdentity) -> None:
    ended: list[str] = []
    sessions = identity.sessions

    def watch(handler: object, path: str, body: dict[str, str]) -> None:
        if path == "/sessions/end":
            ended.append(body["refresh_token"])
            handler.reply(200, {})  # type: ignore[attr-defined]
        else:
            sessions(handler, path, body)

    identity.sessions = watch  # type: ignore[method-assign]
    signed_in(run)
    former = identity.refresh_token
    signed_in(run)
    assert ended == [former]
    assert run("festival", "list").exit_code == 0


def test_a_sign_out_ends_the_session_here_and_there(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    result = run("logout")
    assert (result.exit_code, result.stdout) == (0, "You are signed out.\n")
    assert run.files() == []
    assert identity.refresh_token == ""
    assert run("logout").stdout == "Nobody was signed in here.\n"


def test_a_sign_out_works_without_identity(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    identity.server.socket.close()
    result = run("logout", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"signed_out": True, "ended": False}
    assert "The identity service does not answer" in result.stderr
    assert run.files() == []


def test_whoever_is_signed_in_is_shown(run: Run) -> None:
    signed_in(run)
    assert run("whoami").stdout.splitlines()[:2] == [f"Rina, account {SUBJECT}", "roles: auditor, organiser:ODOP"]
    page = json.loads(run("whoami", "--json").stdout)
    assert (page["subject"], page["valid_until"]) == (SUBJECT, "2030-03-17T17:46:40+00:00")


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [("en", "Sign in first: `karya login`."), ("id", "Masuklah dahulu: `karya login`.")],
)
def test_a_stranger_is_told_to_sign_in(run: Run, lang: str, sentence: str) -> None:
    for words in (("festival", "list"), ("whoami",), ("accounts", "list")):
        result = run("--lang", lang, *words)
        assert (result.exit_code, result.stderr) == (1, f"{sentence}\n")


def test_a_session_that_has_ended_is_told(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    identity.refresh_token = identity.valid = ""
    assert run("festival", "list").stderr == "Your session has ended. Sign in again: `karya login`.\n"
    assert run("festival", "list").stderr == "Sign in first: `karya login`.\n"


@pytest.mark.parametrize(
    ("lang", "roles", "sentence"),
    [
        ("en", ["auditor", "cashier:ODOP.B1"], "it has the roles auditor, cashier:ODOP.B1. An organiser or"),
        ("id", ["auditor"], "perannya: auditor."),
        ("en", [], "it has no role yet."),
    ],
)
def test_a_refusal_names_the_roles_of_the_account(
    run: Run, identity: FakeIdentity, lang: str, roles: list[str], sentence: str
) -> None:
    identity.roles = roles
    identity.forbidden = {"/festivals"}
    signed_in(run)
    result = run("--lang", lang, "festival", "list")
    assert result.exit_code == 1
    assert sentence in result.stderr
    problem = json.loads(run("--lang", lang, "festival", "list", "--json").stderr)
    assert (problem["status"], problem["error"]) == (403, "NotAnswered")


def test_a_program_gives_its_token_in_the_environment(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    token = a_token(99, ["auditor"])
    run.environment["KARYA_TOKEN"] = token
    result = run("festival", "list")
    assert result.exit_code == 1
    assert "Your access token is not accepted. The token has expired." in result.stderr
    assert identity.refreshes == 0, "the session of a person is left alone"
    identity.valid = token
    assert run("festival", "list").exit_code == 0


def test_a_token_is_printed_for_another_program(run: Run, identity: FakeIdentity, monkeypatch: Any) -> None:
    monkeypatch.setattr(sign_in, "ROLE_WITHIN", 0.3)
    assert run("token").stderr == "Sign in first: `karya login`.\n"
    signed_in(run)
    assert run("token").stdout == f"{identity.valid}\n"
    assert json.loads(run("token", "--json").stdout) == {"access_token": identity.valid, "expires_at": 1_900_000_000}
    identity.later_roles = [["organiser:ODOP"]]
    assert run("token", "--role", "organiser:ODOP").stdout == f"{identity.valid}\n"
    result = run("token", "--role", "organiser:RAYA")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The account does not have the role organiser:RAYA.\n"


def test_another_file_is_another_session(run: Run, tmp_path: Path) -> None:
    signed_in(run)
    run.environment["KARYA_SESSION_FILE"] = str(tmp_path / "mine.json")
    assert run("festival", "list").exit_code == 1
    signed_in(run)
    assert (tmp_path / "mine.json").exists()
    assert run("festival", "list").exit_code == 0


def test_each_identity_has_a_session_of_its_own(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    with running_identity() as other:
        run.environment["KARYA_IDENTITY_URL"] = other.url
        assert run("festival", "list").stderr == "Sign in first: `karya login`.\n"
        signed_in(run)
        assert len(run.files()) == 2
    assert identity.tokens_seen == [None]


def test_without_an_address_people_are_told_what_to_do(run: Run) -> None:
    run.environment["KARYA_IDENTITY_URL"] = ""
    for words in (("login", "rina"), ("logout",), ("whoami",), ("accounts", "list")):
        result = run(*words)
        assert result.exit_code == 1
        assert "run `make up`, or set KARYA_IDENTITY_URL" in result.stderr


def test_no_password_and_no_code_goes_to_another_machine_in_clear(run: Run, identity: FakeIdentity) -> None:
    # It reaches this machine, and is no loopback address.
    run.environment["KARYA_IDENTITY_URL"] = identity.url.replace("127.0.0.1", "0.0.0.0")
    for words in (
        ("login", "rina", "--password-stdin"),
        ("accounts", "restore", "abcd", "--password-stdin"),
        ("accounts", "register", "abcd", "--login", "rina", "--name", "Rina", "--password-stdin"),
        ("till", "--booth", "ODOP.B1", "--spool-dir", str(run.folder), "enrol", "abcd"),
    ):
        result = run(*words, given=f"{PASSWORD}\n")
        assert result.exit_code == 1, result.output
        assert "begins with http://, so that others could read" in result.stderr
    assert (identity.given, identity.tokens_seen) == ([], [])


def test_an_announcement_waits_for_the_role_that_it_brings(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    identity.later_roles = [["organiser:*"], ["organiser:*", "organiser:ODOP"]]
    result = run(*ANNOUNCED)
    assert result.exit_code == 0, result.output
    assert identity.refreshes == 2
    assert result.stderr == ""
    assert identity.given[-1][0] == "/festivals"


def test_nobody_waits_for_a_role_where_nobody_needs_one(run: Run, identity: FakeIdentity) -> None:
    signed_in(run)
    identity.is_open = True
    result = run(*ANNOUNCED)
    assert (result.exit_code, result.stderr) == (0, "")
    assert identity.refreshes == 0


def test_a_role_that_does_not_come_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.festival.client.ROLE_WITHIN", 0.3)
    signed_in(run)
    result = run(*ANNOUNCED)
    assert result.exit_code == 0
    assert "Your role as organiser of ODOP has not come yet." in result.stderr


@pytest.mark.parametrize(
    ("forbidden", "sentence"),
    [
        (["/settlements?facility="], "Sales knows of no settlement of ODOP"),
        (["/settlements?festival="], "Sales knows of no settlement of ODOP"),
        (["/settlements"], "Your account may not do this"),
    ],
)
def test_settlements_are_looked_for_where_the_account_may_read(
    run: Run, identity: FakeIdentity, forbidden: list[str], sentence: str
) -> None:
    identity.pages["/settlements"] = []
    identity.forbidden = set(forbidden)
    signed_in(run)
    result = run("settlement", "ODOP")
    assert (result.exit_code, sentence in result.stderr) == (1, True), result.stderr


def test_a_sample_account_needs_no_password(run: Run, identity: FakeIdentity) -> None:
    result = run("login", "--as", "organiser")
    assert result.exit_code == 1
    assert "`karya up` makes one of each role" in result.stderr
    accounts = {account.login: account for account in sample_accounts(run.folder / "up")}
    identity.password = accounts["organiser"].password
    assert run("login", "--as", "organiser").exit_code == 0
    assert run("login", "rina", "--as", "organiser").exit_code == 1


def test_sample_accounts_are_made_once_one_of_each_role(tmp_path: Path) -> None:
    accounts = sample_accounts(tmp_path / "up")
    file = tmp_path / "up" / "accounts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["accounts.json"]
    assert sample_accounts(tmp_path / "up") == accounts
    assert {account.login for account in accounts} == set(Role) - set(DEVICE_ROLES)
    assert len({account.password for account in accounts}) == len(accounts)
    assert all(len(account.password) >= 16 for account in accounts)
    assert not any(account.password in repr(account) for account in accounts)
    for role, grants in SAMPLE_ROLES.items():
        for grant in grants:
            name, _, scope = grant.partition(":")
            assert name == role
            assert (role in SCOPES) == bool(scope)
            assert role not in SCOPES or SCOPES[role].wrong(scope) is None


def test_addresses_that_look_alike_have_sessions_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    files = set()
    for address in ("http://id.test/a-b", "http://id.test/a/b", "https://id.test/a/b", "http://id.test:80/a/b"):
        monkeypatch.setenv("KARYA_IDENTITY_URL", address)
        file = session_file()
        assert file is not None
        files.add(file.path.name)
    assert len(files) == 4
