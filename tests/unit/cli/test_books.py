"""The output of `karya sales` and `karya settlement`: text, JSON and CSV of the same rows."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app
from services.sales.api.pages import BoothLotPage, SettlementPage
from shared.translation import Language, use_language
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    use_language(Language.ENGLISH)
    yield
    use_language(None)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with running() as fake:
        yield fake


def run(server: FakeServer, *words: str) -> Result:
    return CliRunner().invoke(app, words, env={"KARYA_SALES_URL": server.url})


def table_of(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def a_lot(lot: str, product: str, sold: int, rupiah: int) -> dict[str, Any]:
    page = {"lot": lot, "facility": "LP-KPG", "product": product, "stocked": 10, "sold": sold, "sold_rupiah": rupiah}
    return page | {"lost": 1, "moved": 0, "unsold": 9 - sold}


def a_booth(name: str, *lots: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"booth": f"ODOP.{name}", "festival": "ODOP", "lots": lots, "waiting": 0, "disputed": 0} | changed


def a_settlement(**changed: Any) -> dict[str, Any]:
    page = SettlementPage(
        facility="LP-KPG",
        festival="ODOP",
        issued=True,
        final=True,
        revision=2,
        qty=5,
        sold_rupiah=1_250_000,
        facility_rupiah=900_000,
        maker_premium_rupiah=100_000,
        programme_rupiah=250_000,
        provisional_qty=0,
        provisional_rupiah=0,
        booths=[],
    )
    return page.model_dump(mode="json") | changed


def test_the_pages_of_sales_have_these_fields() -> None:
    assert a_lot("L1", "KTI", 4, 40_000).keys() <= BoothLotPage.model_fields.keys()


def test_sales_are_summed_by_product_and_shown_by_lot(server: FakeServer) -> None:
    lots = (a_lot("L1", "KTI", 4, 40_000), a_lot("L2", "KTI", 3, 30_000), a_lot("L3", "KBS", 1, 5_000))
    server.pages["/booths"] = [
        a_booth("B2", a_lot("L4", "KTI", 2, 1_180_000), waiting=1, disputed=2),
        a_booth("B1", *lots),
    ]
    rows = table_of(run(server, "sales", "ODOP", "--csv"))
    assert [(row["booth"], row["product"], row["sold"], row["sold_rupiah"]) for row in rows] == [
        ("ODOP.B1", "KBS", "1", "5000"),
        ("ODOP.B1", "KTI", "7", "70000"),
        ("ODOP.B2", "KTI", "2", "1180000"),
    ]
    assert {row["festival"] for row in rows} == {"ODOP"}
    by_lot = json.loads(run(server, "sales", "ODOP", "--lots", "--json").stdout)
    assert (by_lot[0]["lot"], by_lot[0]["facility"], by_lot[0]["sold_rupiah"]) == ("L1", "LP-KPG", 40_000)
    assert sum(row["sold"] for row in by_lot) == sum(int(row["sold"]) for row in rows)
    result = run(server, "sales", "ODOP")
    assert "10 pieces sold for Rp1.255.000." in result.stdout
    assert "Rp1.180.000" in result.stdout
    assert "Booth ODOP.B2: 1 sales wait and 2 are disputed" in result.stderr


def test_a_settlement_is_found_by_festival_or_facility(server: FakeServer) -> None:
    server.pages["/settlements"] = [a_settlement(facility="PR-KPG", final=False), a_settlement()]
    rows = table_of(run(server, "settlement", "ODOP", "--csv"))
    assert [(row["facility"], row["status"], row["facility_rupiah"]) for row in rows] == [
        ("LP-KPG", "issued", "900000"),
        ("PR-KPG", "so far", "900000"),
    ]
    assert "Rp2.500.000 in all." in run(server, "settlement", "ODOP").stdout
    assert json.loads(run(server, "settlement", "ODOP", "--json").stdout)[0]["booths"] == []


@pytest.mark.parametrize(("command", "page"), [("sales", "/booths"), ("settlement", "/settlements")])
def test_an_unknown_name_is_refused(server: FakeServer, command: str, page: str) -> None:
    server.pages[page] = []
    result = run(server, command, "ODPO")
    assert result.exit_code == 1
    assert "Is the id right?" in result.stderr
    assert run(server, command, "ODPO", "--csv", "--json").exit_code == 2


def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(server: FakeServer) -> None:
    server.pages["/settlements"] = [
        a_settlement(facility=text, sold_rupiah=-5)
        for text in ("=1+1", "+62", "-x", "@SUM(A1)", " =1", "a=b", 'é,"b"')
    ]
    rows = table_of(run(server, "settlement", "ODOP", "--csv"))
    assert {row["facility"] for row in rows} == {"'=1+1", "'+62", "'-x", "'@SUM(A1)", "' =1", "a=b", 'é,"b"'}
    assert {row["sold_rupiah"] for row in rows} == {"-5"}
