"""The client's side of a session: tokens are renewed in time and once, and one process at a time does it."""

import asyncio
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from shared.access.device_session import DeviceSession
from shared.access.session import (
    Bearer,
    ClientSession,
    GivenToken,
    SessionFile,
    StoredSession,
    roles_of,
    wait_for_role,
)
from shared.access.signatures import new_device_key
from shared.errors import NotAnswered
from tests.support.fake_identity import FakeIdentity, running_identity

pytestmark = pytest.mark.unit


@pytest.fixture
def identity() -> Iterator[FakeIdentity]:
    with running_identity() as fake:
        fake.pages["/page"] = "read"
        yield fake


@pytest.fixture
def file(tmp_path: Path, identity: FakeIdentity) -> SessionFile:
    """The file of a session that was just begun."""
    file = SessionFile(tmp_path / "sessions" / "a.json")
    file.write(ClientSession.from_answer(identity.url, identity.next_tokens(), time.time()))
    return file


def get(identity: FakeIdentity, source: StoredSession | GivenToken) -> httpx.Response:
    with httpx.Client(base_url=identity.url, auth=Bearer(source)) as client:
        return client.get("/page")


def expiring(file: SessionFile, seconds: float) -> None:
    session = file.read()
    assert session is not None
    file.write(replace(session, expires_at=time.time() + seconds))


def test_a_token_is_sent_and_not_renewed_while_it_is_valid(identity: FakeIdentity, file: SessionFile) -> None:
    assert get(identity, StoredSession(file)).json() == "read"
    assert identity.refreshes == 0


def test_a_token_that_expires_soon_is_renewed_before_the_request(identity: FakeIdentity, file: SessionFile) -> None:
    expiring(file, 20)
    assert get(identity, StoredSession(file)).json() == "read"
    assert identity.refreshes == 1
    assert identity.tokens_seen == [identity.valid], "the old token was not sent"
    assert get(identity, StoredSession(file)).json() == "read"
    assert identity.refreshes == 1, "the new tokens were kept"


def test_no_token_goes_to_another_machine_in_clear(identity: FakeIdentity, file: SessionFile) -> None:
    # It reaches this machine, and is no loopback address.
    identity.url = identity.url.replace("127.0.0.1", "0.0.0.0")
    kept = file.read()
    assert kept is not None
    file.write(replace(kept, identity=identity.url))
    with pytest.raises(NotAnswered, match="Use an address that begins with https://"):
        get(identity, StoredSession(file))
    expiring(file, -1)
    with pytest.raises(NotAnswered, match="Use an address that begins with https://"):
        StoredSession(file).token()
    with pytest.raises(NotAnswered, match="Use an address that begins with https://"):
        DeviceSession(identity.url, new_device_key).token()
    assert (identity.given, identity.refreshes, identity.tokens_seen) == ([], 0, [])
    identity.is_open = True
    assert get(identity, GivenToken(None)).json() == "read", "without a secret there is nothing to hide"


def test_a_refused_token_is_renewed_and_the_request_repeated_once(identity: FakeIdentity, file: SessionFile) -> None:
    identity.valid = "revoked"
    assert get(identity, StoredSession(file)).json() == "read"
    assert (identity.refreshes, len(identity.tokens_seen)) == (1, 2)


def test_a_token_that_is_refused_again_is_not_renewed_for_ever(identity: FakeIdentity, file: SessionFile) -> None:
    next_tokens = identity.next_tokens

    def useless() -> dict[str, object]:
        tokens = next_tokens()
        identity.valid = "revoked"
        return tokens

    identity.next_tokens = useless  # type: ignore[method-assign]
    identity.valid = "revoked"
    assert get(identity, StoredSession(file)).status_code == 401
    assert (identity.refreshes, len(identity.tokens_seen)) == (1, 2)


def test_clients_that_renew_at_the_same_time_do_not_end_the_session(
    identity: FakeIdentity, file: SessionFile
) -> None:
    session = file.read()
    assert session is not None
    together = threading.Barrier(8)
    renewed: list[str | None] = []

    def renew() -> None:
        together.wait()
        # A file object of its own, as another process has it.
        renewed.append(StoredSession(SessionFile(file.path)).renewed(session.access_token))

    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not identity.reused
    assert identity.refreshes == 1
    assert renewed == [identity.valid] * 8


