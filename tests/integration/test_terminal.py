"""A terminal from its spool over Kafka, or over a gateway, to production and back."""

import asyncio
import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from deploy.local.services import environment
from edge import sync
from edge.terminal.terminal import ReportChange, ReportStatus, Terminal
from services.production.domain.entities import ReportOutcome
from shared.errors import NotReached
from shared.events.inventory import INVENTORY
from shared.events.production import (
    ANSWERS,
    LOT_ANSWERS,
    PRODUCTION,
    TERMINAL,
    LotRecalled,
    LotRecorded,
    Refusal,
    ReportAccepted,
    ReportRejected,
)
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import RunService, both_drivers
from tests.support.probe import Probe
from tests.support.ways import CaughtUpRoute, Way

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]

# Dies in the middle of its first sync: when a window is stored, before or after the spool knows.
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from edge.terminal.terminal import ReportChange, Terminal
from edge import sync
from shared.access.session import Bearer, GivenToken
from shared.settings import Settings
from edge.spool import Spool

sync.WINDOW = 10
acknowledge = Spool.acknowledge

def dying(self, numbers):
    if sys.argv[2] == "after":
        acknowledge(self, numbers)
    os.kill(os.getpid(), signal.SIGKILL)

Spool.acknowledge = dying
with Terminal(Path(sys.argv[1]), "PR-KPG", "T1") as terminal:
    gateway = [sync.GatewayRoute(url, Bearer(GivenToken(token))) for url, token in [sys.argv[3:]] if url]
    route = gateway[0] if gateway else sync.KafkaRoute(Settings())
    asyncio.run(terminal.sync(route, wait=0))
