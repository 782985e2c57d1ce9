"""The spool keeps what it was given, through crashes, full disks and other processes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge.spool import Counts, IntakeRefusal, NewsFeed, Owner, RecordPlace, Spool
from edge.spool import file as spool_file
from shared import envelope
from shared.errors import SpoolFailed, WrongEntry
from shared.events.language import Body, Event
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, RecallLot, ReportAccepted
from shared.wording import Message
from tests.support.former_spool import FORMER_SCHEMA

NOW = datetime(2023, 4, 18, 1, 2, 3, 456789, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from shared.events.production import TERMINAL, RecallLot
from edge.spool import Owner, Spool

with Spool(Owner(Path(sys.argv[1]), TERMINAL, "terminal/LP-KPG/T1")) as spool:
    for _ in range(int(sys.argv[2])):
        said = spool.append(
            lambda place: RecallLot(facility="LP-KPG", terminal="T1", lot=f"{place.number}"), datetime.now(UTC)
        )
        print(said.number, said.id, flush=True)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with open_spool(tmp_path) as spool:
        yield spool


def open_spool(folder: Path) -> Spool:
    return Spool(Owner(folder / "terminal" / "a.spool", TERMINAL, "terminal/LP-KPG/T1"))


def a_report(place: RecordPlace) -> Body:
    return a_production(place.number)


def a_production(qty: int) -> Body:
    return ProductionReported(facility="LP-KPG", terminal="T1", product="KRJ", qty=qty, made_on=date(2023, 4, 18))


def an_answer(report: str, *, id: str = "a1") -> Event:
    body = ReportAccepted(facility="LP-KPG", terminal="T1", report=report, lot="L")
    return Event(id=id, source="production", key="LP-KPG", time=NOW, logged_at=NOW, body=body)


def test_a_record_is_numbered_and_named_when_it_is_made(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        records = [spool.append(a_report, NOW) for _ in range(3)]
    with open_spool(tmp_path) as spool:
        assert spool.records() == records
    assert [record.number for record in records] == [1, 2, 3]
    assert [record.body for record in records] == [a_production(1), a_production(2), a_production(3)]
    assert len({record.id for record in records}) == 3
    first = records[0]
    assert (first.key, first.value) == ("LP-KPG", envelope.encode(first.body))
    assert envelope.header(first.headers, "ce_id") == first.id
    assert envelope.header(first.headers, "ce_source") == "terminal/LP-KPG/T1"
    assert envelope.header(first.headers, "ce_type") == "ProductionReported.v1"
    assert envelope.header(first.headers, "ce_time") == "2023-04-18T01:02:03.456Z"


def test_pending_ones_come_in_order_until_they_are_acknowledged(spool: Spool) -> None:
    for _ in range(5):
        spool.append(a_report, NOW)
    assert [record.number for record in spool.pending(3)] == [1, 2, 3]
    spool.acknowledge([1, 3])
    spool.acknowledge([1])
    assert [record.number for record in spool.pending(3)] == [2, 4, 5]
    assert spool.counts() == Counts(records=5, pending=3)
    spool.acknowledge([2, 4, 5])
    assert spool.pending(3) == []
    assert [record.acknowledged for record in spool.records()] == [True] * 5


def test_what_can_not_be_made_takes_no_number(spool: Spool) -> None:
    def fail(place: RecordPlace) -> Body:
        raise ValueError(place.number)

    with pytest.raises(ValueError, match="1"):
        spool.append(fail, NOW)
    assert spool.append(a_report, NOW).number == 1


def test_an_answer_heard_twice_is_kept_once_with_the_position(spool: Spool) -> None:
    record = spool.append(a_report, NOW)
    assert spool.position(ANSWERS, 3) == 0
    assert spool.unanswered([ProductionReported, RecallLot]) == 1
    spool.receive(ANSWERS, 3, [(an_answer(record.id), record.id)], next=7)
    spool.receive(ANSWERS, 3, [(an_answer(record.id), record.id), (an_answer("other", id="a2"), "other")], next=9)
    assert [event.about for event in spool.received(ANSWERS)] == [record.id, "other"]
    assert spool.received(ANSWERS)[0].body == an_answer(record.id).body
    assert (spool.position(ANSWERS, 3), spool.position(ANSWERS, 4)) == (9, 0)
    assert spool.unanswered([ProductionReported, RecallLot]) == 0


def test_nobody_else_may_read_the_file(spool: Spool) -> None:
    spool.append(a_report, NOW)
    for file in spool.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "100000"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        printed = [writer.stdout.readline().split() for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
        printed += [line.split() for line in writer.stdout if line.endswith("\n")]
    with open_spool(tmp_path) as spool:
        records = spool.records()
        assert [[str(record.number), record.id] for record in records][: len(printed)] == printed
        assert len(records) <= len(printed) + 1
        assert spool.append(a_report, NOW).number == len(records) + 1


def test_processes_share_a_spool_and_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), "25"], stdout=subprocess.PIPE) for _ in range(4)
    ]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0] * 4
    with open_spool(tmp_path) as spool:
        records = spool.records()
    assert [record.number for record in records] == list(range(1, 101))
    assert len({record.id for record in records}) == 100


def fill(spool: Spool) -> None:
    for _ in range(1000):
        spool.append(a_report, NOW)


def test_a_full_disk_is_said_and_loses_nothing(spool: Spool) -> None:
    spool.append(a_report, NOW)
    (pages,) = spool._db.execute("pragma page_count").fetchone()
    spool._db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(SpoolFailed, match="no room left"):
        fill(spool)
    before = len(spool.records())
    spool._db.execute("pragma max_page_count = 1000000")
    assert spool.append(a_report, NOW).number == before + 1


def test_a_busy_spool_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_file, "_BUSY_SECONDS", 0.01)
    with open_spool(tmp_path) as mine, sqlite3.connect(mine.path, isolation_level=None) as other:
        other.execute("begin immediate")
        with pytest.raises(SpoolFailed, match="NOT kept"):
            mine.append(a_report, NOW)
        other.execute("rollback")
        assert mine.append(a_report, NOW).number == 1
    other.close()


def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "terminal" / "a.spool"
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)
    with pytest.raises(SpoolFailed, match="damaged"):
        open_spool(tmp_path)
    assert path.read_bytes() == b"something else" * 100


def test_a_spool_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(a_report, NOW)
        spool._db.execute("pragma user_version = 99")
    with pytest.raises(SpoolFailed, match="another version"):
        open_spool(tmp_path)


def test_a_place_that_can_not_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "terminal" / "a.spool").mkdir(parents=True)
    with pytest.raises(SpoolFailed, match=r"a\.spool"):
        open_spool(tmp_path)


# The device and its chain


def test_a_device_keeps_its_id_and_each_record_names_the_one_before(tmp_path: Path) -> None:
    places: list[RecordPlace] = []

    def write(place: RecordPlace) -> Body:
        places.append(place)
        return a_report(place)

    with open_spool(tmp_path) as spool:
        device = spool.device
        first = spool.append(write, NOW)
    with open_spool(tmp_path) as spool:
        assert spool.device == device
        spool.append(write, NOW)
    assert places == [RecordPlace(device, 1, None), RecordPlace(device, 2, first.id)]


def test_two_files_are_two_devices(tmp_path: Path) -> None:
    with open_spool(tmp_path / "one") as first, open_spool(tmp_path / "other") as second:
        assert first.device != second.device


def test_a_file_of_another_owner_is_left_alone(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(a_report, NOW)
        path = spool.path
    with pytest.raises(SpoolFailed, match="belongs to terminal/LP-KPG/T1 and not to terminal/LP-KPG/T2"):
        Spool(Owner(path, TERMINAL, "terminal/LP-KPG/T2"))


def a_former_file(path: Path, *bodies: Body) -> list[tuple[str, bytes, str]]:
    """Ids, values and headers of the records in it; the first is acknowledged."""
    path.parent.mkdir(parents=True)
    rows = []
    with sqlite3.connect(path) as db:
        db.executescript(FORMER_SCHEMA)
        for number, body in enumerate(bodies, 1):
            id = f"0000-{number}"
            headers = envelope.headers(id=id, source="terminal/LP-KPG/T1", topic=TERMINAL, body=body, time=NOW)
            text = json.dumps([[name, value.decode()] for name, value in headers])
            value = envelope.encode(body)
            db.execute(
                "insert into said values (?, ?, 'LP-KPG', 'ProductionReported.v1', ?, ?, ?, ?)",
                (number, id, value, text, NOW.isoformat(), number == 1),
            )
            rows.append((id, value, text))
        answer = (an_answer("0000-1").body, NOW.isoformat())
        db.execute(
            "insert into heard values (1, 'production', 'a1', ?, 'ReportAccepted.v1', ?, '0000-1', ?)",
            (ANSWERS.name, envelope.encode(answer[0]), answer[1]),
        )
        db.execute("insert into positions values (?, 0, 5)", (ANSWERS.name,))
    db.close()
    return rows


def test_a_file_of_the_former_version_goes_on_where_it_was(tmp_path: Path) -> None:
    rows = a_former_file(tmp_path / "terminal" / "a.spool", a_production(4), a_production(5))
    for _ in range(2):
        with open_spool(tmp_path) as spool:
            assert [(record.number, record.id, record.body, record.acknowledged) for record in spool.records()] == [
                (1, rows[0][0], a_production(4), True),
                (2, rows[1][0], a_production(5), False),
            ]
            assert [(record.value, record.headers) for record in spool.records()] == [
                (value, [(name, text.encode()) for name, text in json.loads(headers)]) for _, value, headers in rows
            ]
            assert spool.position(ANSWERS, 0) == 5
            assert [event.about for event in spool.received(ANSWERS)] == ["0000-1"]
    places: list[RecordPlace] = []
    with open_spool(tmp_path) as spool:
        spool.append(lambda place: places.append(place) or a_report(place), NOW)  # type: ignore[func-returns-value]
        assert places == [RecordPlace(spool.device, 3, rows[1][0])]


def test_records_of_the_version_before_can_not_be_changed_as_a_sync_may_have_begun_to_send_them(
    tmp_path: Path,
) -> None:
    with open_spool(tmp_path) as spool:
        first = spool.append(a_report, NOW)
        spool._db.execute("alter table identity drop column offered")
        spool._db.execute("alter table said drop column taken_out")
        spool._db.execute("pragma user_version = 2")
    with open_spool(tmp_path) as spool:
        assert spool.records() == [first]
        with pytest.raises(WrongEntry, match="begun to send"):
            spool.take_out(1)
        spool.take_out(spool.append(a_report, NOW).number)
    with open_spool(tmp_path) as spool:
        assert [record.taken_out for record in spool.records()] == [False, True]


def test_a_file_of_the_version_before_the_gateway_goes_on_where_it_was(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        first = spool.append(a_report, NOW)
        spool.receive(ANSWERS, 0, [], next=5)
        spool._db.execute("drop table cursors")
        spool._db.execute("drop table refusals")
        spool._db.execute("pragma user_version = 3")
    for _ in range(2):
        with open_spool(tmp_path) as spool:
            assert spool.records() == [first]
            assert (spool.position(ANSWERS, 0), spool.refusals()) == (5, {})
            assert spool.cursor(NewsFeed("http://gateway", "LP-KPG", ANSWERS.name)) == ""


def test_news_and_their_cursor_are_kept_together_or_not_at_all(spool: Spool) -> None:
    feed = NewsFeed("http://gateway", "LP-KPG", ANSWERS.name)
    spool.receive_news(feed, [(ANSWERS, an_answer("r1"), "r1")], "0-1-0")
    spool._db.execute("create temp trigger no before insert on cursors begin select raise(abort, 'no'); end")
    with pytest.raises(SpoolFailed, match="received just now are not"):
        spool.receive_news(feed, [(ANSWERS, an_answer("r2", id="a2"), "r2")], "0-2-0")
    assert [event.about for event in spool.received(ANSWERS)] == ["r1"]
    assert spool.cursor(feed) == "0-1-0"
    others = [NewsFeed("http://other", "LP-KPG", ANSWERS.name), NewsFeed("http://gateway", "LP-WKB", ANSWERS.name)]
    assert [spool.cursor(other) for other in others] == ["", ""]


def test_a_refused_record_stays_pending_until_it_is_acknowledged(spool: Spool) -> None:
    for _ in range(3):
        spool.append(a_report, NOW)
    refusal = IntakeRefusal(2, "refused", "no_right", Message("Not {place}.", place="LP-KPG"))
    spool.acknowledge([1])
    spool.refuse([refusal])
    assert spool.refusals() == {2: refusal}
    assert [record.number for record in spool.pending(9)] == [2, 3]
    assert [record.number for record in spool.offer(9, after=2)] == [3]
    spool.acknowledge([2])
    assert spool.refusals() == {}
    spool.refuse([replace(refusal, number=1)])
    assert spool.refusals() == {}, "it was stored before"


def test_two_copies_of_a_former_file_are_one_device(tmp_path: Path) -> None:
    a_former_file(tmp_path / "one" / "terminal" / "a.spool", a_production(4))
    a_former_file(tmp_path / "other" / "terminal" / "a.spool", a_production(4))
    with open_spool(tmp_path / "one") as first, open_spool(tmp_path / "other") as second:
        assert first.device == second.device


# What is kept when something fails


def no_more_room(spool: Spool) -> None:
    (pages,) = spool._db.execute("pragma page_count").fetchone()
    spool._db.execute(f"pragma max_page_count = {pages}")


def test_a_full_disk_at_a_record_says_that_it_is_not_kept(spool: Spool) -> None:
    spool.append(a_report, NOW)
    no_more_room(spool)
    with pytest.raises(SpoolFailed, match=r"no room left.*This record was NOT kept, all earlier ones are safe"):
        fill(spool)


def test_a_full_disk_at_an_answer_says_that_the_records_are_kept(spool: Spool) -> None:
    spool.append(a_report, NOW)
    no_more_room(spool)
    many = [(an_answer("other", id=f"a{n}"), "other") for n in range(1000)]
    with pytest.raises(SpoolFailed, match="no room left") as failed:
        spool.receive(ANSWERS, 0, many, next=1000)
    assert "All records are kept. Only the events received just now are not" in str(failed.value)
    assert "NOT kept" not in str(failed.value)
    assert spool.position(ANSWERS, 0) == 0


def test_an_acknowledgement_that_can_not_be_noted_says_that_the_records_are_kept(spool: Spool) -> None:
    spool.append(a_report, NOW)
    spool._db.execute("create temp trigger no before update on said begin select raise(abort, 'no'); end")
    with pytest.raises(SpoolFailed, match="All records are kept") as failed:
        spool.acknowledge([1])
    assert "they will be sent again and count once" in str(failed.value)
    assert "NOT kept" not in str(failed.value)


def test_a_checkpoint_leaves_all_in_the_one_file(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        for _ in range(3):
            spool.append(a_report, NOW)
        spool.checkpoint()
        copy = tmp_path / "copied" / "terminal" / "a.spool"
        copy.parent.mkdir(parents=True)
        # As after a power cut: the file alone, while SQLite's own files lie beside the original.
        copy.write_bytes(spool.path.read_bytes())
        with open_spool(tmp_path / "copied") as copied:
            assert copied.records() == spool.records()
            assert copied.device == spool.device
