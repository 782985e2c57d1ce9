"""`karya till` as a cashier uses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.till import app
from edge.sync import SyncReport
from edge.till.till import Till
from shared.events.sales import BoothRedirected
from shared.translation import Language, use_language
from tests.support.builders.till import BOOTH, LOT, OTHER, a_stocking, an_opening, receive, withdrawn

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command at a till that has heard of its booth."""
    with Till(tmp_path, BOOTH, "T1") as till:
        receive(till, an_opening("T1", prices={"KTI": 250_000, "KRJ": 50_000}), a_stocking(LOT, 3), withdrawn(OTHER))

    def run(*arguments: str) -> Result:
        env = {"KARYA_SPOOL_DIR": str(tmp_path), "KARYA_BOOTH": BOOTH, "KARYA_TILL": "T1", "COLUMNS": "200"}
        return CliRunner().invoke(app, list(arguments), env=env)

    return run


def parsed_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_it_sells_voids_counts_and_closes(run: Run) -> None:
    sold = parsed_json(run("sell", LOT, "2", "--json"))
    assert (sold["record"], sold["amount_rupiah"], sold["warnings"], sold["price_list"]) == (1, 500_000, [], 1)
    result = run("sell", "KTI")
    assert (result.exit_code, result.stdout) == (0, "Receipt 2: Rp250.000 (cash). 2 to send.\n")
    assert "allows 1 more" not in result.stderr
    assert "No drawer is open" in result.stderr
    refused = run("sell", OTHER)
    assert (refused.exit_code, "withdrawn" in refused.stderr) == (1, True)
    assert "Pay back Rp250.000 (cash)" in run("void", "2").stdout
    assert "Final count kept as record 4" in run("count", f"{LOT}=1").stdout
    assert "Interim count kept as record 5" in run("count", f"{LOT}=1", "KTI=0", "--interim").stdout
    assert run("count", LOT).exit_code == 1
    assert run("close").exit_code == 0
    rows = parsed_json(run("list", "--json"))
    assert [row["what"] for row in rows] == [
        f"2 × {LOT}: Rp500.000 cash",
        "1 × KTI: Rp250.000 cash",
        "void of 1 piece: Rp250.000 cash paid back",
        "final count of 1 piece",
        "interim count of 1 piece",
        "closing",
    ]
    assert rows[0]["recorded"].endswith("WITA")
    stock = parsed_json(run("stock", "--json"))["stock"]
    assert [(row["product"], row["at booth"], row["this till"], row["sold"]) for row in stock] == [
        ("KRJ", 0, 0, 0),
        ("KTI", 3, 1, 2),
        ("KTI", 3, 1, 2),
    ]
    assert "Rp250.000" in run("stock").stdout


@pytest.mark.parametrize(
    ("language", "merged", "words"),
    [
        (Language.ENGLISH, True, f"Booth {BOOTH} was merged into ODOP.B08"),
        (Language.INDONESIAN, True, f"Stan {BOOTH} sudah digabungkan ke ODOP.B08"),
        (Language.ENGLISH, False, f"No festival has a booth {BOOTH}"),
        (Language.INDONESIAN, False, f"Tidak ada festival yang punya stan {BOOTH}"),
    ],
)
def test_a_cashier_hears_at_a_sync_where_to_set_the_till_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language, merged: bool, words: str
) -> None:
    stray = "odop.b07"
    folder = tmp_path / "other"
    name = BOOTH if merged else stray
    with Till(folder, name, "T1") as till:
        receive(till, BoothRedirected(booth=name, to="ODOP.B08", merged=merged))
    reports = [SyncReport(1, 1, 0, 0)] * 2

    async def sync(*_: object, **__: object) -> SyncReport:
        return reports.pop()

    monkeypatch.setattr(Till, "sync", sync)
    env = {"KARYA_GATEWAY_URL": "http://127.0.0.1:1", "KARYA_SPOOL_DIR": str(folder), "KARYA_BOOTH": name}
    env |= {"COLUMNS": "400"}
    use_language(language)
    try:
        said = CliRunner().invoke(app, ["sync"], env=env)
        assert said.exit_code == 0, said.output
        assert words.replace(BOOTH, name) in said.stderr
        assert "karya till --booth ODOP.B08 --till T1" in said.stderr
        stock = CliRunner().invoke(app, ["stock"], env=env)
        assert "karya till --booth ODOP.B08 --till T1" in stock.stderr
    finally:
        use_language(None)
    redirected = parsed_json(CliRunner().invoke(app, ["sync", "--json"], env=env))["redirected"]
    assert redirected == {"to": "ODOP.B08", "merged": merged}