"""


def today() -> date:
    return datetime.now(UTC).date()


def record(terminal: Terminal, qty: int, *, product: str = "KTI", maker: str | None = None) -> str:
    return terminal.record(product, qty, made_on=today(), at=datetime.now(UTC), maker=maker).id


async def test_a_recall_is_lifted_and_a_report_withdrawn(
    settings: Settings, run_service: RunService, tmp_path: Path, mongo: Mongo, way: Way
) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        record(terminal, 12)
        record(terminal, 5)
        mistyped = record(terminal, 500)
        terminal.edit(3, ReportChange(qty=50))
        async with run_service("production"), run_service("inventory"):
            assert (await terminal.sync(way.route, wait=30)).unanswered == 0
            mistaken_recall, wrong, edited = (row.answer for row in terminal.tracked_reports())
            assert isinstance(mistaken_recall, ReportAccepted)
            assert isinstance(wrong, ReportAccepted)
            assert isinstance(edited, ReportAccepted)
            assert edited.report != mistyped
            terminal.recall(mistaken_recall.lot, at=datetime.now(UTC))
            terminal.lift(mistaken_recall.lot, reason="the wrong lot", at=datetime.now(UTC))
            terminal.withdraw(wrong.lot, at=datetime.now(UTC))
            terminal.correct(wrong.lot, 1, at=datetime.now(UTC))
            assert (await terminal.sync(way.route, wait=30, sales=True)).unanswered == 0
        assert [row.status for row in terminal.tracked_reports()[3:]] == [
            ReportStatus.ACCEPTED,
            ReportStatus.ACCEPTED,
            ReportStatus.ACCEPTED,
            ReportStatus.REJECTED,
        ]
    stock = {lot["_id"]: lot async for lot in mongo.database("inventory")["lots"].find()}
    assert [
        (stock[answer.lot]["on_hand"], stock[answer.lot]["recalled"]) for answer in (mistaken_recall, wrong, edited)
    ] == [
        (12, False),
        (0, False),
        (50, False),
    ]
    assert stock[wrong.lot]["withdrawn"]


@both_drivers
async def test_a_terminal_hears_what_became_of_its_reports(
    settings: Settings, run_service: RunService, probe: Probe, tmp_path: Path, mongo: Mongo, way: Way
) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        good = record(terminal, 12, maker="7429918830")
        bad = record(terminal, 12, product="KRJ")
        async with run_service("production"), run_service("inventory"):
            report = await terminal.sync(way.route, wait=30)
            assert (report.sent, report.unanswered, report.unreadable) == (2, 0, 0)
            accepted, rejected = (row.answer for row in terminal.tracked_reports())
            assert isinstance(accepted, ReportAccepted)
            assert isinstance(rejected, ReportRejected)
            assert (accepted.report, rejected.report) == (good, bad)
            assert rejected.reason is Refusal.NOT_MADE_HERE

            # Inventory alone can say whether these fit.
            terminal.correct(accepted.lot, -2, at=datetime.now(UTC))
            terminal.correct(accepted.lot, -11, at=datetime.now(UTC))
            terminal.recall(accepted.lot, at=datetime.now(UTC))
            report = await terminal.sync(way.route, wait=30)
            assert (report.sent, report.unanswered) == (3, 0)
        rows = terminal.tracked_reports()
        assert [row.status for row in rows] == [
            ReportStatus.ACCEPTED,
            ReportStatus.REJECTED,
            ReportStatus.ACCEPTED,
            ReportStatus.REJECTED,
            ReportStatus.ACCEPTED,
        ]
        refused = rows[3].answer
        assert isinstance(refused, ReportRejected)
        assert refused.reason is Refusal.NOT_ENOUGH_STOCK
    assert [lot.lot for lot in await probe.bodies(PRODUCTION, LotRecorded)] == [accepted.lot]
    assert [lot.lot for lot in await probe.bodies(PRODUCTION, LotRecalled)] == [accepted.lot]
    [lot] = await mongo.database("production")["lots"].find().to_list()
    assert (lot["_id"], lot["qty"], lot["corrected"], lot["recalled"]) == (accepted.lot, 12, -2, True)
    # The pseudonym is production's alone, and the number nobody's.
    for topic in (PRODUCTION, ANSWERS, LOT_ANSWERS, INVENTORY):
        assert not [record for record in await probe.records(topic) if lot["maker"].encode() in (record.value or b"")]
    assert not [record for record in await probe.records(TERMINAL) if b"7429918830" in (record.value or b"")]


async def test_without_a_network_nothing_is_lost(settings: Settings, probe: Probe, tmp_path: Path, way: Way) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        ids = [record(terminal, qty) for qty in (1, 2, 3)]
        with pytest.raises(NotReached, match="3 records wait"):
            await terminal.sync(way.away, wait=0)
        assert terminal.counts().pending == 3
        assert (await terminal.sync(way.route, wait=0)).sent == 3
        assert (await terminal.sync(way.route, wait=0)).sent == 0
    assert [record.event.id for record in await probe.read_all(TERMINAL)] == ids


@pytest.mark.parametrize(("side", "sent_twice"), [("before", 10), ("after", 0)])
async def test_a_sync_that_is_killed_goes_on_where_it_was(
    settings: Settings,
    run_service: RunService,
    probe: Probe,
    tmp_path: Path,
    mongo: Mongo,
    side: str,
    sent_twice: int,
    way: Way,
) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        ids = [record(terminal, qty) for qty in range(1, 26)]
        gateway = ["", ""]
        if isinstance(way.route, CaughtUpRoute):
            gateway = [way.route.url, await way.route.enrol(terminal.spool)]
    dying = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DYING,
        str(tmp_path),
        side,
        *gateway,
        cwd=ROOT,
        env={**os.environ, **environment(settings)},
    )
    assert await dying.wait() == -signal.SIGKILL
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        async with run_service("production"):
            report = await terminal.sync(way.route, wait=60)
        assert (report.sent, report.unanswered) == (15 + sent_twice, 0)
        assert {row.status for row in terminal.tracked_reports()} == {ReportStatus.ACCEPTED}
    logged = [record.event.id for record in await probe.read_all(TERMINAL)]
    assert len(logged) == 25 + sent_twice
    assert list(dict.fromkeys(logged)) == ids
    database = mongo.database("production")
    assert await database["lots"].count_documents({}) == 25
    assert await database["reports"].count_documents({"outcome": ReportOutcome.ACCEPTED.value}) == 25
    quantities = [lot.qty for lot in await probe.bodies(PRODUCTION, LotRecorded)]
    assert sorted(quantities) == list(range(1, 26))


async def test_two_syncs_at_once_keep_the_order(
    settings: Settings, probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    monkeypatch.setattr(sync, "WINDOW", 7)
    with Terminal(tmp_path, "PR-KPG", "T1") as first, Terminal(tmp_path, "PR-KPG", "T1") as other:
        ids = [record(first, qty) for qty in range(1, 41)]
        await asyncio.gather(first.sync(way.route, wait=0), other.sync(way.route, wait=0))
        assert first.counts().pending == 0
    logged = [record.event.id for record in await probe.read_all(TERMINAL)]
    assert list(dict.fromkeys(logged)) == ids
