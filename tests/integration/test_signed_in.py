"""People at a stack with access tokens: sign in, announce, be refused elsewhere, pass a role on, sign out."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.services import LocalServices
from shared.access.session import SessionFile, StoredSession
from shared.settings import AccessControl, Settings
from tests.support.account_services import account_services
from tests.support.cli_people import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

DAYS = ("--place", "Kupang", "--first-day", "2026-04-18", "--last-day", "2026-04-19", "--yes")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access": AccessControl.TOKENS})


@pytest.fixture
def services(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServices]:
    """The eight services with the sample accounts."""
    with account_services(settings, tmp_path, monkeypatch, http_port=18301) as services:
        yield services


def test_people_do_what_their_roles_allow(settings: Settings, services: LocalServices, tmp_path: Path) -> None:
    organiser, administrator, other = (Person(settings, services.urls, tmp_path, name) for name in ("o", "a", "x"))
    assert organiser.tries("festival", "list").stderr == "Sign in first: `karya login`.\n"

    # The organiser of a festival is whoever announced it, at once.
    organiser.does("login", "--as", "organiser")
    organiser.does("festival", "announce", "ODOP", "One Day", *DAYS)
    organiser.does("festival", "booth", "ODOP", "B1", "--price", "KTI=150.000")
    subject = organiser.reads("whoami")["subject"]

    # The administrator keeps the catalogue and accounts, and runs no festival.
    administrator.does("login", "--as", "administrator")
    administrator.does("catalogue", "set-unit", "kotak", "Kotak")
    refused = administrator.tries("festival", "close", "ODOP")
    assert (refused.exit_code, "it has the roles administrator." in refused.stderr) == (1, True)
    refused = organiser.tries("catalogue", "set-unit", "kotak", "Box")
    assert (refused.exit_code, "organiser:ODOP" in refused.stderr) == (1, True)
    assert organiser.tries("accounts", "list").exit_code == 1
    assert organiser.tries("accounts", "invite", "cashier:RAYA.B1").exit_code == 1

    # A role is passed on by a code, which opens an account.
    code = organiser.reads("accounts", "invite", "cashier:ODOP.B1")["code"]
    words = ("accounts", "register", code, "--login", "kasir.satu", "--name", "Kasir", "--password-stdin")
    other.does(*words, given="kain biru tua\n")
    other.does("login", "kasir.satu", "--password-stdin", given="kain biru tua\n")
    assert other.reads("whoami")["roles"] == [{"role": "cashier", "scope": "ODOP.B1"}]
    assert other.tries("festival", "close-booth", "ODOP", "B1").exit_code == 1
    assert other.tries("accounts", "accept", code).exit_code == 1, "a code is good once"

    # What was commanded is told with the account that did.
    given = {(entry["command"], entry["actor"]) for entry in organiser.reads("audit", "--festival", "ODOP")}
    assert {("AnnounceFestival", subject), ("OpenBooth", subject), ("GrantRole", subject)} <= given
    assert "CloseFestival" not in {command for command, _ in given}
    # An auditor needs no Kafka for it, and others may not ask.
    auditor = Person(settings, services.urls, tmp_path, "r")
    auditor.does("login", "--as", "auditor")
    told = auditor.reads("audit", "--http", "--festival", "ODOP")
    by_accounts = {(name, actor) for name, actor in given if actor.startswith("s-")}
    assert {(entry["command"], entry["actor"]) for entry in told} == by_accounts
    assert organiser.tries("audit", "--http").exit_code == 1

    # A role that is withdrawn is gone with the next token.
    rows = administrator.reads("accounts", "list", "--role", "cashier:ODOP.B1")
    [cashier] = [row["subject"] for row in rows if row["login"] == "kasir.satu"]
    administrator.does("accounts", "revoke", cashier, "cashier:ODOP.B1")
    assert other.reads("whoami")["roles"] == []

    # Several commands that renew at the same time leave the session as it is.
    kept = SessionFile(organiser.file)
    session = kept.read()
    assert session is not None
    threads = [
        threading.Thread(target=lambda: StoredSession(SessionFile(organiser.file)).renewed(session.access_token))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert organiser.tries("festival", "list").exit_code == 0

    # A reset and a new password end the sessions.
    code = administrator.reads("accounts", "reset", "kasir.satu")["code"]
    other.does("accounts", "restore", code, "--password-stdin", given="kain merah tua\n")
    other.does("login", "kasir.satu", "--password-stdin", given="kain merah tua\n")
    administrator.does("accounts", "close", "kasir.satu", "--reason", "pindah")
    assert other.tries("login", "kasir.satu", "--password-stdin", given="kain merah tua\n").exit_code == 1

    organiser.does("logout")
    assert organiser.tries("festival", "list").stderr == "Sign in first: `karya login`.\n"

    # Identity gets another port, because its own is taken meanwhile: the others follow it.
    former = services.servers["identity"].port
    services.servers["identity"].stop()
    with socket.create_server(("127.0.0.1", former)):
        services.restart("identity")
        assert services.servers["identity"].port != former
        moved = Person(settings, services.urls, tmp_path, "moved")
        moved.does("login", "--as", "organiser")
        assert [row["festival"] for row in moved.reads("festival", "list")] == ["ODOP"]


def test_a_device_syncs_by_its_own_key_until_it_is_lost(
    settings: Settings, services: LocalServices, tmp_path: Path
) -> None:
    staff, tablet, second = (Person(settings, services.urls, tmp_path, name) for name in ("s", "t", "u"))
    staff.does("login", "--as", "facility-staff")
    place = staff.reads("whoami")["roles"][0]["scope"]

    def terminal(folder: str) -> tuple[str, ...]:
        return (*("terminal", "--facility", place, "--zone", "Asia/Makassar", "--spool-dir", str(tmp_path / folder)),)

    tablet.does(*terminal("tablet"), "record", "KTI", "5", "--unlisted")
    assert "Sign in first" in tablet.tries(*terminal("tablet"), "sync").stderr
    code = staff.reads("devices", "code", f"terminal:{place}")["code"]
    assert staff.tries("devices", "code", "till:ODOP.B1").exit_code == 1
    other = tablet.tries("terminal", "--facility", "LP-WKB", "--spool-dir", str(tmp_path / "x"), "enrol", code)
    assert (other.exit_code, place in other.stderr) == (1, True)
    tablet.does(*terminal("tablet"), "enrol", code.upper())
    assert second.tries(*terminal("second"), "enrol", code).exit_code == 1, "a code is good once"

    # What the device recorded before it was enrolled is taken; nobody has signed in there.
    report = tablet.reads(*terminal("tablet"), "sync", "--wait", "20")
    assert (report["sent"], report["unanswered"], report["not_taken"]) == (1, 0, [])
    [row] = staff.reads("devices", "list", "--facility", place)
    assert (row["role"], row["scope"], row["name"], row["revoked_at"]) == ("terminal", place, "T1", None)

    # It loses its enrolled key with an unsent record, and the next key before anybody enrols that one.
    for pieces in ("8", "9"):
        tablet.does(*terminal("tablet"), "record", "KTI", pieces, "--unlisted")
        (tmp_path / "tablet" / "terminal" / f"{place}.T1.key").unlink()
    tablet.does(*terminal("tablet"), "enrol", staff.reads("devices", "code", f"terminal:{place}")["code"])
    report = tablet.reads(*terminal("tablet"), "sync", "--wait", "20")
    assert (report["sent"], report["unanswered"], report["not_taken"]) == (2, 0, [])
    staff.does("devices", "revoke", row["device"], "--reason", "lost key")
    rows = staff.reads("devices", "list", "--facility", place)
    [row] = [row for row in rows if row["revoked_at"] is None]

    # It is lost with a record that it never sent, of which there is a backup.
    tablet.does(*terminal("tablet"), "record", "KTI", "6", "--unlisted")
    tablet.does(*terminal("tablet"), "spool", "export", str(tmp_path / "backup.spool"))
    staff.does("devices", "revoke", row["device"], "--reason", "lost")
    lost = tablet.tries(*terminal("tablet"), "sync")
    assert (lost.exit_code, "revoked" in lost.stderr) == (1, True)

    # Another one goes on from the backup with a key of its own.
    second.does(*terminal("second"), "spool", "import", str(tmp_path / "backup.spool"))
    second.does(*terminal("second"), "enrol", staff.reads("devices", "code", f"terminal:{place}")["code"])
    second.does(*terminal("second"), "record", "KTI", "7", "--unlisted")
    report = second.reads(*terminal("second"), "sync", "--wait", "20")
    assert report["sent"] == 1
    assert len(report["not_taken"]) == 1
    assert {row["revoked_at"] is None for row in staff.reads("devices", "list", "--facility", place)} == {True, False}

    # The lost one's record is held, and counts once an operator releases it. The backup hears of it.
    operator = Person(settings, services.urls, tmp_path, "o")
    operator.does("login", "--as", "operator")
    [held] = asyncio.run(eventually(lambda: operator.reads("held", "list"), until=len))
    assert (held["device"], held["place"], held["status"]) == (row["device"], place, "held")
    assert staff.tries("held", "release", row["device"]).exit_code == 1
    assert operator.reads("held", "release", row["device"])["records"] == 1
    assert operator.reads("held", "list") == []
    report = second.reads(*terminal("second"), "sync", "--wait", "20")
    assert (report["sent"], report["unanswered"], report["not_taken"]) == (1, 0, [])
    given = {(entry["command"], entry["actor"]) for entry in staff.reads("audit")}
    assert ("ReleaseRecords", operator.reads("whoami")["subject"]) in given
    auditor = Person(settings, services.urls, tmp_path, "r")
    auditor.does("login", "--as", "auditor")
    told = auditor.reads("audit", "--http", "--actor", row["device"])
    assert {(entry["command"], entry["key"]) for entry in told} == {("ProductionReported", place)}
    # Somebody with the account of the facility writes as the terminal, with a key that nobody has enrolled.
    staff.does(*terminal("third"), "record", "KTI", "900", "--unlisted")
    report = staff.reads(*terminal("third"), "sync")
    assert (report["sent"], [row["reason"] for row in report["not_taken"]]) == (0, ["name_enrolled"])
    verified = staff.reads("verify", "--signatures", "--within", "30")
    [check] = [check for check in verified["checks"] if check["name"] == "signatures"]
    assert (check["looked_at"], check["broken"], check["notes"]) == (5, [], [])
