"""Many lots from a file, as spreadsheets save it."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.terminal import app
from edge.terminal.made_file import read_file, refused_text
from edge.terminal.terminal import MadeEntry, ReportChange, Terminal
from shared.errors import WrongEntry
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.language import Event
from shared.translation import Language, translated, use_language
from shared.wording import message_of
from tests.support.builders.production import facility_listed, product_listed

TODAY = date(2026, 4, 18)
NOW = datetime(2026, 4, 18, 2, 0, tzinfo=UTC)


def entries(text: str, **how: Any) -> list[MadeEntry | str]:
    """Of each line its entry, or its refusal."""
    lines = read_file(text.encode(), TODAY, **how).lines
    return [line.entry or str(line.refusal) for line in lines]


def days(*cells: str, **how: Any) -> list[date | str]:
    text = "\n".join(["product;qty;made_on", *(f"KTI;1;{cell}" for cell in cells)])
    return [entry.made_on if isinstance(entry, MadeEntry) else entry for entry in entries(text, **how)]


def test_a_refusal_names_columns_in_the_readers_language() -> None:
    use_language(Language.INDONESIAN)
    try:
        [line] = read_file(b"produk;jumlah\nKTI;\n", TODAY).lines
        assert translated(line.refusal or "") == "Kolom jumlah kosong."
        with pytest.raises(WrongEntry) as unknown:
            read_file(b"produk;banyak\nKTI;1\n", TODAY)
        assert "produk, jumlah, tanggal, baik_sebelum, pembuat" in translated(unknown.value.message)
        with pytest.raises(WrongEntry) as lacking:
            read_file(b"produk\nKTI\n", TODAY)
        assert "kolom jumlah," in translated(lacking.value.message)
    finally:
        use_language(None)


@pytest.mark.parametrize("divider", [";", ",", "\t"])
@pytest.mark.parametrize("header", ["product qty made_on maker", "Produk Jumlah Tanggal Pembuat"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_however_it_was_saved(divider: str, header: str, encoding: str) -> None:
    rows = [header.split(), ["kti", "12", "2026-04-17", "é17"], [], ["KBS", "1.250", "", ""]]
    data = "\r\n".join(divider.join(row) for row in rows).encode(encoding)
    assert [line.entry for line in read_file(data, TODAY).lines] == [
        MadeEntry("kti", 12, date(2026, 4, 17), maker="é17"),
        MadeEntry("KBS", 1250, TODAY),
    ]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    file = read_file(b"sep=;\nproduct;qty\n\nKTI;x\nKTI;2\n", TODAY)
    assert [(line.number, line.entry is None) for line in file.lines] == [(4, True), (5, False)]


@pytest.mark.parametrize(
    ("cell", "pieces"), [("12,0", 12), ("12.00", 12), ("1.250,00", 1250), ("1.250", 1250), ("7", 7), (" 8 ", 8)]
)
def test_pieces_are_read_with_the_commas_of_a_spreadsheet(cell: str, pieces: int) -> None:
    [entry] = entries(f"product;qty\nKTI;{cell}\n")
    assert isinstance(entry, MadeEntry)
    assert entry.qty == pieces


@pytest.mark.parametrize("cell", ["12,5", "1,250", "12.5", "1.250,50", "-3", "twelve", "", "012", "3.000.00"])
def test_pieces_in_doubt_are_refused(cell: str) -> None:
    [refusal] = entries(f"product;qty\nKTI;{cell}\nKTI;1")[:1]
    assert isinstance(refusal, str)


def test_days_are_read_as_spreadsheets_show_them() -> None:
    day = date(2026, 4, 18)
    assert days("2026-04-18", "18/04/2026", "18.04.2026", "18-4-2026", "2026-04-18 00:00:00", "05/05/2026") == [
        *[day] * 5,
        date(2026, 5, 5),
    ]
    assert days("3.4.2026") == [date(2026, 4, 3)]


def test_a_day_that_can_mean_two_is_refused_unless_the_file_tells() -> None:
    [refusal] = days("03/04/2026")
    assert "'03/04/2026' can mean 2026-04-03 or 2026-03-04" in str(refusal)
    assert "--day-first" in str(refusal)
    assert days("03/04/2026", day_first=True) == [date(2026, 4, 3)]
    assert days("03/04/2026", "18/04/2026") == [date(2026, 4, 3), date(2026, 4, 18)]
    contradicting = days("03/04/2026", "18/04/2026", "04/18/2026")
    assert [isinstance(outcome, str) for outcome in contradicting] == [True, False, True]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("04/18/2026", "only be month, day and year"),
        ("18/04/26", "year of two digits"),
        ("46130", "how a spreadsheet counts days"),
        ("31/02/2026", "no day"),
        ("yesterday", "no day as it is written here"),
    ],
)
def test_a_day_in_doubt_is_refused(cell: str, message: str) -> None:
    [refusal] = days(cell)
    assert message in str(refusal)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("product;made_on\nKTI;2026-04-18", "no column qty"),
        ("product;qty;colour\nKTI;1;red", "no column 'colour'"),
        ("product;qty;jumlah\nKTI;1;1", "comes twice"),
        ('product;qty\n"KTI;1', "can't be read"),
        ("KTI;12", "no column 'KTI'"),
        ("product;qty\n" + "KTI;1\n" * 10_001, "at most 10000"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(text: str, message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        read_file(text.encode(), TODAY)


def test_a_comma_in_a_number_that_breaks_a_line_is_seen() -> None:
    [refusal, entry] = entries('product,qty\nKTI,1,250\nKTI,"3,0"')
    assert "3 cells" in str(refusal)
    assert isinstance(entry, MadeEntry)


def test_refused_lines_can_be_mended_and_read_again() -> None:
    file = read_file(b"produk;jumlah;pembuat\nKTI;x;17\nKTI;2;\n", TODAY)
    text = refused_text(file, [line for line in file.lines if line.refusal])
    assert text.startswith("produk;jumlah;pembuat;line;reason\r\nKTI;x;17;2;")
    corrected_file = read_file(text.replace("x", "5").encode("utf-8-sig"), TODAY)
    assert [line.entry for line in corrected_file.lines] == [MadeEntry("KTI", 5, TODAY, maker="17")]
    assert refused_text(corrected_file, corrected_file.lines).splitlines()[0] == "produk;jumlah;pembuat;line;reason"


def test_a_refused_line_with_too_many_cells_keeps_all_of_them_and_is_refused_again() -> None:
    data = b"product,qty,made_on\nKTI,1,250,2026-04-18\n"
    for written in ("KTI,1,250,2026-04-18,2,", "KTI,1,250,2026-04-18,2,"):
        file = read_file(data, TODAY)
        assert [line.entry for line in file.lines] == [None]
        data = refused_text(file, file.lines).encode("utf-8-sig")
        assert data.decode("utf-8-sig").splitlines()[1].startswith(written)


class Device:
    """A terminal's command line in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, stdin: bytes | None = None) -> Result:
        env = {"KARYA_SPOOL_DIR": str(self.folder), "KARYA_FACILITY": "PR-KPG", "COLUMNS": "200"}
        env["KARYA_ZONE"] = "Asia/Makassar"
        return CliRunner().invoke(app, list(arguments), env=env, input=stdin)

    @property
    def pieces(self) -> list[int]:
        with Terminal(self.folder, "PR-KPG", "T1") as terminal:
            return [record.body.qty for record in terminal.spool.records()]  # type: ignore[attr-defined]


