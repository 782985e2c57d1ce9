"""Records that were not sent can be changed or taken out, and nothing else can."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.terminal import app
from edge.spool.check import check
from edge.terminal.terminal import ReportChange, ReportStatus, Terminal
from shared import envelope
from shared.errors import WrongEntry
from shared.events.lot_number import LotNumber
from shared.events.production import TERMINAL, LiftRecall, ProductionCorrected, ProductionReported

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 7))
OTHER = str(LotNumber("PR-KPG", "KTI", DAY, 8))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        yield terminal


def three(terminal: Terminal) -> None:
    for qty in (1, 2, 3):
        terminal.record("KTI", qty, made_on=DAY, maker="17", at=NOW)


def test_an_edited_record_keeps_its_number_and_time_and_gets_another_id(terminal: Terminal) -> None:
    three(terminal)
    before = terminal.spool.records()
    edited = terminal.edit(2, ReportChange(product="kbs", qty=20))
    first, second, third = terminal.spool.records()
    assert second == edited
    assert (first, third) == (before[0], before[2])
    assert isinstance(second.body, ProductionReported)
    former = before[1].body
    assert isinstance(former, ProductionReported)
    assert (second.body.product, second.body.qty, second.body.made_on) == ("KBS", 20, DAY)
    assert second.body.maker == former.maker
    assert (second.number, second.recorded_at, second.id == before[1].id) == (2, NOW.replace(microsecond=0), False)
    assert envelope.header(second.headers, "ce_id") == second.id
    assert check(terminal.spool.path, TERMINAL).ok
    assert [record.id for record in terminal.spool.pending(9)] == [first.id, second.id, third.id]


def test_each_kind_of_record_takes_only_its_own_values(terminal: Terminal) -> None:
    terminal.correct(LOT, 3, at=NOW)
    terminal.lift(LOT, reason="the wrong lot", at=NOW)
    corrected = terminal.edit(1, ReportChange(lot=OTHER.lower(), change=-2)).body
    assert corrected == ProductionCorrected(facility="PR-KPG", terminal="T1", lot=OTHER, change=-2)
    lifted = terminal.edit(2, ReportChange(lot=OTHER)).body
    assert lifted == LiftRecall(facility="PR-KPG", terminal="T1", lot=OTHER, reason="the wrong lot")
    before = terminal.spool.records()
    for number, change, message in (
        (1, ReportChange(product="KTI"), "has no product; it has lot, change, reason"),
        (1, ReportChange(change=0), "remove 1"),
        (1, ReportChange(), "Nothing is changed"),
        (2, ReportChange(reason=" "), "only with a reason"),
        (2, ReportChange(lot=LOT[:-1]), "no lot number"),
        (9, ReportChange(qty=1), "no record 9"),
    ):
        with pytest.raises(WrongEntry, match=message):
            terminal.edit(number, change)
    assert terminal.spool.records() == before


def test_what_is_taken_out_is_never_sent_and_its_number_not_given_again(terminal: Terminal) -> None:
    three(terminal)
    terminal.take_out(3)
    terminal.take_out(1)
    assert [record.number for record in terminal.spool.pending(9)] == [2]
    assert terminal.counts().pending == 1
    assert terminal.spool.unanswered([ProductionReported]) == 1
    assert terminal.record("KTI", 4, made_on=DAY, at=NOW).number == 4
    assert [row.status for row in terminal.tracked_reports()] == [
        ReportStatus.TAKEN_OUT,
        ReportStatus.TO_SEND,
        ReportStatus.TAKEN_OUT,
        ReportStatus.TO_SEND,
    ]
    health = check(terminal.spool.path, TERMINAL)
    assert (health.ok, health.records, health.unsent) == (True, 4, 2)
    with pytest.raises(WrongEntry, match="taken out already"):
        terminal.take_out(1)


def test_a_record_that_a_sync_has_begun_to_send_stays(terminal: Terminal) -> None:
    three(terminal)
    assert [record.number for record in terminal.spool.offer(2)] == [1, 2]
    # Nobody knows whether Kafka got it: a sync may have been cut off.
    for number in (1, 2):
        with pytest.raises(WrongEntry, match="begun to send"):
            terminal.edit(number, ReportChange(qty=9))
        with pytest.raises(WrongEntry, match="begun to send"):
            terminal.take_out(number)
    terminal.edit(3, ReportChange(qty=9))
    assert [record.number for record in terminal.spool.offer(9)] == [1, 2, 3]


def test_records_of_a_backup_may_have_been_sent_by_its_device(terminal: Terminal, tmp_path: Path) -> None:
    three(terminal)
    with Terminal(tmp_path / "new", "PR-KPG", "T1") as restored:
        assert restored.spool.merge(terminal.spool) == 3
        with pytest.raises(WrongEntry, match="begun to send"):
            restored.take_out(3)


def test_what_was_taken_out_of_one_copy_of_a_device_stays_out_of_the_other(
    terminal: Terminal, tmp_path: Path
) -> None:
    three(terminal)
    with Terminal(tmp_path / "old", "PR-KPG", "T1") as older:
        older.spool.merge(terminal.spool)
        # The older copy may send what it got; of its own records nobody else knows.
        fourth = older.record("KTI", 4, made_on=DAY, at=NOW).number
        with Terminal(tmp_path / "new", "PR-KPG", "T1") as newer:
            newer.spool.merge(older.spool)
            newer.spool._db.execute("update identity set offered = 0")
            newer.take_out(2)
            newer.take_out(fourth)
            assert older.spool.merge(newer.spool) == 0
    with Terminal(tmp_path / "old", "PR-KPG", "T1") as older:
        assert [(record.number, record.taken_out) for record in older.spool.records()] == [
            (1, False),
            (2, False),
            (3, False),
            (4, True),
        ]
        assert [record.number for record in older.spool.pending(9)] == [1, 2, 3]


def test_a_record_that_another_copy_has_sent_was_not_taken_out(terminal: Terminal, tmp_path: Path) -> None:
    three(terminal)
    with Terminal(tmp_path / "new", "PR-KPG", "T1") as restored:
        restored.spool.merge(terminal.spool)
        terminal.take_out(2)
        restored.spool.acknowledge([2])
        terminal.spool.merge(restored.spool)
    assert [row.status for row in terminal.tracked_reports()] == [
        ReportStatus.TO_SEND,
        ReportStatus.SENT,
        ReportStatus.TO_SEND,
    ]


def test_people_edit_and_remove_by_number(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        env = {"KARYA_SPOOL_DIR": str(tmp_path), "KARYA_FACILITY": "PR-KPG", "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(arguments), env=env)
        assert result.exit_code == 0, result.output
        return result.stdout

    run("record", "KTI", "12", "--made-on", "2023-04-18")
    run("record", "KTI", "13", "--made-on", "2023-04-18")
    assert "KBS, made 2023-04-17. 2 to send" in run("edit", "1", "--product", "KBS", "--made-on", "2023-04-17")
    assert run("remove", "2") == "Record 2 is taken out: 13 × KTI, made 2023-04-18. 1 to send.\n"
    assert "taken out" in run("list")
