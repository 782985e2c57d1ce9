"""What the commands about accounts ask of identity, and what they show of the answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from cli.accounts.session import grant
from shared.errors import WrongEntry
from tests.support.fake_identity import SUBJECT, FakeIdentity, running_identity

pytestmark = pytest.mark.unit

OTHER = "s-zyxwvutsrqponmlkjihgfedcba"
EXPIRES = "2026-04-20T08:00:00Z"


def an_account(subject: str, **changed: Any) -> dict[str, Any]:
    account = {
        "subject": subject,
        "login": "rina.k",
        "name": "Rina",
        "roles": [{"role": "organiser", "scope": "ODOP"}, {"role": "auditor", "scope": None}],
        "opened_at": "2026-04-17T08:00:00Z",
        "closed_at": None,
        "waits_for_reset": False,
    }
    return account | changed


@pytest.fixture
def identity() -> Iterator[FakeIdentity]:
    with running_identity() as fake:
        fake.next_tokens()
        fake.pages["/accounts"] = [
            an_account(SUBJECT),
            an_account(OTHER, login="budi", name="Budi", roles=[{"role": "cashier", "scope": "ODOP.B1"}]),
            an_account("s-aaaaaaaaaaaaaaaa", login=None, name=None, roles=[], waits_for_reset=True),
            an_account("s-bbbbbbbbbbbbbbbb", login="lama", closed_at="2026-04-18T08:00:00Z", roles=[]),
        ]
        fake.pages[f"/accounts/{SUBJECT}"] = an_account(SUBJECT)
        yield fake


def run(identity: FakeIdentity, *words: str, given: str = "", token: bool = True) -> Result:
    env = {
        "KARYA_IDENTITY_URL": identity.url,
        "KARYA_TOKEN": identity.valid if token else "",
        "KARYA_SESSION_FILE": "/nonexistent/session.json",
        "COLUMNS": "300",
    }
    return CliRunner().invoke(cli.app, ["accounts", *words], env=env, input=given)


def asked(identity: FakeIdentity, *words: str, given: str = "", token: bool = True) -> tuple[str, Any]:
    """Where a command goes that succeeds, and its body."""
    result = run(identity, *words, given=given, token=token)
    assert result.exit_code == 0, result.output
    return identity.given[-1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("organiser:ODOP", "organiser:ODOP"),
        (" Organiser:ODOP ", "organiser:ODOP"),
        ("organiser:*", "organiser:*"),
        ("cashier:ODOP.B1", "cashier:ODOP.B1"),
        ("facility-staff:LP-KPG", "facility-staff:LP-KPG"),
        ("subscriber:karya.public.sales.v1", "subscriber:karya.public.sales.v1"),
        ("auditor", "auditor"),
    ],
)
def test_a_role_is_read_as_people_type_it(text: str, shown: str) -> None:
    assert str(grant(text)) == shown


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("emperor", "'emperor' is no role. The roles are facility-staff,"),
        ("", "is no role"),
        ("organiser", "The role organiser needs a scope, e.g. organiser:ODOP."),
        ("cashier:ODOP", "A booth's id is its festival's, a dot"),
        ("organiser:", "An organiser's scope is a festival's id"),
        ("auditor:ODOP", "The role auditor has no scope: leave out 'ODOP'."),
    ],
)
def test_a_role_that_can_not_be_is_refused_before_it_is_sent(text: str, sentence: str) -> None:
    with pytest.raises(WrongEntry, match=sentence):
        grant(text)


def test_roles_are_granted_and_withdrawn_by_subject_or_login(identity: FakeIdentity) -> None:
    body = {"role": "organiser", "scope": "RAYA"}
    assert asked(identity, "grant", SUBJECT, "organiser:RAYA") == (f"/accounts/{SUBJECT}/roles/grant", body)
    assert asked(identity, "revoke", "BUDI", "auditor") == (
        f"/accounts/{OTHER}/roles/withdraw",
        {"role": "auditor", "scope": None},
    )
    result = run(identity, "grant", "nobody", "auditor")
    assert (result.exit_code, "No account has the login nobody" in result.stderr) == (1, True)
    assert run(identity, "grant", SUBJECT, "organiser").exit_code == 2


def test_an_account_is_closed_for_a_reason(identity: FakeIdentity) -> None:
    assert asked(identity, "close", SUBJECT, "--reason", "pindah") == (
        f"/accounts/{SUBJECT}/close",
        {"reason": "pindah"},
    )


def test_an_invitation_shows_its_code_role_and_end(identity: FakeIdentity) -> None:
    identity.answers["/invitations"] = {"code": "abcd-efgh", "expires_at": EXPIRES}
    assert asked(identity, "invite", "cashier:ODOP.B1", "--hours", "5") == (
        "/invitations",
        {"role": "cashier", "scope": "ODOP.B1", "hours": 5},
    )
    lines = run(identity, "invite", "cashier:ODOP.B1").stdout.splitlines()
    assert lines[0] == "abcd-efgh"
    assert lines[1].startswith("Brings the role cashier:ODOP.B1, once, until 2026-04-20")
    assert json.loads(run(identity, "invite", "auditor", "--json").stdout)["code"] == "abcd-efgh"
    assert run(identity, "invite", "auditor", "--hours", "0").exit_code == 2


def test_an_invitation_is_accepted_or_opens_an_account(identity: FakeIdentity) -> None:
    assert asked(identity, "accept", "abcd-efgh") == ("/invitations/abcd-efgh/accept", {})
    words = ("register", "abcd-efgh", "--login", "budi", "--name", "Budi", "--password-stdin")
    expected = {"login": "budi", "name": "Budi", "password": "kain biru tua"}
    assert asked(identity, *words, given="kain biru tua\n", token=False) == (
        "/invitations/abcd-efgh/account",
        expected,
    )
    assert identity.tokens_seen == [identity.valid], "whoever registers has no token yet"


def test_a_reset_shows_a_code_and_the_code_brings_a_password(identity: FakeIdentity) -> None:
    identity.answers[f"/accounts/{SUBJECT}/reset"] = {"code": "wxyz", "expires_at": EXPIRES}
    assert asked(identity, "reset", "rina.k") == (f"/accounts/{SUBJECT}/reset", {})
    assert run(identity, "reset", SUBJECT).stdout.splitlines()[0] == "wxyz"
    expected = {"password": "kain biru tua", "login": "rina", "name": None}
    words = ("restore", "wxyz", "--login", "rina", "--password-stdin")
    assert asked(identity, *words, given="kain biru tua\n", token=False) == ("/resets/wxyz/password", expected)


def test_ones_own_password_is_changed_by_two_lines_and_ends_the_session(
    identity: FakeIdentity, tmp_path: Path
) -> None:
    file = tmp_path / "session.json"
    file.write_text("{}")
    env = {"KARYA_IDENTITY_URL": identity.url, "KARYA_TOKEN": identity.valid, "KARYA_SESSION_FILE": str(file)}
    words = ["accounts", "password", "--password-stdin"]
    result = CliRunner().invoke(cli.app, words, env=env, input="kata yang lama\nkata yang baru\n")
    assert result.exit_code == 0, result.output
    assert identity.given[-1] == ("/password", {"old": "kata yang lama", "new": "kata yang baru"})
    assert not file.exists()
    result = CliRunner().invoke(cli.app, words, env=env, input="kata yang lama\n")
    assert (result.exit_code, len(identity.given)) == (1, 1)


def test_accounts_are_listed_with_roles_and_state(identity: FakeIdentity) -> None:
    rows = [line.split("\t") for line in run(identity, "list").stdout.splitlines()]
    assert rows[0] == ["subject", "login", "name", "roles", "status"]
    assert rows[1:] == [
        ["s-aaaaaaaaaaaaaaaa", "", "", "", "waits for a reset"],
        [SUBJECT, "rina.k", "Rina", "organiser:ODOP auditor", "open"],
        [OTHER, "budi", "Budi", "cashier:ODOP.B1", "open"],
    ]
    assert "lama" in run(identity, "list", "--closed").stdout
    for role in ("cashier", "cashier:ODOP.B1"):
        assert [row["subject"] for row in json.loads(run(identity, "list", "--role", role, "--json").stdout)] == [
            OTHER
        ]
    shown = run(identity, "show", "rina.k").stdout.splitlines()
    assert shown == [
        f"subject: {SUBJECT}",
        "login: rina.k",
        "name: Rina",
        "roles: organiser:ODOP auditor",
        "status: open",
    ]