def test_two_hundred_lots_are_kept_in_seconds(tmp_path: Path) -> None:
    device = Device(tmp_path)
    (tmp_path / "made.csv").write_text("product;qty\n" + "KTI;3\n" * 200)
    began = time.monotonic()
    result = device.run("record", "--file", str(tmp_path / "made.csv"))
    assert time.monotonic() - began < 5
    assert result.stdout == "200 lots kept as records 1 to 200. 200 to send.\n"
    assert result.exit_code == 0
    assert device.pieces == [3] * 200


def test_all_lines_are_recorded_or_none(tmp_path: Path) -> None:
    device = Device(tmp_path)
    made = tmp_path / "made.csv"
    made.write_text("product;qty;best_before\nKTI;3;\nKTI;0;\nKTI;4;2001-01-01\n")
    result = device.run("record", "--file", str(made))
    assert result.exit_code == 1
    assert "Nothing was recorded. Refused: 2 of 3 lines" in result.stderr
    assert device.pieces == []
    refused = (tmp_path / "made.refused.csv").read_text(encoding="utf-8-sig")
    assert [line.split(";")[:4] for line in refused.splitlines()] == [
        ["product", "qty", "best_before", "line"],
        ["KTI", "0", "", "3"],
        ["KTI", "4", "2001-01-01", "4"],
    ]
    # An earlier file of refused lines may be in somebody's hands.
    assert device.run("record", "--file", str(made)).exit_code == 1
    assert (tmp_path / "made.refused.2.csv").exists()


