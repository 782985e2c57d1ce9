"""`karya login --provider`: what the browser is sent to, what it brings back, and what people read."""

import hashlib
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from typer.testing import CliRunner, Result

import cli
from cli import provider_sign_in
from shared.translation import use_language
from tests.support.fake_identity import SUBJECT, FakeIdentity, running_identity

pytestmark = pytest.mark.unit

METADATA = "/.well-known/oauth-authorization-server"
Answer = Callable[[dict[str, str]], dict[str, str]]


class Browser:
    """A browser that signs in at once, and the identity service to which it goes."""

    def __init__(self, identity: FakeIdentity) -> None:
        self.identity = identity
        self.answer: Answer = lambda query: {"state": query["state"], "code": "a code"}
        self.opened: list[dict[str, str]] = []
        self.pages: list[httpx.Response] = []
        self._threads: list[threading.Thread] = []

    def open(self, address: str) -> bool:
        assert address.startswith(f"{self.identity.url}/sessions/provider?")
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.opened.append(query)
        self.identity.answers["/sessions/provider"] = self.identity.next_tokens()
        self._threads.append(threading.Thread(target=self._come_back, args=(query,)))
        self._threads[-1].start()
        return True

    def _come_back(self, query: dict[str, str]) -> None:
        for wrong in (f"/favicon.ico?state={query['state']}", "/signed-in?state=another&code=a+stolen+one"):
            place = urlsplit(query["redirect_uri"])
            assert httpx.get(f"http://{place.netloc}{wrong}").status_code == 404
        self.pages.append(httpx.get(f"{query['redirect_uri']}?{urlencode(self.answer(query))}"))

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setattr("cli.sessions.FOLDER", tmp_path / "sessions")
    with running_identity() as identity:
        identity.public = ("/sessions/provider", METADATA)
        identity.pages[METADATA] = {"sign_in_methods_supported": ["password", "provider"]}
        browser = Browser(identity)
        monkeypatch.setattr(provider_sign_in.webbrowser, "open", browser.open)
        yield browser
        browser.join()
    use_language(None)


def run(browser: Browser, *words: str) -> Result:
    environment = {
        "KARYA_IDENTITY_URL": browser.identity.url,
        "KARYA_TOKEN": None,
        "KARYA_SESSION_FILE": None,
        "COLUMNS": "300",
    }
    result = CliRunner().invoke(cli.app, words, env=environment)
    browser.join()
    return result


def test_a_person_signs_in_with_a_browser(browser: Browser, tmp_path: Path) -> None:
    result = run(browser, "login", "--provider")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"You are signed in as {SUBJECT}, with the roles organiser:*.\n"
    [query] = browser.opened
    [(path, body)] = browser.identity.given
    digest = hashlib.sha256(body["code_verifier"].encode()).digest()
    assert urlsafe_b64encode(digest).decode().rstrip("=") == query["code_challenge"]
    assert (path, body["code"]) == ("/sessions/provider", "a code")
    assert query["redirect_uri"].startswith("http://127.0.0.1:")
    [page] = browser.pages
    assert "You are signed in." in page.text
    assert page.headers["cache-control"] == "no-store"
    [file] = (tmp_path / "sessions").glob("*.json")
    assert json.loads(file.read_text())["access_token"] == browser.identity.valid


@pytest.mark.parametrize(
    ("lang", "error", "sentence"),
    [
        ("en", "no_role", "Your account at the provider has no role here."),
        ("id", "no_role", "Akun Anda di penyedia"),
        ("en", "access_denied", "The sign-in was declined at the provider."),
        ("en", "<b>made up</b>", "The identity service could not finish the sign-in."),
    ],
)
def test_a_sign_in_that_fails_is_told_here_and_in_the_browser(
    browser: Browser, lang: str, error: str, sentence: str
) -> None:
    browser.answer = lambda query: {"state": query["state"], "error": error}
    result = run(browser, "--lang", lang, "login", "--provider")
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert sentence in browser.pages[0].text.replace("&#x27;", "'")
    assert "<b>" not in browser.pages[0].text
    assert browser.identity.given == []


def test_a_browser_that_does_not_come_back_is_not_waited_for_for_ever(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_sign_in, "WITHIN_SECONDS", 0.1)
    monkeypatch.setattr(provider_sign_in.webbrowser, "open", lambda _: False)
    result = run(browser, "login", "--provider")
    assert result.exit_code == 1
    assert "Sign in with a browser on this machine: http://" in result.stderr
    assert "Nobody has signed in at the provider in time." in result.stderr


@pytest.mark.parametrize(("methods", "opens"), [(["provider"], 1), (["password", "provider"], 0), (None, 0)])
def test_the_provider_is_taken_by_itself_where_there_are_no_passwords(
    browser: Browser, methods: list[str] | None, opens: int
) -> None:
    metadata: dict[str, Any] = {"issuer": "x"} if methods is None else {"sign_in_methods_supported": methods}
    browser.identity.pages[METADATA] = metadata
    result = run(browser, "login")
    assert len(browser.opened) == opens
    assert (result.exit_code == 0) == bool(opens), result.output
    browser.opened.clear()
    wanted = run(browser, "login", "--provider")
    assert len(browser.opened) == (methods is not None)
    assert ("No other provider is set up here." in wanted.stderr) == (methods is None)


def test_a_login_and_a_provider_are_one_too_many(browser: Browser) -> None:
    for words in (("rina",), ("--as", "organiser"), ("--password-stdin",)):
        result = run(browser, "login", "--provider", *words)
        assert result.exit_code == 1
        assert "leave out login and password" in result.stderr
    assert browser.opened == []
