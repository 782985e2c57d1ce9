"""A device whose key is lost: it is enrolled again by a new key, and what it has not sent comes in once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from edge.sync import GatewayRoute, gateway
from edge.terminal.terminal import ReportStatus, Terminal
from services.gateway.api import intake
from services.gateway.domain.known_device import KnownDevice
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.access.signatures import HEADER, PrivateKey, SignedContent, public_key_of, verify
from shared.errors import NotReached
from shared.events.gateway import HELD_COMMANDS
from shared.events.identity import PublicKey, Role
from shared.events.production import TERMINAL
from shared.settings import Settings, UnsignedRecords
from tests.support.callers import token_of, with_access
from tests.support.intake import Line, Log, an_intake

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
IDENTITY = "http://identity.test"
AS_DEVICE = Grant(Role.TERMINAL, "LP-KPG")


def known(key: PrivateKey, *, revoked: bool = False) -> KnownDevice:
    public = public_key_of(key)
    return KnownDevice(public.device, public, "terminal/LP-KPG/T1", datetime.now(UTC), revoked)


def recorded(terminal: Terminal, *pieces: int) -> list[str]:
    return [terminal.record("KRJ", qty, made_on=date(2026, 11, 30), at=NOW, unlisted=True).id for qty in pieces]


def lost_key(folder: Path, *pieces: int) -> PrivateKey:
    """The key of a terminal that recorded lots of so many pieces, and then lost it."""
    with Terminal(folder, "LP-KPG", "T1") as terminal:
        recorded(terminal, *pieces)
        key = terminal.spool.device_key()
        terminal.spool.path.with_suffix(".key").unlink()
    return key


@asynccontextmanager
async def a_site(*devices: KnownDevice) -> AsyncIterator[tuple[Log, Line, GatewayRoute]]:
    """A gateway that knows these devices and takes no unsigned records, and the route of a device of the facility."""
    log = Log()
    async with an_intake(log, with_access(Settings(unsigned=UnsignedRecords.REFUSED)), *devices) as app:
        line = Line(app)
        yield log, line, GatewayRoute("http://localhost", Bearer(GivenToken(token_of(AS_DEVICE))), line)


def signed_by(log: Log, key: PublicKey) -> list[str]:
    """The ids of the stored records, each of which this key has signed."""
    for record in log.records:
        assert record.topic == TERMINAL
        content = SignedContent.of(record.headers, record.key.encode(), record.value)
        verify(dict(record.headers)[HEADER].decode(), content, key)
    return log.ids


async def test_what_a_lost_key_signed_that_nobody_enrolled_is_signed_by_the_enrolled_one(tmp_path: Path) -> None:
    lost_key(tmp_path, 1, 2, 3)
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        recorded(terminal, 4)
        records = terminal.spool.records()
        device = known(terminal.spool.device_key())
        async with a_site(device) as (log, _, route):
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused) == (1, 3), "before it is enrolled, a device signs nothing again"
            assert {refusal.reason for refusal in terminal.spool.refusals().values()} == {"unknown_device"}
            terminal.spool.enrolled(IDENTITY)
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused, terminal.counts().pending) == (3, 0, 0)
            assert (await terminal.sync(route, wait=0)).sent == 0
    assert signed_by(log, device.public_key) == [records[number].id for number in (3, 0, 1, 2)]
    assert {dict(record.headers)["ce_id"].decode(): record.value for record in log.records} == {
        record.id: record.value for record in records
    }


async def test_what_an_enrolled_key_signed_before_it_was_lost_is_stored_as_it_is(tmp_path: Path) -> None:
    lost = known(lost_key(tmp_path, 1, 2))
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        terminal.spool.enrolled(IDENTITY)
        ids = [record.id for record in terminal.spool.records()]
        async with a_site(lost, known(terminal.spool.device_key())) as (log, line, route):
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused, terminal.counts().pending) == (2, 0, 0)
    assert signed_by(log, lost.public_key) == ids
    assert sum(request.method == "POST" for request in line.requests) == 1


async def test_a_new_key_does_not_sign_what_a_revoked_one_has_signed(tmp_path: Path) -> None:
    revoked = known(lost_key(tmp_path, 1, 2), revoked=True)
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        terminal.spool.enrolled(IDENTITY)
        recorded(terminal, 3)
        async with a_site(revoked, known(terminal.spool.device_key())) as (log, _, route):
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused) == (1, 2)
        statuses = [row.status for row in terminal.tracked_reports()]
    assert statuses == [ReportStatus.HELD, ReportStatus.HELD, ReportStatus.SENT]
    assert [record.topic for record in log.records] == [HELD_COMMANDS, HELD_COMMANDS, TERMINAL]


async def test_a_sync_waits_until_the_gateway_has_heard_of_the_enrolment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "HEARD_WITHIN", 0.2)
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        ids = recorded(terminal, 1, 2)
        terminal.spool.enrolled(IDENTITY)
        device, heard = known(terminal.spool.device_key()), dict[str, KnownDevice]()

        async def known_devices(*_: object) -> dict[str, KnownDevice]:
            return heard

        async with a_site() as (log, line, route):
            monkeypatch.setattr(intake, "known_devices", known_devices)
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused, log.records) == (0, 2, []), "not for ever"
            line.requests.clear()
            line.before = lambda _: heard.update({device.id: device} if len(line.requests) == 3 else {})
            report = await terminal.sync(route, wait=0)
            assert (report.sent, report.refused) == (2, 0)
    assert signed_by(log, device.public_key) == ids


async def test_a_line_that_breaks_before_records_are_sent_again_loses_none(tmp_path: Path) -> None:
    lost_key(tmp_path, 1, 2)
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        terminal.spool.enrolled(IDENTITY)
        recorded(terminal, 3)
        async with a_site(known(terminal.spool.device_key())) as (log, line, route):

            def broken(request: httpx.Request) -> None:
                if len(line.requests) == 2:
                    raise httpx.ConnectError("gone", request=request)

            line.before = broken
            with pytest.raises(NotReached, match="2 records wait"):
                await terminal.sync(route, wait=0)
            assert len(log.records) == 1
            assert (await terminal.sync(route, wait=0)).sent == 2
    assert len(set(log.ids)) == len(log.ids) == 3