def test_each_good_line_is_recorded_by_choice(tmp_path: Path) -> None:
    device = Device(tmp_path)
    target = tmp_path / "wrong.csv"
    made = b"\xef\xbb\xbfproduct;qty\r\nKTI;3\r\nKTI;zero\r\nKBS;5\r\n"
    result = device.run("record", "--file", "-", "--each", "--refused", str(target), "--json", stdin=made)
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["recorded"], answer["first_record"], answer["last_record"], answer["to_send"]) == (2, 1, 2, 2)
    [refusal] = answer["refused"]
    assert (refusal["line"], refusal["status"], refusal["reason"]) == (3, "refused", "not_valid")
    # The same fields as those of a refused command.
    assert refusal["message"] == message_of(refusal["template"], refusal["values"]).english
    assert "'zero'" in refusal["message"]
    assert device.pieces == [3, 5]
    assert target.stat().st_mode & 0o077 == 0
    repetition = device.run("record", "--file", "-", "--each", "--refused", str(target), stdin=made)
    assert (repetition.exit_code, "exists already" in repetition.stderr) == (1, True)
    assert device.pieces == [3, 5]


def test_a_file_is_checked_by_the_list_of_the_device(tmp_path: Path) -> None:
    device = Device(tmp_path)
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        bodies = facility_listed(products=("KTI",)), product_listed("KTI")
        events = [Event(f"c{n}", "production", "PR-KPG", NOW, NOW, body) for n, body in enumerate(bodies)]
        terminal.spool.receive(FACILITY_CATALOGUE, 0, [(event, None) for event in events], next=2)
    made = tmp_path / "made.csv"
    made.write_text("product;qty\nkain tenun ikat;3\nKTX;4\n")
    refused = device.run("record", "--file", str(made))
    assert (refused.exit_code, device.pieces) == (1, [])
    assert "KTX is not on this facility's list" in refused.stdout
    assert device.run("record", "--file", str(made), "--unlisted").exit_code == 0
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        products = [record.body.product for record in terminal.spool.records()]  # type: ignore[attr-defined]
        assert products == ["KTI", "KTX"]
        with pytest.raises(WrongEntry, match="not on this facility's list"):
            terminal.edit(1, ReportChange(product="KTY"))
        terminal.edit(1, ReportChange(product="KTY"), unlisted=True)


@pytest.mark.parametrize("arguments", [("record",), ("record", "KTI"), ("record", "KTI", "3", "--file", "made.csv")])
def test_a_lot_or_a_file_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert Device(tmp_path).run(*arguments).exit_code == 2
    assert Device(tmp_path).run("record", "--file", str(tmp_path / "none.csv")).exit_code == 1
