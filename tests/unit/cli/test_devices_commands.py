"""What the commands about devices ask of identity, what they show, and what an enrolled device sends."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import segno
from typer.testing import CliRunner, Result

import cli
from cli import devices
from cli.device_route import device_route
from edge.spool import Owner, Spool
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer, GivenToken
from shared.access.signatures import check_proof, public_key_of
from shared.errors import NotAnswered
from shared.events.identity import PublicKey
from shared.events.production import TERMINAL
from tests.support.fake_identity import FakeIdentity, a_token, running_identity

pytestmark = pytest.mark.unit

CODE = "abcd-efgh-ijkl"
ROW: dict[str, Any] = {
    "device": f"d-{'a' * 52}",
    "role": "terminal",
    "scope": "LP-KPG",
    "name": "T1",
    "key": {},
    "enrolled_at": "2026-04-17T08:00:00Z",
    "revoked_at": None,
}


@pytest.fixture
def identity() -> Iterator[FakeIdentity]:
    with running_identity() as fake:
        fake.next_tokens()
        fake.public = ("/device-codes/", "/device-challenges", "/device-tokens")
        fake.answers["/device-codes"] = {"code": CODE, "expires_at": "2026-04-20T08:00:00Z"}
        fake.answers[f"/device-codes/{CODE}/device"] = {**ROW, "command": "c", "status": "done", "look": "/"}
        fake.answers["/device-challenges"] = {"challenge": "c-1", "expires_in": 60}
        fake.answers["/device-tokens"] = {"access_token": a_token(9, []), "expires_in": 300}
        fake.pages["/devices"] = [ROW, {**ROW, "device": f"d-{'b' * 52}", "revoked_at": "2026-04-18T08:00:00Z"}]
        yield fake


def run(identity: FakeIdentity, *words: str, token: bool = True) -> Result:
    env = {
        "KARYA_IDENTITY_URL": identity.url,
        "KARYA_TOKEN": identity.valid if token else "",
        "KARYA_SESSION_FILE": "/nonexistent/session.json",
        "COLUMNS": "300",
    }
    return CliRunner().invoke(cli.app, words, env=env)


def a_spool(folder: Path) -> Spool:
    return Spool(Owner(folder / "terminal" / "LP-KPG.T1.spool", TERMINAL, "terminal/LP-KPG/T1"))


def test_a_code_is_asked_for_a_role_of_devices(identity: FakeIdentity) -> None:
    shown = run(identity, "devices", "code", "terminal:LP-KPG")
    assert shown.exit_code == 0, shown.output
    assert identity.given == [("/device-codes", {"role": "terminal", "scope": "LP-KPG"})]
    assert CODE in shown.output
    assert "karya terminal enrol CODE" in shown.output
    assert run(identity, "devices", "code", "cashier:ODOP.B1").exit_code == 2
    assert run(identity, "devices", "code", "till").exit_code == 2
    assert len(identity.given) == 1


def test_devices_are_listed_and_revoked(identity: FakeIdentity) -> None:
    listed = run(identity, "devices", "list", "--facility", "LP-KPG")
    assert listed.exit_code == 0, listed.output
    assert ["enrolled" in listed.output, "revoked" in listed.output] == [True, True]
    assert run(identity, "devices", "revoke", str(ROW["device"]), "--reason", "lost").exit_code == 0
    assert identity.given == [(f"/devices/{ROW['device']}/revoke", {"reason": "lost"})]


def test_a_device_shows_its_key_and_a_proof_of_the_code(identity: FakeIdentity, tmp_path: Path) -> None:
    words = ("terminal", "--facility", "LP-KPG", "--spool-dir", str(tmp_path), "enrol", f" {CODE.upper()} ")
    done = run(identity, *words, token=False)
    assert done.exit_code == 0, done.output
    [(path, body)] = identity.given
    assert (path, body["name"], body["scope"]) == (f"/device-codes/{CODE}/device", "T1", "LP-KPG")
    assert identity.tokens_seen == [], "nobody is signed in there"
    with a_spool(tmp_path) as spool:
        key = public_key_of(spool.device_key())
        assert PublicKey.of(body["public_key"]) == key
        assert "d" not in body["public_key"], "the private half stays"
        check_proof(body["proof"], identity.url, CODE, key)
        assert spool.identity == identity.url


def test_an_enrolled_device_proves_itself_when_it_syncs(
    identity: FakeIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KARYA_GATEWAY_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("KARYA_IDENTITY_URL", identity.url)
    monkeypatch.delenv("KARYA_TOKEN", raising=False)

    def source(spool: Spool) -> Any:
        return device_route(spool, kafka=False)._auth.source  # type: ignore[attr-defined]

    with a_spool(tmp_path) as spool:
        assert not isinstance(source(spool), DeviceSession)
        spool.enrolled(identity.url)
        assert isinstance(source(spool), DeviceSession)
        monkeypatch.setenv("KARYA_TOKEN", "given")
        assert isinstance(source(spool), GivenToken)
        monkeypatch.setenv("KARYA_TOKEN", "")
        monkeypatch.setenv("KARYA_IDENTITY_URL", "http://other.test")
        assert not isinstance(source(spool), DeviceSession), "its key is enrolled elsewhere"


def test_a_token_is_asked_for_once_and_again_when_it_is_refused_or_expires(
    identity: FakeIdentity, tmp_path: Path
) -> None:
    now = [0.0]
    with a_spool(tmp_path) as spool:
        key = public_key_of(spool.device_key())
        session = DeviceSession(identity.url, spool.device_key, lambda: now[0])
        assert session.token() == session.token() == a_token(9, [])
        [(_, asked), (_, proven)] = identity.given
        assert asked == {"device": key.device}
        assert (proven["device"], proven["challenge"]) == (key.device, "c-1")
        check_proof(proven["proof"], identity.url, "c-1", key)
        now[0] = 271.0
        session.token()
        assert len(identity.given) == 4, "it expires within half a minute"
        identity.valid = "another"
        with httpx.Client(base_url=identity.url, auth=Bearer(session)) as client:
            assert client.get("/devices").status_code == 401
        assert len(identity.given) == 6, "one more proof, and no more"


def test_a_device_that_can_not_prove_itself_says_why(identity: FakeIdentity, tmp_path: Path) -> None:
    with a_spool(tmp_path) as spool:
        identity.refusals["/device-tokens"] = {"template": "This device is revoked.", "values": {}}
        with pytest.raises(NotAnswered, match="This device is revoked"):
            DeviceSession(identity.url, spool.device_key).token()
        with pytest.raises(NotAnswered, match="can't prove itself"):
            DeviceSession("http://127.0.0.1:9", spool.device_key).token()
        identity.answers["/device-challenges"] = json.loads("{}")
        with pytest.raises(NotAnswered, match="can't prove itself"):
            DeviceSession(identity.url, spool.device_key).token()


def test_a_terminal_shows_a_code_as_a_qr_code_too(identity: FakeIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run(identity, "--lang", "en", "devices", "code", "terminal:LP-KPG").stdout
    monkeypatch.setattr(devices, "out", SimpleNamespace(is_terminal=True))
    shown = run(identity, "--lang", "en", "devices", "code", "terminal:LP-KPG").stdout
    drawn = StringIO()
    segno.make(CODE, micro=False).terminal(drawn, border=2, compact=True)
    code, others = plain.split("\n", 1)
    assert shown == f"{code}\n{drawn.getvalue()}{others}"
    assert drawn.getvalue()
    as_json = run(identity, "devices", "code", "terminal:LP-KPG", "--json").stdout
    assert json.loads(as_json)["code"] == CODE