def test_a_session_that_identity_has_ended_is_forgotten(identity: FakeIdentity, file: SessionFile) -> None:
    identity.refresh_token = identity.valid = ""
    stored = StoredSession(file)
    assert get(identity, stored).status_code == 401
    assert stored.has_ended
    assert file.read() is None
    assert get(identity, StoredSession(file)).status_code == 401
    assert identity.tokens_seen[-1] is None


def test_while_identity_is_away_a_token_is_used_until_it_expires(identity: FakeIdentity, file: SessionFile) -> None:
    session = file.read()
    assert session is not None
    away = replace(session, identity="http://127.0.0.1:9")
    file.write(replace(away, expires_at=time.time() + 20))
    assert StoredSession(file).token() == session.access_token
    file.write(replace(away, expires_at=time.time() - 1))
    with pytest.raises(NotAnswered, match="identity service does not answer"):
        StoredSession(file).token()
    assert file.read() is not None, "nobody has ended the session"


def test_a_failing_identity_ends_no_session(identity: FakeIdentity, file: SessionFile) -> None:
    expiring(file, -1)
    identity.failing = True
    with pytest.raises(NotAnswered):
        StoredSession(file).token()
    assert file.read() is not None


def test_a_token_goes_to_the_services_of_its_own_identity_alone(identity: FakeIdentity, file: SessionFile) -> None:
    assert StoredSession(file, identity.url).token() == identity.valid
    assert StoredSession(file, "http://other.test").token() is None


def test_only_the_owner_reads_the_file_and_a_damaged_one_is_no_session(file: SessionFile) -> None:
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert {path.name for path in file.path.parent.iterdir()} <= {"a.json", "a.json.lock"}
    for text in ("", "{", "[]", '{"identity": "x"}'):
        file.path.write_text(text)
        assert file.read() is None


def test_no_token_shows_in_a_text_of_the_session(identity: FakeIdentity, file: SessionFile) -> None:
    shown = repr(file.read())
    assert identity.url in shown
    assert identity.valid not in shown
    assert identity.refresh_token not in shown


async def test_the_async_client_does_the_same(identity: FakeIdentity, file: SessionFile) -> None:
    identity.valid = "revoked"
    async with httpx.AsyncClient(base_url=identity.url, auth=Bearer(StoredSession(file))) as client:
        answers = await asyncio.gather(*(client.get("/page") for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert (identity.refreshes, identity.reused) == (1, False)


def test_a_given_token_is_sent_as_it_is(identity: FakeIdentity) -> None:
    identity.valid = "given"
    assert get(identity, GivenToken("given")).json() == "read"
    assert get(identity, GivenToken("other")).status_code == 401
    assert get(identity, GivenToken(None)).status_code == 401
    assert identity.tokens_seen == ["given", "other", None]


def test_a_role_that_comes_later_is_waited_for(identity: FakeIdentity, file: SessionFile) -> None:
    identity.later_roles = [["organiser:*"], ["organiser:*", "organiser:ODOP"]]
    assert wait_for_role(StoredSession(file), "organiser:ODOP", 10)
    assert identity.refreshes == 2
    assert roles_of(StoredSession(file).token() or "") == ["organiser:*", "organiser:ODOP"]
    assert wait_for_role(StoredSession(file), "organiser:ODOP", 10)
    assert identity.refreshes == 2
    assert not wait_for_role(StoredSession(file), "organiser:RAYA", 0.3)


def test_nobody_waits_for_a_role_without_a_session(identity: FakeIdentity) -> None:
    assert wait_for_role(GivenToken(None), "organiser:ODOP", 0)
    assert wait_for_role(GivenToken("given"), "organiser:ODOP", 1)


@pytest.mark.parametrize("token", ["", "a.b", "a.!!.c", "a.e30.c", "a.W10.c", "a.eyJyb2xlcyI6IDd9.c"])
def test_a_token_that_can_not_be_read_has_no_roles(token: str) -> None:
    assert roles_of(token) == []


def test_a_renewal_whose_answer_is_lost_is_asked_for_once_more(identity: FakeIdentity, file: SessionFile) -> None:
    expiring(file, 0)
    identity.lost_answers = 1
    assert get(identity, StoredSession(file)).json() == "read"
    assert identity.refreshes == 2
    expiring(file, 0)
    identity.lost_answers = 2
    with pytest.raises(NotAnswered):
        get(identity, StoredSession(file))
    assert get(identity, StoredSession(file)).json() == "read", "the session is kept"
