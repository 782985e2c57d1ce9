"""What an organiser's commands ask of the services, and what they show of the answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from cli.festival import app
from cli.festival.strays import nearest
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit

LOT = "PR-KPG-KTI-230418-007-4"


@pytest.fixture
def festival() -> Iterator[FakeServer]:
    with running() as server:
        yield server


@pytest.fixture
def sales() -> Iterator[FakeServer]:
    with running() as server:
        yield server


def told(message: str) -> dict[str, object]:
    """A sentence in the form of a service's page."""
    return {"message": message, "template": message, "values": {}}


def run(festival: FakeServer, sales: FakeServer | None, *words: str) -> Result:
    env = {"KARYA_FESTIVAL_URL": festival.url, "KARYA_SALES_URL": sales.url if sales else "", "COLUMNS": "300"}
    return CliRunner().invoke(app, words, env=env)


def request_of(festival: FakeServer, *words: str) -> tuple[str, Any]:
    """Where a command goes that succeeds, and its body."""
    result = run(festival, None, *words)
    assert result.exit_code == 0, result.output
    return festival.given[-1]


def test_a_till_is_added_and_struck(festival: FakeServer) -> None:
    assert request_of(festival, "add-till", "ODOP", "B1", "T2") == (
        "/festivals/ODOP/booths/ODOP.B1/tills",
        {"till": "T2"},
    )
    place = "/festivals/ODOP/booths/ODOP.B1/tills/T2/strike"
    assert request_of(festival, "strike-till", "ODOP", "B1", "T2") == (
        place,
        {"device": None, "branch": None, "reason": ""},
    )
    assert request_of(festival, "strike-till", "ODOP", "ODOP.B1", "T2", "--device", "d-1", "--branch", "2") == (
        place,
        {"device": "d-1", "branch": 2, "reason": ""},
    )


def test_pieces_of_a_sale_are_voided(festival: FakeServer) -> None:
    assert request_of(festival, "void-sale", "ODOP", "r-9", "2", "3", "--booth", "B1", "--reason", "till lost") == (
        "/festivals/ODOP/receipts/r-9/void",
        {"booth": "ODOP.B1", "line": 2, "qty": 3, "reason": "till lost"},
    )


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("2026-04-19 08:00", "2026-04-19T00:00:00+00:00"),
        ("2026-04-19 08.30", "2026-04-19T00:30:00+00:00"),
    ],
)
def test_a_price_is_valid_from_the_festivals_clock(festival: FakeServer, clock: str, expected: str) -> None:
    festival.pages["/festivals/ODOP"] = {"zone": "Asia/Makassar"}
    place, body = request_of(festival, "change-price", "ODOP", "B1", "KTI", "Rp12.000", "--from", clock)
    assert place == "/festivals/ODOP/booths/ODOP.B1/prices"
    assert body == {"product": "KTI", "price_rupiah": 12_000, "valid_from": expected}


def test_a_time_of_day_is_todays_at_the_festival_and_none_is_now(festival: FakeServer) -> None:
    festival.pages["/festivals/ODOP"] = {"zone": "Asia/Jayapura"}
    words = ("change-price", "ODOP", "B1", "KTI", "12000")
    zone = ZoneInfo("Asia/Jayapura")
    before = datetime.now(zone).date()
    _, body = request_of(festival, *words, "--from", "14:00")
    at = datetime.fromisoformat(body["valid_from"])
    assert at.tzinfo == UTC
    assert before <= at.astimezone(zone).date() <= datetime.now(zone).date()
    assert f"{at.astimezone(zone):%H:%M}" == "14:00"
    assert request_of(festival, *words)[1]["valid_from"] is None
    assert run(festival, None, *words, "--from", "soon").exit_code == 2


def test_a_lot_named_in_a_dispute_is_read_as_a_label_is(festival: FakeServer) -> None:
    words = ("dispute", "ODOP", "r-9/1", "accepted", "--booth", "B1")
    assert request_of(festival, *words)[1] == {"booth": "ODOP.B1", "outcome": "accepted", "lot": None}
    assert request_of(festival, *words, "--lot", "pr kpg kti 230418 oo7 4")[1]["lot"] == LOT
    assert "`karya festival disputes ODOP` shows what is left" in run(festival, None, *words).stdout
    result = run(festival, None, *words, "--lot", f"{LOT[:-1]}5")
    assert result.exit_code == 2
    assert "is no lot number" in " ".join(result.output.split())


