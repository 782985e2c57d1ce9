"""The spool keeps what it was given, through crashes, full disks and other processes."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared import envelope
from shared.errors import SpoolFailed
from shared.events.language import Body, Event
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, RecallLot, ReportAccepted
from shared.spool import Counts, Owner, Place, Spool, file

NOW = datetime(2023, 4, 18, 1, 2, 3, 456789, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from shared.events.production import TERMINAL, RecallLot
from shared.spool import Owner, Spool

with Spool(Owner(Path(sys.argv[1]), TERMINAL, "terminal/LP-KPG/T1")) as spool:
    for _ in range(int(sys.argv[2])):
        said = spool.say(
            lambda place: RecallLot(facility="LP-KPG", terminal="T1", lot=f"{place.number}"), datetime.now(UTC)
        )
        print(said.number, said.id, flush=True)
"""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Spool]:
    with opened(tmp_path) as spool:
        yield spool


def opened(folder: Path) -> Spool:
    return Spool(Owner(folder / "terminal" / "a.spool", TERMINAL, "terminal/LP-KPG/T1"))


def a_report(place: Place) -> Body:
    return reported(place.number)


def reported(qty: int) -> Body:
    return ProductionReported(facility="LP-KPG", terminal="T1", product="KRJ", qty=qty, made_on=date(2023, 4, 18))


def an_answer(report: str, *, id: str = "a1") -> Event:
    body = ReportAccepted(facility="LP-KPG", terminal="T1", report=report, lot="L")
    return Event(id=id, source="production", key="LP-KPG", time=NOW, logged_at=NOW, body=body)


def test_a_record_is_numbered_and_named_when_it_is_made(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        made = [spool.say(a_report, NOW) for _ in range(3)]
    with opened(tmp_path) as spool:
        assert spool.all_said() == made
    assert [said.number for said in made] == [1, 2, 3]
    assert [said.body for said in made] == [reported(1), reported(2), reported(3)]
    assert len({said.id for said in made}) == 3
    first = made[0]
    assert (first.key, first.value) == ("LP-KPG", envelope.encode(first.body))
    assert envelope.header(first.headers, "ce_id") == first.id
    assert envelope.header(first.headers, "ce_source") == "terminal/LP-KPG/T1"
    assert envelope.header(first.headers, "ce_type") == "ProductionReported.v1"
    assert envelope.header(first.headers, "ce_time") == "2023-04-18T01:02:03.456Z"


def test_pending_ones_come_in_order_until_they_are_acknowledged(kept: Spool) -> None:
    for _ in range(5):
        kept.say(a_report, NOW)
    assert [said.number for said in kept.pending(3)] == [1, 2, 3]
    kept.acknowledge([1, 3])
    kept.acknowledge([1])
    assert [said.number for said in kept.pending(3)] == [2, 4, 5]
    assert kept.counts() == Counts(said=5, pending=3)
    kept.acknowledge([2, 4, 5])
    assert kept.pending(3) == []
    assert [said.acknowledged for said in kept.all_said()] == [True] * 5


def test_what_can_not_be_made_takes_no_number(kept: Spool) -> None:
    def fail(place: Place) -> Body:
        raise ValueError(place.number)

    with pytest.raises(ValueError, match="1"):
        kept.say(fail, NOW)
    assert kept.say(a_report, NOW).number == 1


def test_an_answer_heard_twice_is_kept_once_with_the_position(kept: Spool) -> None:
    said = kept.say(a_report, NOW)
    assert kept.position(ANSWERS, 3) == 0
    assert kept.unanswered([ProductionReported, RecallLot]) == 1
    kept.hear(ANSWERS, 3, [(an_answer(said.id), said.id)], next=7)
    kept.hear(ANSWERS, 3, [(an_answer(said.id), said.id), (an_answer("other", id="a2"), "other")], next=9)
    assert [heard.about for heard in kept.heard(ANSWERS)] == [said.id, "other"]
    assert kept.heard(ANSWERS)[0].body == an_answer(said.id).body
    assert (kept.position(ANSWERS, 3), kept.position(ANSWERS, 4)) == (9, 0)
    assert kept.unanswered([ProductionReported, RecallLot]) == 0


def test_nobody_else_may_read_the_file(kept: Spool) -> None:
    kept.say(a_report, NOW)
    for file in kept.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "100000"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline().split() for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [line.split() for line in writer.stdout if line.endswith("\n")]
    with opened(tmp_path) as spool:
        said = spool.all_said()
        assert [[str(one.number), one.id] for one in said][: len(told)] == told
        assert len(said) <= len(told) + 1
        assert spool.say(a_report, NOW).number == len(said) + 1


def test_processes_share_a_spool_and_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), "25"], stdout=subprocess.PIPE) for _ in range(4)
    ]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0] * 4
    with opened(tmp_path) as spool:
        said = spool.all_said()
    assert [one.number for one in said] == list(range(1, 101))
    assert len({one.id for one in said}) == 100


def fill(spool: Spool) -> None:
    for _ in range(1000):
        spool.say(a_report, NOW)


def test_a_full_disk_is_said_and_loses_nothing(kept: Spool) -> None:
    kept.say(a_report, NOW)
    (pages,) = kept._db.execute("pragma page_count").fetchone()
    kept._db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(SpoolFailed, match="no room left"):
        fill(kept)
    before = len(kept.all_said())
    kept._db.execute("pragma max_page_count = 1000000")
    assert kept.say(a_report, NOW).number == before + 1


def test_a_busy_spool_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_BUSY_SECONDS", 0.01)
    with opened(tmp_path) as mine, sqlite3.connect(mine.path, isolation_level=None) as other:
        other.execute("begin immediate")
        with pytest.raises(SpoolFailed, match="NOT kept"):
            mine.say(a_report, NOW)
        other.execute("rollback")
        assert mine.say(a_report, NOW).number == 1
    other.close()


def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)
    with pytest.raises(SpoolFailed, match="damaged"):
        opened(tmp_path)
    assert path.read_bytes() == b"something else" * 100


def test_a_spool_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.say(a_report, NOW)
        spool._db.execute("pragma user_version = 99")
    with pytest.raises(SpoolFailed, match="another version"):
        opened(tmp_path)


def test_a_place_that_can_not_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "terminal" / "a.spool").mkdir(parents=True)
    with pytest.raises(SpoolFailed, match=r"a\.spool"):
        opened(tmp_path)
