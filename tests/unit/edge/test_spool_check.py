"""Whether a spool is whole is said truly, and what can be read of a damaged one is saved."""

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.spool import spool_commands
from edge.spool import Owner, RecordPlace, Spool
from edge.spool.backup import export, import_into
from edge.spool.check import check, repair
from shared.errors import SpoolFailed, WrongEntry
from shared.events.sales import TILL, DeviceIntroduced

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
PAGE = 4096


def owner(folder: Path) -> Owner:
    return Owner(folder / "a.spool", TILL, "till/ODOP.B07/T1")


def a_record(place: RecordPlace) -> DeviceIntroduced:
    return DeviceIntroduced(
        booth="ODOP.B07",
        till="T1",
        device=place.device,
        seq=place.number,
        previous=place.previous,
        introduced_at=NOW,
    )


def a_file(folder: Path, records: int) -> Path:
    """A whole spool in one file."""
    with Spool(owner(folder)) as spool:
        for _ in range(records):
            spool.append(a_record, NOW)
        spool.acknowledge([1])
    return spool.path


def changed(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()


@given(st.lists(st.booleans(), max_size=12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_recorded_and_sent_is_a_whole_chain(
    tmp_path_factory: pytest.TempPathFactory, acknowledgements: list[bool]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    with Spool(owner(folder)) as spool:
        for acknowledged in acknowledgements:
            record = spool.append(a_record, NOW)
            if acknowledged:
                spool.acknowledge([record.number])
        # While it is in use, too.
        health = check(spool.path, TILL)
        assert health == check(spool.path, TILL)
        assert (health.device, health.records) == (spool.device, len(acknowledgements))
    assert health.unsent == acknowledgements.count(False)
    assert health.ok


BREAKS: list[tuple[str, str]] = [
    ("update said set previous = 'another' where number = 2", "record 2 does not name the record before it"),
    ("update said set previous = null where number = 3", "record 3 does not name the record before it"),
    ("update said set value = '{}' where number = 2", "record 2 can't be read"),
    ("update said set type = 'SaleReported.v1' where number = 2", "record 2 can't be read"),
    ("update identity set device = 'another'", "record 1 names another device, number or predecessor in its body"),
    ("drop table identity", "it has no device id"),
    (
        "update said set number = 9 where number = 4",
        "record 9 names another device, number or predecessor in its body",
    ),
]


@pytest.mark.parametrize(("sql", "fault"), BREAKS)
def test_what_is_wrong_is_named(tmp_path: Path, sql: str, fault: str) -> None:
    path = a_file(tmp_path, 4)
    changed(path, sql)
    assert fault in map(str, check(path, TILL).faults)


def test_a_missing_record_is_named(tmp_path: Path) -> None:
    path = a_file(tmp_path, 4)
    changed(path, "delete from said where number = 2")
    health = check(path, TILL)
    assert (health.missing, health.faults, health.ok) == ((2,), (), False)


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    path = a_file(tmp_path, 3)
    before = path.read_bytes()
    check(path, TILL)
    assert path.read_bytes() == before
    with pytest.raises(WrongEntry, match="no file"):
        check(tmp_path / "nothing", TILL)
    assert not (tmp_path / "nothing").exists()


def test_another_version_is_not_called_damaged(tmp_path: Path) -> None:
    path = a_file(tmp_path, 1)
    changed(path, "pragma user_version = 1")
    with pytest.raises(WrongEntry, match="another version"):
        check(path, TILL)


def a_page_with(path: Path, table: str, *, leaf: bool = True) -> int:
    """The number of a page of the table's tree, not its root."""
    with sqlite3.connect(path) as db:
        (root,) = db.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()
    db.close()
    data = path.read_bytes()
    at = (root - 1) * PAGE
    assert data[at] == 5, "the table is too small to have inner pages"
    cell = int.from_bytes(data[at + 12 : at + 14])
    return int.from_bytes(data[at + cell : at + cell + 4]) if leaf else root


def test_of_a_damaged_file_the_rest_is_saved_and_goes_on(tmp_path: Path) -> None:
    path = a_file(tmp_path / "old", 60)
    with Spool(owner(tmp_path / "old")) as spool:
        device, records = spool.device, {record.number: record for record in spool.records()}
    data = bytearray(path.read_bytes())
    page = a_page_with(path, "said")
    data[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    path.write_bytes(data)

    assert check(path, TILL).faults
    repair_report = repair(path, tmp_path / "saved", owner(tmp_path / "old"))
    assert repair_report.kept + len(repair_report.lost) == 60
    assert 0 < len(repair_report.lost) < 60
    assert path.read_bytes() == data
    health = check(tmp_path / "saved", TILL)
    assert (health.device, health.records, health.missing, health.faults) == (
        device,
        repair_report.kept,
        repair_report.lost,
        (),
    )

    with Spool(owner(tmp_path / "new")) as new:
        assert import_into(new, tmp_path / "saved", owner(tmp_path / "new")).missing == repair_report.lost
        assert {record.number: record for record in new.records()} == {
            number: record for number, record in records.items() if number not in repair_report.lost
        }
        assert new.append(a_record, NOW).number == 61


# What SQLite calls the parts of its files, and how it speaks of errors.
WORDS_OF_SQLITE = re.compile(r"tree|page|cell|btree|malformed|disk image|database|not a|sqlite", re.IGNORECASE)


@pytest.mark.parametrize("damage", ["a leaf", "the root", "the whole file"])
def test_what_is_damaged_is_told_without_the_words_of_sqlite(tmp_path: Path, damage: str) -> None:
    path = a_file(tmp_path / "old", 60)
    data = bytearray(path.read_bytes())
    page = a_page_with(path, "said", leaf=damage == "a leaf")
    start, end = (0, len(data)) if damage == "the whole file" else ((page - 1) * PAGE, page * PAGE)
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    faults = [str(fault) for fault in check(path, TILL).faults]
    assert faults
    assert not [fault for fault in faults if WORDS_OF_SQLITE.search(fault)]


def test_a_record_that_says_nonsense_is_left_out_of_a_repair(tmp_path: Path) -> None:
    path = a_file(tmp_path, 3)
    changed(path, "update said set value = '{' where number = 2")
    assert repair(path, tmp_path / "saved", owner(tmp_path)).lost == (2,)


@pytest.mark.parametrize("content", [b"", b"something else" * 1000])
def test_what_is_no_spool_is_damaged_and_can_not_be_repaired(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.spool"
    path.write_bytes(content)
    assert not check(path, TILL).ok
    with pytest.raises(SpoolFailed, match="can be read"):
        repair(path, tmp_path / "saved", owner(tmp_path))
    assert not (tmp_path / "saved").exists()


def test_a_repair_never_replaces_a_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, 1)
    with pytest.raises(WrongEntry, match="already"):
        repair(path, path, owner(tmp_path))


# The commands


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    app = spool_commands(lambda _: owner(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.output

    return run


def test_the_commands_say_what_they_did_and_what_to_do(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    path, backup, saved = a_file(tmp_path, 3), str(tmp_path / "backup"), str(tmp_path / "saved")
    code, output = run("check")
    assert (code, "3 records, 2 not sent" in output, "All is well" in output) == (0, True, True)
    code, output = run("export", backup)
    assert (code, "3 records of device" in output) == (0, True)
    code, output = run("import", backup)
    assert (code, "0 records added, 3 known before" in output) == (0, True)
    changed(path, "update said set value = '{' where number = 2")
    code, output = run("check")
    assert (code, "record 2 can't be read" in output, "--repair" in output) == (1, True, True)
    code, output = run("check", "--repair", saved)
    assert (code, "has the 2 records that could be read" in output, "Lost: record 2." in output) == (0, True, True)
    code, output = run("check", saved)
    assert (code, "It lacks record 2." in output) == (1, True)
    code, output = run("import", str(tmp_path / "nothing"))
    assert (code, "There is no file" in output) == (1, True)


def test_the_commands_speak_json(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    path, backup = a_file(tmp_path, 2), str(tmp_path / "backup")
    device = check(path, TILL).device
    assert json.loads(run("export", backup, "--json")[1]) == {
        "file": backup,
        "device": device,
        "records": 2,
        "unsent": 1,
    }
    assert json.loads(run("import", backup, "--json")[1]) == {
        "device": device,
        "added": 0,
        "known": 2,
        "unsent": 1,
        "missing": [],
    }
    fields = json.loads(run("check", backup, "--json")[1])
    assert fields == {"file": backup, "device": device, "records": 2, "unsent": 1, "missing": [], "faults": []}


def test_an_export_is_whole_for_a_plain_reader(tmp_path: Path) -> None:
    with Spool(owner(tmp_path)) as spool:
        spool.append(a_record, NOW)
        export(spool, tmp_path / "backup")
    with sqlite3.connect(f"file:{tmp_path / 'backup'}?mode=ro&immutable=1", uri=True) as db:
        assert db.execute("select count(*) from said").fetchone() == (1,)
    db.close()
