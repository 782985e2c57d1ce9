"""A spool's backup, what it brings back, and what is refused since it would hide or double a record."""

import shutil
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge.spool import Owner, RecordPlace, Spool
from edge.spool.backup import export, import_into
from edge.spool.check import check
from shared.errors import SpoolFailed, WrongEntry
from shared.events.language import Event
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, ReportAccepted

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)


def owner(folder: Path) -> Owner:
    return Owner(folder / "a.spool", TERMINAL, "terminal/LP-KPG/T1")


def a_report(place: RecordPlace) -> ProductionReported:
    return ProductionReported(
        facility="LP-KPG", terminal="T1", product="KRJ", qty=place.number, made_on=date(2023, 4, 18)
    )


def a_filled_spool(folder: Path, records: int) -> Spool:
    spool = Spool(owner(folder))
    for _ in range(records):
        spool.append(a_report, NOW)
    return spool


def import_records(spool: Spool, file: Path) -> int:
    return import_into(spool, file, Owner(spool.path, TERMINAL, spool.source)).added


def test_a_backup_is_one_whole_file_for_its_owner_alone(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    # Another process has the spool open, and what it said lies beside the file.
    with a_filled_spool(tmp_path, 3) as spool, Spool(owner(tmp_path)) as second_spool:
        spool.acknowledge([1])
        second_spool.append(a_report, NOW)
        export(spool, backup)
        assert spool.append(a_report, NOW).number == 5
        device = spool.device
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.key", "a.spool", "backup"]
    health = check(backup, TERMINAL)
    assert (health.device, health.records, health.unsent, health.ok) == (device, 4, 3, True)


def test_a_backup_never_replaces_a_file(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.write_text("something of mine")
    with a_filled_spool(tmp_path, 1) as spool, pytest.raises(WrongEntry, match="already"):
        export(spool, backup)
    assert backup.read_text() == "something of mine"


def test_half_a_backup_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_for_space(spool: Spool, file: Path) -> None:
        raise SpoolFailed("no room")

    monkeypatch.setattr(Spool, "save", fail_for_space)
    with a_filled_spool(tmp_path, 1) as spool, pytest.raises(SpoolFailed):
        export(spool, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_new_device_becomes_the_one_of_the_backup(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 3) as old, Spool(owner(tmp_path / "new")) as new:
        answer = ReportAccepted(facility="LP-KPG", terminal="T1", report="r", lot="L")
        event = Event(id="a1", source="production", key="LP-KPG", time=NOW, logged_at=NOW, body=answer)
        old.acknowledge([1, 2])
        old.receive(ANSWERS, 1, [(event, "r")], next=7)
        export(old, tmp_path / "backup")
        result = import_into(new, tmp_path / "backup", owner(tmp_path / "new"))
        assert (result.device, result.added, result.known, result.unsent) == (old.device, 3, 0, 1)
        assert new.device == old.device
        assert new.records() == old.records()
        assert [event.body for event in new.received(ANSWERS)] == [answer]
        assert new.position(ANSWERS, 1) == 7
        assert new.append(a_report, NOW).number == 4


def test_the_same_backup_twice_adds_nothing(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 3) as old, Spool(owner(tmp_path / "new")) as new:
        export(old, tmp_path / "backup")
        assert [import_records(new, tmp_path / "backup") for _ in range(2)] == [3, 0]
        assert new.counts().records == 3


def test_an_older_backup_adds_nothing_and_takes_nothing_away(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path, 3) as spool:
        export(spool, tmp_path / "backup")
        spool.acknowledge([1, 2, 3])
        spool.append(a_report, NOW)
        assert import_records(spool, tmp_path / "backup") == 0
        assert [record.acknowledged for record in spool.records()] == [True, True, True, False]


def test_a_newer_backup_of_the_same_device_adds_what_is_missing(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 2) as old, Spool(owner(tmp_path / "new")) as new:
        export(old, tmp_path / "first")
        old.append(a_report, NOW)
        old.acknowledge([1])
        export(old, tmp_path / "second")
        assert [import_records(new, tmp_path / name) for name in ("first", "second")] == [2, 1]
        assert new.records() == old.records()


def test_a_spool_that_has_gone_on_is_not_written_over(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 2) as old, Spool(owner(tmp_path / "new")) as new:
        export(old, tmp_path / "backup")
        import_records(new, tmp_path / "backup")
        new.append(a_report, NOW)
        old.append(a_report, NOW)
        export(old, tmp_path / "later")
        before = new.records()
        with pytest.raises(WrongEntry, match=r"differ from record 3 on\. Nothing was changed"):
            import_records(new, tmp_path / "later")
        assert new.records() == before


def test_a_device_with_records_does_not_become_another(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 2) as old, a_filled_spool(tmp_path / "new", 1) as new:
        export(old, tmp_path / "backup")
        with pytest.raises(WrongEntry, match="differ from record 1 on"):
            import_records(new, tmp_path / "backup")


def test_what_a_power_cut_left_beside_the_file_is_brought_too(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    with a_filled_spool(tmp_path / "old", 3) as old:
        for file in old.path.parent.iterdir():
            shutil.copy(file, stick)
        saved = old.records()
    before = {file.name: file.read_bytes() for file in stick.iterdir()}
    with Spool(owner(tmp_path / "new")) as new:
        assert import_records(new, stick / "a.spool") == 3
        assert new.records() == saved
    assert {file.name: file.read_bytes() for file in stick.iterdir()} == before


def test_a_backup_of_somebody_else_is_refused(tmp_path: Path) -> None:
    other_owner = Owner(tmp_path / "other.spool", TERMINAL, "terminal/LP-KPG/T2")
    with a_filled_spool(tmp_path, 2) as spool, Spool(other_owner) as stranger:
        export(spool, tmp_path / "backup")
        with pytest.raises(SpoolFailed, match="belongs to terminal/LP-KPG/T1"):
            import_into(stranger, tmp_path / "backup", other_owner)
        assert stranger.counts().records == 0


def test_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path / "old", 200) as old, Spool(owner(tmp_path / "new")) as new:
        export(old, tmp_path / "backup")
        damaged = bytearray((tmp_path / "backup").read_bytes())
        damaged[8192:12288] = b"\xff" * 4096
        (tmp_path / "backup").write_bytes(damaged)
        with pytest.raises(SpoolFailed, match="is damaged"):
            import_records(new, tmp_path / "backup")
        assert new.counts().records == 0


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with a_filled_spool(tmp_path, 1) as spool, pytest.raises(WrongEntry, match="no file"):
        import_records(spool, tmp_path / "nothing")