def a_device(**changed: Any) -> dict[str, Any]:
    well = {
        "till": "T1",
        "device": "d-1",
        "listed": True,
        "struck": False,
        "closed": False,
        "complete": False,
        "missing": [],
        "branches": [{"complete": False}],
    }
    return well | changed


def waited_for(
    festival: FakeServer, sales: FakeServer, status: str, *devices: dict[str, Any]
) -> list[dict[str, Any]]:
    page = {"festival": "ODOP", "status": "open" if status == "open" else "closing", "missing": []}
    festival.pages["/festivals/ODOP/missing"] = page
    festival.pages["/festivals/ODOP/booths"] = [
        {"booth": "ODOP.B1", "festival": "ODOP", "status": status},
        {"booth": "ODOP.B2", "festival": "ODOP", "status": "open"},
    ]
    sales.pages["/booths/ODOP.B1"] = {"tills": list(devices)}
    result = run(festival, sales, "missing", "ODOP", "--json")
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)["devices"]
    return rows


def test_a_till_that_the_booth_does_not_list_is_shown_with_what_it_lost(
    festival: FakeServer, sales: FakeServer
) -> None:
    [row] = waited_for(festival, sales, "open", a_device(till="T9", listed=False, missing=[[3, 3], [5, 8]]))
    assert (row["booth"], row["till"], row["device"]) == ("ODOP.B1", "T9", "d-1")
    assert row["what_is_missing"] == "records 3, 5 to 8 and its close"
    assert row["to_do"] == (
        "not listed: add it with `karya festival add-till ODOP ODOP.B1 T9`; "
        "sync it; lost? `karya festival strike-till ODOP ODOP.B1 T9 --device d-1`"
    )
    output = run(festival, sales, "missing", "ODOP").stdout
    assert "add-till ODOP ODOP.B1 T9" in output


def test_an_open_booth_waits_for_no_device_that_is_well(festival: FakeServer, sales: FakeServer) -> None:
    assert waited_for(festival, sales, "open", a_device(), a_device(device=None)) == []


@pytest.mark.parametrize(
    ("device", "lacks"),
    [
        (a_device(), "its close"),
        (a_device(device=None), "nothing was heard"),
        (a_device(closed=True, missing=[[2, 4]]), "records 2 to 4"),
        (a_device(branches=[{"complete": True}, {"complete": False}], closed=True), "the end of 1 of its 2 branches"),
        (a_device(branches=[{"complete": False}] * 3), "the end of 3 of its 3 branches"),
    ],
)
def test_a_closing_booth_waits_for_every_device(
    festival: FakeServer, sales: FakeServer, device: dict[str, Any], lacks: str
) -> None:
    [row] = waited_for(festival, sales, "closing", device)
    assert row["what_is_missing"] == lacks
    assert row["to_do"].startswith("sync it; lost? `karya festival strike-till ODOP ODOP.B1 T1")


def test_nothing_can_be_added_to_a_closing_booth(festival: FakeServer, sales: FakeServer) -> None:
    [row] = waited_for(festival, sales, "closing", a_device(listed=False))
    assert "add-till" not in row["to_do"]


@pytest.mark.parametrize("gone", [{"struck": True, "missing": [[1, 2]]}, {"complete": True, "closed": True}])
def test_a_device_that_is_struck_or_complete_is_not_waited_for(
    festival: FakeServer, sales: FakeServer, gone: dict[str, Any]
) -> None:
    assert waited_for(festival, sales, "closing", a_device(**gone)) == []


def test_without_sales_the_rest_is_shown_and_what_is_not_known_is_said(festival: FakeServer) -> None:
    step = {"what": "not_settled", "booth": "ODOP.B1", **told("Booth ODOP.B1 is not settled.")}
    festival.pages["/festivals/ODOP/missing"] = {"festival": "ODOP", "status": "closing", "missing": [step]}
    festival.pages["/festivals/ODOP/booths"] = [{"booth": "ODOP.B1", "festival": "ODOP", "status": "closing"}]
    result = run(festival, None, "missing", "ODOP")
    assert result.exit_code == 0
    assert "Booth ODOP.B1 is not settled." in result.output
    assert "The devices that booths wait for are not known." in result.output
    assert json.loads(run(festival, None, "missing", "ODOP", "--json").stdout)["devices"] is None


