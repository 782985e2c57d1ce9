"""A terminal's view of lots, sales and settlements."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.terminal import app
from edge.sync import SyncReport
from edge.terminal.earnings import facility_sales
from edge.terminal.terminal import Terminal
from shared.events.language import Body, Event, Topic
from shared.events.lot_number import LotNumber
from shared.events.production import ANSWERS, ReportAccepted
from shared.events.sales import (
    PUBLIC_SALES,
    SETTLEMENTS,
    AdjustmentCause,
    AdjustmentPublished,
    LotAdjustment,
    LotShare,
    SalePublished,
    SettlementCorrected,
    SettlementIssued,
    SettlementPostponed,
)

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
DAY = date(2023, 4, 18)
LOT, NEXT, FOREIGN = (str(LotNumber("PR-KPG", "KTI", DAY, number)) for number in (1, 2, 3))


def sale(id: str, revision: int, qty: int, festival: str = "F1", lot: str = LOT) -> SalePublished:
    return SalePublished(
        sale=id,
        facility="PR-KPG",
        festival=festival,
        product="KTI",
        revision=revision,
        sequence=1,
        lots=(LotShare(lot=lot, qty=qty, amount_rupiah=qty * 10),) if qty else (),
        qty=qty,
        amount_rupiah=qty * 10,
        sold_at=NOW,
    )


def moved(qty: int) -> AdjustmentPublished:
    return AdjustmentPublished(
        adjustment="a1",
        facility="PR-KPG",
        festival="F1",
        product="KTI",
        revision=1,
        sequence=2,
        cause=AdjustmentCause.COUNT,
        counted=True,
        lots=(LotAdjustment(lot=NEXT, qty=qty, amount_rupiah=qty * 10),),
        qty=qty,
        amount_rupiah=qty * 10,
    )


def settled(revision: int, rupiah: int, kind: type[SettlementIssued] = SettlementIssued) -> SettlementIssued:
    return kind(
        facility="PR-KPG",
        festival="F1",
        revision=revision,
        qty=rupiah // 10,
        sold_rupiah=rupiah,
        facility_rupiah=rupiah // 2,
        maker_premium_rupiah=rupiah - rupiah // 2,
        programme_rupiah=0,
    )


def test_the_last_word_about_a_sale_counts() -> None:
    sales = facility_sales([sale("s1", 2, 1), sale("s1", 1, 5), sale("s2", 1, 3), sale("s2", 2, 0), moved(2)])
    [line] = sales.sold()
    assert (line.festival, line.product, line.qty, line.rupiah) == ("F1", "KTI", 3, 30)
    assert sales.by_lot() == {LOT: (1, 10), NEXT: (2, 20)}


def test_a_correction_replaces_a_settlement_and_an_open_festival_has_none() -> None:
    sales = facility_sales([sale("s1", 1, 3, "F2"), settled(2, 40, SettlementCorrected), settled(1, 50)])
    accounts = {account.festival: account for account in sales.owed()}
    assert accounts["F1"].settlement == settled(2, 40, SettlementCorrected)
    assert (accounts["F2"].settlement, accounts["F2"].sold_rupiah) == (None, 30)


def postponed(booth: str, festival: str = "F1") -> SettlementPostponed:
    return SettlementPostponed(facility="PR-KPG", festival=festival, booth=booth)


def test_a_settlement_waits_for_booths_that_sell_again_until_it_is_issued() -> None:
    waiting = [postponed("F1.B2"), postponed("F1.B1"), postponed("F1.B2")]
    [account] = facility_sales([sale("s1", 1, 3), *waiting]).owed()
    assert (account.settlement, account.sold_rupiah, account.reopened) == (None, 30, ("F1.B1", "F1.B2"))
    [unsold] = facility_sales(waiting).owed()
    assert (unsold.sold_rupiah, unsold.reopened) == (0, ("F1.B1", "F1.B2"))
    [settled_account] = facility_sales([sale("s1", 1, 3), *waiting, settled(1, 30)]).owed()
    assert (settled_account.settlement, settled_account.reopened) == (settled(1, 30), ())
    [again] = facility_sales([settled(1, 30), postponed("F1.B3")]).owed()
    assert (again.settlement, again.reopened) == (settled(1, 30), ("F1.B3",))


def test_what_is_owed_says_which_booth_it_waits_for(tmp_path: Path) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        hear(terminal, PUBLIC_SALES, [sale("s1", 1, 3)])
        hear(terminal, SETTLEMENTS, [postponed("F1.B2")])
    env = {"KARYA_SPOOL_DIR": str(tmp_path), "KARYA_FACILITY": "PR-KPG", "COLUMNS": "200"}

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), env=env)
        assert result.exit_code == 0, result.output
        return result.stdout

    note = "postponed until F1.B2 is settled again: it sells again"
    assert run("owed").splitlines()[1] == f"F1\tRp30\t\t\t\t{note}"
    [row] = json.loads(run("owed", "--json"))
    assert (row["festival"], row["postponed_for"]) == ("F1", ["F1.B2"])


def test_a_sync_tells_once_that_a_booth_sells_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arriving = [[postponed("F1.B2")], [], [postponed("F1.B3")]]

    async def sync(terminal: Terminal, *_: object, **__: object) -> SyncReport:
        hear(terminal, SETTLEMENTS, arriving.pop(0))
        return SyncReport(0, 0, 0, 0)

    monkeypatch.setattr(Terminal, "sync", sync)
    env = {"KARYA_SPOOL_DIR": str(tmp_path), "KARYA_FACILITY": "PR-KPG", "COLUMNS": "200"}
    env |= {"KARYA_GATEWAY_URL": "http://127.0.0.1:1"}
    words = "Booth F1.B2 sells again. The settlement of F1 waits until it is settled again."
    assert words in CliRunner().invoke(app, ["sync"], env=env).stdout
    assert "sells again" not in CliRunner().invoke(app, ["sync"], env=env).stdout
    assert json.loads(CliRunner().invoke(app, ["sync", "--json"], env=env).stdout)["reopened"] == ["F1.B3"]


def test_people_see_lots_sales_and_what_is_owed_without_a_network(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        env = {"KARYA_SPOOL_DIR": str(tmp_path), "KARYA_FACILITY": "PR-KPG", "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(arguments), env=env)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        made = terminal.record("KTI", 12, made_on=DAY, at=NOW)
        removed_record = terminal.record("KTI", 5, made_on=DAY, at=NOW)
        terminal.correct(LOT, -2, at=NOW)
        terminal.withdraw(NEXT, at=NOW)
        terminal.recall(LOT, at=NOW)
        records = terminal.spool.records()
        lots = [LOT, NEXT, LOT, NEXT, LOT]
        answers = [accepted(record.id, lot) for record, lot in zip(records, lots, strict=True)]
        hear(terminal, ANSWERS, [*answers, accepted("other", FOREIGN, "T2")])
        hear(terminal, PUBLIC_SALES, [sale("s1", 1, 3), sale("s2", 1, 4, "F2")])
        hear(terminal, SETTLEMENTS, [settled(1, 30)])
        assert (made.number, removed_record.number) == (1, 2)
    assert [
        (row["lot"], row["recorded"], row["sold"], row["rupiah"], row["note"]) for row in run("lots", "--json")
    ] == [
        (LOT, 10, 7, 70, "recalled"),
        (NEXT, 0, 0, 0, "withdrawn"),
        (FOREIGN, None, 0, 0, "recorded at another terminal"),
    ]
    assert [(row["festival"], row["sold"], row["rupiah"]) for row in run("sold", "--json")] == [
        ("F1", 3, 30),
        ("F2", 4, 40),
    ]
    assert run("owed").splitlines()[1:] == [
        "F1\tRp30\tRp15\tRp15\tRp0\t",
        "F2\tRp40\t\t\t\tnot settled",
        "Not settled: the festival still counts; what is owed follows when its booths are settled.",
    ]


def accepted(report: str, lot: str, terminal: str = "T1") -> ReportAccepted:
    return ReportAccepted(facility="PR-KPG", terminal=terminal, report=report, lot=lot)


def hear(terminal: Terminal, topic: Topic, bodies: Sequence[Body]) -> None:
    events = [Event(repr(body), "somebody", "PR-KPG", NOW, NOW, body) for body in bodies]
    terminal.spool.receive(topic, 0, [(event, getattr(event.body, "report", None)) for event in events], next=9)