def test_a_basket_is_one_receipt_with_discounts_and_change(run: Run) -> None:
    result = run(
        *("sell", "KRJ=2", "KTI", "--off", "KRJ=5.000", "--discount", "Rp10.000", "--given", "400.000"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "1. 2 × KRJ at Rp50.000: Rp92.246",
        "2. 1 × KTI at Rp250.000: Rp242.754",
        "Receipt 1: Rp335.000 (cash). 1 to send.",
        "Change: Rp65.000",
    ]
    [row] = parsed_json(run("list", "--json"))
    assert row["what"] == "2 × KRJ, 1 × KTI: Rp335.000 cash"


def test_another_price_is_typed_in_two_ways_and_says_why(run: Run) -> None:
    assert (
        parsed_json(run("sell", "KTI", "2", "--price", "150.000", "--why", "a scratch", "--json"))["amount_rupiah"]
        == 300_000
    )
    assert parsed_json(run("sell", "KTI=2@150.000", "--why", "a scratch", "--json"))["amount_rupiah"] == 300_000
    without = run("sell", "KTI", "--price", "150.000")
    assert (without.exit_code, "--why" in without.stderr) == (1, True)
    for wrong in (["KTI", "KRJ", "--price", "1"], ["KTI@1", "--price", "1"]):
        refused = run("sell", *wrong)
        assert (refused.exit_code, "--price is for one item" in refused.stderr) == (1, True)


def test_other_payments_are_named(run: Run) -> None:
    result = run("sell", "KTI", "--pay", "qris", "--reference", "Q77")
    assert result.stdout == "Receipt 1: Rp250.000 (qris). 1 to send.\n"
    assert "drawer" not in result.stderr


def test_a_drawer_is_counted_blind(run: Run) -> None:
    assert (
        "P1 has the drawer with Rp200.000 as record 1"
        in run("drawer", "open", "--cashier", "P1", "--float", "200.000").stdout
    )
    assert run("sell", "KTI").stderr == ""
    assert "Rp50.000 taken out" in run("drawer", "drop", "50.000", "--why", "to the safe").stdout
    before = [run("drawer", "show"), run("day"), run("drawer", "show", "--json"), run("day", "--json")]
    for result in before:
        assert result.exit_code == 0, result.output
        # 200.000 + 250.000 - 50.000, and the cash that would tell it.
        digits = result.output.replace(".", "")
        assert "400000" not in digits
        assert "250000" not in digits
    counted = run("drawer", "count", "399.000")
    assert "Counted Rp399.000, expected Rp400.000." in counted.stdout
    assert "Rp1.000 too little" in counted.stderr
    [row] = parsed_json(run("drawer", "show", "--json"))
    assert (row["cashier"], row["expected_rupiah"], row["counted_rupiah"], row["difference_rupiah"]) == (
        "P1",
        400_000,
        399_000,
        -1000,
    )
    assert run("drawer", "count", "1").exit_code == 1


def test_the_day_report_adds_up(run: Run) -> None:
    run("drawer", "open", "--cashier", "P1", "--float", "0")
    run("sell", "KTI")
    run("sell", "KRJ", "2", "--pay", "qris")
    run("void", "2")
    assert parsed_json(run("drawer", "count", "0", "--json"))["difference_rupiah"] == 0
    report = parsed_json(run("day", "--json"))
    assert [
        (row["kind"], row["receipts"], row["net_rupiah"], row["refunded_rupiah"]) for row in report["payments"]
    ] == [
        ("cash", 1, 250_000, 250_000),
        ("qris", 1, 100_000, 0),
        ("other", 0, 0, 0),
    ]
    assert [row["difference_rupiah"] for row in report["drawers"]] == [0]
    assert report["zone"] == "Asia/Makassar"
    output = run("day").stdout
    assert "Asia/Makassar" in output
    assert "Rp100.000" in output
    empty = parsed_json(run("day", "2001-01-01", "--json"))
    assert [row["receipts"] for row in empty["payments"]] == [0, 0, 0]
    assert empty["drawers"] == []


def test_closing_with_an_open_drawer_is_told(run: Run) -> None:
    run("drawer", "open", "--cashier", "P1", "--float", "0")
    assert "drawer is not counted" in run("close").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("sell", "2", "KTI"),
        ("sell", "KTI", "2", "3"),
        ("sell", "KTI", "1,5"),
        ("sell", "KTI", "--given", "much"),
        ("void", "7"),
        ("void", "1", "one"),
        ("drawer", "drop", "5"),
        ("count", "KTI"),
        ("count", "KTI=1", "KTI=2"),
    ],
)
def test_what_is_not_understood_is_refused_without_a_traceback(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr
    assert isinstance(result.exception, SystemExit)
    assert parsed_json(run("list", "--json")) == []


def test_the_spool_is_backed_up_and_checked(run: Run, tmp_path: Path) -> None:
    run("sell", "KTI")
    assert parsed_json(run("spool", "export", str(tmp_path / "backup"), "--json"))["records"] == 1
    assert run("spool", "check", str(tmp_path / "backup")).exit_code == 0
    assert "1 record, 1 not sent" in run("spool", "check").stdout


@pytest.mark.parametrize(
    ("goods", "words"),
    [
        (f"{LOT}=3", ""),
        ("KTI=3", ""),
        (f"{LOT}=0", ""),
        (f"{LOT}=4", f"4 of {LOT} were counted, and this till knows of 3 that came."),
        ("KTI=1.000", "1000 of KTI were counted, and this till knows of"),
        ("XYZ=0", "This till knows of no XYZ at this booth."),
        ("XYZ=3", "3 of XYZ were counted, and this till knows of 0 that came."),
    ],
)
def test_a_count_that_the_till_knows_otherwise_is_kept_with_a_warning(run: Run, goods: str, words: str) -> None:
    warnings = parsed_json(run("count", goods, "--json"))["warnings"]
    assert [warning.startswith(words) for warning in warnings] == ([True] if words else [])
    assert words in run("count", goods).stderr


def test_what_was_not_sent_is_put_right(run: Run) -> None:
    run("drawer", "open", "--cashier", "P1", "--float", "100.000")
    run("sell", "KTI", "2")
    run("sell", "KRJ")
    assert "A float of Rp200.000 kept as record 1" in run("edit", "1", "--float", "200.000").stdout
    edited = parsed_json(run("edit", "2", "KTI=1", "--off", "KTI=50.000", "--given", "250.000", "--json"))
    assert (edited["record"], edited["amount_rupiah"], edited["change_rupiah"]) == (2, 200_000, 50_000)
    assert run("remove", "3", "--why", "typed twice").exit_code == 0
    assert run("remove", "3").exit_code == 1
    refused = run("edit", "2")
    assert (refused.exit_code, "Nothing is in the basket" in refused.stderr) == (1, True)
    assert "expected Rp400.000" in run("drawer", "count", "400.000").stdout
    rows = parsed_json(run("list", "--json"))
    assert [row["what"] for row in rows] == [
        "P1 took the drawer with Rp200.000",
        "1 × KTI: Rp200.000 cash",
        "taken out before it was sent: typed twice",
        "drawer counted: Rp400.000",
    ]


def test_a_day_tells_voids_what_was_taken_out_and_what_is_not_sent(run: Run) -> None:
    run("sell", "KTI", "2")
    run("sell", "KRJ")
    run("void", "1", "1", "1")
    run("remove", "2")
    report = parsed_json(run("day", "--json"))
    assert (report["receipts"], report["voids"], report["voided_pieces"], report["to_send"]) == (1, 1, 1, 3)
    assert report["taken_out"] == [{"record": 2, "kind": "ReceiptIssued", "rupiah": 50_000}]
    assert not report["closed"]
    run("close")
    result = run("day")
    assert "1 void of 1 piece." in result.stdout
    assert "Taken out before it was sent: record 2." in result.stdout
    assert "This till is closed." in result.stdout
    assert "4 records to send" in result.stderr