def a_stray(booth: str) -> dict[str, Any]:
    at = "2026-04-18T02:30:00Z"
    sums = {"receipts": 3, "rupiah": 70_000}
    moved = {"moved_to": "F3.B1", "unmoved": 0}
    return {"booth": booth, "tills": ["T1", "T2"], **sums, "first_at": at, "last_at": at, **moved}


def test_strays_are_listed_with_the_booth_that_was_probably_meant(festival: FakeServer, sales: FakeServer) -> None:
    festival.pages["/festivals"] = [
        {"festival": "F3", "zone": "Asia/Makassar", "status": "open"},
        {"festival": "ODOP", "zone": "Asia/Jakarta", "status": "open"},
        {"festival": "F3-OLD", "zone": "Asia/Jakarta", "status": "cancelled"},
    ]
    festival.pages["/festivals/F3/booths"] = [{"booth": "F3.B1"}, {"booth": "F3.B2"}]
    festival.pages["/festivals/ODOP/booths"] = [{"booth": "ODOP.B1"}]
    sales.pages["/strays"] = [a_stray("f3.b1"), a_stray("PASAR-RAYA.X")]
    result = run(festival, sales, "strays", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["booth"], row["nearest"], row["festival"]) for row in rows] == [
        ("PASAR-RAYA.X", None, None),
        ("f3.b1", "F3.B1", "F3"),
    ]
    assert rows[0]["rupiah"] == 70_000
    output = run(festival, sales, "strays", "F3").stdout
    assert "2026-04-18 10:30 WITA" in output
    assert "T1, T2" in output
    assert "Rp70.000" in output
    assert output.splitlines()[1].split("\t")[-2:] == ["F3.B1", "0"]
    assert "PASAR" not in output
    assert "No sale strayed" in run(festival, sales, "strays", "ODOP").stdout


@pytest.mark.parametrize(
    ("id", "meant"),
    [
        ("f3.b1", "F3.B1"),
        ("F3.B01", "F3.B1"),
        ("F3B2", "F3.B2"),
        ("ODP.B1", "ODOP.B1"),
        ("PEKAN_RAYA.K7", None),
    ],
)
def test_the_nearest_name(id: str, meant: str | None) -> None:
    assert nearest(id, ["ODOP.B1", "F3.B2", "F3.B1"]) == meant


def test_without_any_booth_no_name_is_near() -> None:
    assert nearest("F3.B1", []) is None


def test_strays_need_sales(festival: FakeServer) -> None:
    festival.pages["/festivals"] = []
    result = run(festival, None, "strays")
    assert result.exit_code == 1
    assert "KARYA_SALES_URL" in result.output


def test_a_booths_takings_are_told_by_day_and_drawer(festival: FakeServer, sales: FakeServer) -> None:
    cash = {"payment": "cash", "receipts": 3, "net_rupiah": 1_250_000, "refunded_rupiah": 50_000}
    drawer = {"till": "T1", "cashier": "k.7q2m", "opened_at": "2026-04-18T02:30:00Z", "float_rupiah": 200_000}
    drawer |= {
        "dropped_rupiah": 0,
        "cash_rupiah": 1_400_000,
        "counted_rupiah": 1_398_000,
        "difference_rupiah": -2_000,
    }
    page = {"zone": "Asia/Makassar", "days": [{"day": "2026-04-18", "takings": [cash]}], "drawers": [drawer]}
    sales.pages["/booths/ODOP.B1/takings"] = page
    output = run(festival, sales, "takings", "ODOP", "B1").stdout
    for word in ("2026-04-18", "Rp1.250.000", "Rp50.000", "k.7q2m", "10:30 WITA", "Rp1.400.000", "-Rp2.000"):
        assert word in output
    assert json.loads(run(festival, sales, "takings", "ODOP", "B1", "--json").stdout) == page


