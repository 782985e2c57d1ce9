"""Tables of pages as files, and filters in the address. All quantities are made up."""

import csv
import re
from html.parser import HTMLParser
from io import StringIO

import pytest

from services.portal.api.files import cell, file_name, number, page_table
from services.portal.api.filters import Filter, narrowed
from services.portal.api.pages import TEMPLATES
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import LOT, PLACE, running_festival
from tests.support.portal import OtherServices, a_portal, sign_in
from tests.support.portal_pages import all_pages, page_addresses

# It shows every component, and has nothing to take home.
SHOWCASE = "/design"
PAGE = """
<div aria-label="Other"><table><tr><td>no</td></tr></table></div>
<div class="table" aria-label="Sold &amp; left"><table data-file="sold">
<thead><tr><th>product</th><th class="number">sold for</th><th>void</th></tr></thead>
<tbody><tr><th>Kain
 <span>KTI</span></th><td class="number">Rp1.250.000</td><td>yes<details><summary>Void</summary><form>
 <input><button>Go</button></form></details></td></tr></tbody></table></div>
<table data-file="later"><tr><td>1.000</td></tr></table>
"""


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= running_festival() | {f"{PLACE}/requests": []}
    return others


def test_a_table_is_read_with_its_title_and_without_what_people_press() -> None:
    table = page_table(PAGE, "sold")
    assert table is not None
    assert table.title == "Sold & left"
    assert table.rows == [["product", "sold for", "void"], ["Kain KTI", 1_250_000, "yes"]]


def test_only_columns_of_numbers_become_numbers() -> None:
    table = page_table(PAGE, "later")
    assert table is not None
    assert table.rows == [["1.000"]]
    assert page_table(PAGE, "nothing") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("-Rp1.000", "-Rp1.000"), ("+12", 12), ("0", 0), ("1234", 1234), ("62 %", "62 %"), ("6 ± 2", "6 ± 2"), ("", "")],
)
def test_amounts_are_numbers_to_a_spreadsheet(text: str, value: int | str) -> None:
    assert number(text) == (-1000 if text == "-Rp1.000" else value)


def test_a_text_is_no_formula_and_a_name_no_path() -> None:
    assert [cell(text) for text in ("\r=1", "\n=1", "\t=1")] == ["'\r=1", "'\n=1", "'\t=1"]
    assert cell("=1+1") == "'=1+1"
    assert cell(-5) == -5
    assert cell('basah; rusak;=1+1; "@SUM(A1)"') == """basah; rusak;'=1+1;' "@SUM(A1)\""""
    assert file_name("../Lot & sisa") == "..-Lot-sisa"


def test_a_list_is_narrowed_by_the_address_and_offers_what_there_is() -> None:
    rows = ["a1", "a2", "b1"]
    columns = {"letter": lambda row: row[0], "number": lambda row: row[1]}
    assert narrowed(rows, {"letter": "a"}, columns) == (
        ["a1", "a2"],
        [Filter("letter", ["a", "b"], "a"), Filter("number", ["1", "2"], "")],
    )
    assert narrowed(["a1"], {}, columns) == (["a1"], []), "nothing to choose"
    assert narrowed(["a1"], {"letter": "z"}, columns)[0] == []


async def test_a_table_comes_as_a_file_by_the_same_filters(others: OtherServices) -> None:
    others.pages[f"{PLACE}/shipments"].append(
        {**others.pages[f"{PLACE}/shipments"][0], "shipment": "S9", "status": "sent"}
    )
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/parcels?status=sent")).text
        assert "/festivals/ODOP/parcels?status=sent&amp;file=all-parcels" in page
        assert ">S1<" not in page
        answer = await browser.get("/festivals/ODOP/parcels?status=sent&file=all-parcels")
        assert answer.headers["content-disposition"] == 'attachment; filename="All-parcels.csv"'
        assert answer.headers["cache-control"] == "no-store"
        rows = list(csv.reader(StringIO(answer.text.removeprefix("\ufeff"))))
        assert [row[0] for row in rows] == ["parcel", "S9"]
        browser.headers["Accept-Language"] = "id"
        answer = await browser.get("/festivals/ODOP/parcels?status=sent&file=all-parcels")
        assert [len(line.split(";")) for line in answer.text.splitlines()] == 2 * [len(rows[0])]
        assert (await browser.get("/festivals/ODOP/parcels?file=nothing")).status_code == 404
        assert (await browser.get("/festivals/ODOP/parcels?state=sent")).status_code == 422, "a mistyped filter"


async def test_the_answer_to_a_form_offers_no_file(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post("/festivals/ODOP/booths", data={"booth": "B3"})
        assert (answer.status_code, "?file=" in answer.text) == (422, False)
        page = (await browser.get("/festivals/ODOP/booths/ODOP.B1")).text
        assert LOT in page
        assert "file=what-it-holds" in page


class _Tables(HTMLParser):
    """The tables of a page by name, `` for one without, and the addresses of its files. Left out are fields of a form
    in rows, and lists that stand on paper alone."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.files: dict[str, str] = {}
        self._is_form = self._is_paper = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_form = True
        elif tag == "div":
            self._is_paper = "print-only" in attributes.get("class", "")
        elif tag == "table" and not self._is_form and not self._is_paper:
            self.names.append(attributes.get("data-file", ""))
        elif tag == "a" and (name := re.search(r"[?&]file=(.+)", attributes.get("href", ""))):
            self.files[name[1]] = attributes["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_form = False


async def test_every_table_of_every_page_is_a_file() -> None:
    found: set[str] = set()
    async with a_portal(all_pages()) as browser:
        await sign_in(browser)
        await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})
        for address in page_addresses():
            if address == SHOWCASE:
                continue
            tables = _Tables((await browser.get(address)).text)
            assert set(tables.names) == set(tables.files), address
            for file in tables.files.values():
                answer = await browser.get(file)
                assert answer.headers["content-type"] == "text/csv; charset=utf-8", file
                assert len(answer.text.splitlines()) > 1, file
            found |= set(tables.names)
    assert {"accounts", "invariants", "held", "services", "rebuilds", "audit", "lots", "islands"} <= found


def test_a_table_that_is_seldom_shown_has_a_link_too() -> None:
    pages = {path.name: path.read_text() for path in TEMPLATES.glob("*.html") if path.name != "design.html"}
    offered = {name for page in pages.values() for name in re.findall(r'table_file\("([^"]+)"', page)}
    for template, page in pages.items():
        outside = re.sub(r'<form.*?</form>|<div class="print-only.*?</table>', "", page, flags=re.DOTALL)
        for table in re.findall(r"<table[^>]*>", outside):
            name = re.search(r'data-file="([^"]+)"', table)
            assert name, (template, table)
            assert "{" in name[1] or name[1] in offered, (template, table)