def test_sales_at_another_price_are_marked(festival: FakeServer, sales: FakeServer) -> None:
    def a_sale(line: int, **changed: Any) -> dict[str, Any]:
        usual = {"lot": None, "product": "KTI", "qty": 2, "unit_price_rupiah": 9_000, "net_rupiah": 18_000}
        marks = {"status": "recorded", "price_reason": "", "old_list": False, "departs": False}
        marks |= {"waiting": 0, "disputed": 0, "rejected": 0, "voided": 0, "forwarded": 0}
        return {"sale": f"r/{line}", "line": line} | usual | marks | changed

    lines = [a_sale(1), a_sale(2, old_list=True), a_sale(3, departs=True, price_reason="stain")]
    receipt = {
        "receipt": "r",
        "number": 1,
        "till": "T1",
        "payment": "cash",
        "sold_at": "2026-04-18T02:30:00Z",
        "sales": lines,
    }
    refused = {"receipt": "r-9", "line": 1, "qty": 3, "left": 0}
    sales.pages["/booths/ODOP.B1"] = {"zone": "Asia/Makassar", "refused_orders": [refused]}
    sales.pages["/booths/ODOP.B1/receipts"] = [receipt]
    rows = json.loads(run(festival, sales, "receipts", "ODOP", "B1", "--marked", "--json").stdout)
    assert [(row["sale"], row["till"], row["payment"]) for row in rows] == [
        ("r/2", "T1", "cash"),
        ("r/3", "T1", "cash"),
    ]
    result = run(festival, sales, "receipts", "ODOP", "B1")
    assert "Your void of 3 of line 1 of r-9 was not done: 0 could still be voided." in result.output
    output = result.stdout
    assert "another price: stain" in output
    assert output.count("old list") == 1


def test_a_receipts_id_and_what_became_of_each_piece_are_shown(festival: FakeServer, sales: FakeServer) -> None:
    def a_sale(line: int, status: str, **pieces: int) -> dict[str, Any]:
        usual = {"lot": None, "product": "KTI", "qty": 3, "unit_price_rupiah": 9_000, "net_rupiah": 27_000}
        marks = {"status": status, "price_reason": "", "old_list": False, "departs": False}
        zeros = {"waiting": 0, "disputed": 0, "rejected": 0, "voided": 0, "forwarded": 0}
        return {"sale": f"r-7/{line}", "line": line} | usual | marks | zeros | pieces

    lines = [
        a_sale(1, "recorded", voided=1),
        a_sale(2, "waiting", waiting=1, voided=1),
        a_sale(3, "voided", voided=3),
    ]
    receipt = {"receipt": "r-7", "number": 1, "till": "T1", "sold_at": "2026-04-18T02:30:00Z", "sales": lines}
    refused = {"receipt": "r-9", "line": 1, "qty": 3, "left": 0}
    sales.pages["/booths/ODOP.B1"] = {"zone": "Asia/Makassar", "refused_orders": [refused]}
    sales.pages["/booths/ODOP.B1/receipts"] = [receipt]
    rows = [line.split("\t") for line in run(festival, sales, "receipts", "ODOP", "B1").stdout.splitlines()[1:]]
    assert [(row[0], row[-2], row[-1]) for row in rows] == [
        ("r-7/1", "recorded", "1 voided"),
        ("r-7/2", "waiting", "1 waiting, 1 voided"),
        ("r-7/3", "voided", ""),
    ]


def in_doubt(**changed: Any) -> dict[str, Any]:
    sale = {"sale": "r-7/1", "receipt": "r-7", "till": "T1", "lot": None, "product": "KTI", "qty": 5}
    sale |= {"waiting": 2, "disputed": 0, "rupiah": 50_000, "sold_at": "2026-04-18T02:30:00Z", "why": "beyond_stock"}
    booth = {"booth": "ODOP.B1", "name": "Booth 1", "zone": "Asia/Makassar", "status": "open"}
    return booth | {"takings_rupiah": 1_250_000, "sold": 25, "receipts": 1, "sales": [sale | changed]}


def test_sales_in_doubt_are_listed_while_the_festival_runs(festival: FakeServer, sales: FakeServer) -> None:
    quiet = in_doubt() | {"booth": "ODOP.B2", "receipts": 0, "sales": []}
    sales.pages["/disputes"] = [in_doubt(), quiet]
    [row] = json.loads(run(festival, sales, "disputes", "ODOP", "--json").stdout)
    assert (row["booth"], row["sale"], row["product"], row["pieces"]) == ("ODOP.B1", "r-7/1", "KTI", 2)
    assert (row["rupiah"], row["state"], row["why"]) == (50_000, "waiting", "beyond_stock")
    assert row["ends"] == ["stock", "void", "decision", "closing"]
    shown = run(festival, sales, "disputes", "ODOP").stdout
    for word in ("ODOP.B1", "r-7/1", "2026-04-18 10:30 WITA", "Rp50.000", "waiting", "more than was counted in"):
        assert word in shown
    assert "karya festival dispute ODOP SALE" in shown
    assert "No sale of ODOP.B2 is in doubt." in run(festival, sales, "disputes", "ODOP", "--booth", "B2").stdout


def test_what_a_page_of_sales_in_doubt_does_not_show_is_said(festival: FakeServer, sales: FakeServer) -> None:
    sales.pages["/disputes"] = [in_doubt() | {"receipts": 9}]
    assert "8 more receipts follow" in run(festival, sales, "disputes", "ODOP").stdout


def test_missing_tells_sales_in_doubt_once_with_their_rupiah(festival: FakeServer, sales: FakeServer) -> None:
    decide = {"what": "disputed", "booth": "ODOP.B1", "sale": "r-7/1", **told("Sale r-7/1 has pieces too many.")}
    festival.pages["/festivals/ODOP/missing"] = {"festival": "ODOP", "status": "closing", "missing": [decide]}
    festival.pages["/festivals/ODOP/booths"] = []
    sales.pages["/disputes"] = [in_doubt(waiting=0, disputed=2)]
    page = json.loads(run(festival, sales, "missing", "ODOP", "--json").stdout)
    assert [(row["sale"], row["state"], row["rupiah"]) for row in page["disputes"]] == [("r-7/1", "disputed", 50_000)]
    assert page["missing"] == [decide]
    shown = run(festival, sales, "missing", "ODOP").stdout
    assert shown.count("r-7/1") == 1
    assert "Rp50.000" in shown
    alone = run(festival, None, "missing", "ODOP")
    assert "Sale r-7/1 has pieces too many." in alone.output
    assert "Takings and sales in doubt are not known." in alone.output


def test_a_festivals_booths_are_shown_with_takings(festival: FakeServer, sales: FakeServer) -> None:
    festival.pages["/festivals/ODOP"] = {
        "name": "Pekan",
        "place": "Kupang",
        "zone": "Asia/Makassar",
        "first_day": "2026-04-18",
        "last_day": "2026-04-18",
        "status": "open",
        "sums": None,
    }
    lot = {"in_transit": 0, "received": 40, "sold": 0, "left": 40}
    booth = {"booth": "ODOP.B1", "name": "Booth 1", "status": "open", "deadline": None, "lots": [lot]}
    settled = booth | {"booth": "ODOP.B2", "status": "settled", "lots": [lot | {"sold": 30, "left": 0}]}
    festival.pages["/festivals/ODOP/booths"] = [booth, settled]
    for name in ("requests", "shipments", "transfers"):
        festival.pages[f"/festivals/ODOP/{name}"] = []
    sales.pages["/disputes"] = [in_doubt(), in_doubt() | {"booth": "ODOP.B2", "sold": 31}]
    row, _ = json.loads(run(festival, sales, "show", "ODOP", "--json").stdout)["booths"]
    expected = {"takings_rupiah": 1_250_000, "sold": 25, "in_doubt_rupiah": 50_000, "waiting": 2, "disputed": 0}
    assert row["sales"] == expected
    shown = run(festival, sales, "show", "ODOP").stdout
    rows = [line.split("\t") for line in shown.splitlines() if line.startswith("ODOP.")]
    # An open booth has what sales counts so far; a settled one what the festival's books say.
    assert [row[4:7] for row in rows] == [["40", "25", "15"], ["40", "30", "0"]]
    assert "Rp1.250.000" in shown
    assert "Rp50.000" in shown
    assert "Booth 1" in run(festival, None, "show", "ODOP").stdout


def test_a_closed_booth_is_reopened(festival: FakeServer) -> None:
    assert request_of(festival, "reopen-booth", "ODOP", "B1", "--reason", "wrong booth") == (
        "/festivals/ODOP/booths/ODOP.B1/reopen",
        {"reason": "wrong booth"},
    )
    output = run(festival, None, "reopen-booth", "ODOP", "B1").stdout
    assert "Reservations that the closing released stay released" in output
