"""The reads, requests and output of the catalogue's commands."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.catalogue import app, sowing
from cli.catalogue.bulk import read_lines
from shared.errors import WrongEntry
from shared.translation import Language, use_language
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit

HEAD = "kind,code,name,category,unit,max_qty,usual_price_rupiah,products,days\n"
KTI = {
    "entry": "product/KTI",
    "kind": "product",
    "code": "KTI",
    "revision": 2,
    "changed_at": "2026-04-18T02:00:00Z",
    "command": "c1",
    "name": "Kain tenun ikat",
    "category": "tenun",
    "unit": "helai",
    "max_qty": 200,
    "usual_price_rupiah": 150_000,
}
OLD = {**KTI, "entry": "product/TTN", "code": "TTN", "name": "Tas tenun", "retired_at": "2026-04-19T02:00:00Z"}
KUPANG = {
    "entry": "facility/PR-KPG",
    "kind": "facility",
    "code": "PR-KPG",
    "revision": 1,
    "changed_at": "2026-04-18T02:00:00Z",
    "command": "c1",
    "name": "Lapas Perempuan",
    "facility_kind": "lapas",
    "zone": "Asia/Makassar",
    "island": "timor",
    "products": ["KTI"],
}


@pytest.fixture
def production() -> Iterator[FakeServer]:
    with running() as service:
        entries = [KTI, OLD, KUPANG]
        service.pages["/catalogue"] = {"revision": 5, "entries": entries}
        service.pages.update({f"/catalogue/{entry['entry']}": entry for entry in entries})
        yield service


@pytest.fixture
def indonesian() -> Iterator[None]:
    use_language(Language.INDONESIAN)
    yield
    use_language(None)


def run(production: FakeServer, *words: str) -> Result:
    return CliRunner().invoke(app, words, env={"KARYA_PRODUCTION_URL": production.url, "COLUMNS": "300"})


def given(production: FakeServer, *words: str) -> tuple[str, Any]:
    """The path and the body of a command that succeeds."""
    result = run(production, *words)
    assert result.exit_code == 0, result.output
    return production.given[-1]


def test_a_change_keeps_what_is_not_named(production: FakeServer) -> None:
    path, body = given(production, "set-product", "kti", "--price", "Rp175.000")
    assert path == "/entries/product%2FKTI/set-product"
    assert body == {
        "name": "Kain tenun ikat",
        "category": "tenun",
        "unit": "helai",
        "max_qty": 200,
        "shelf_life_days": None,
        "usual_price_rupiah": 175_000,
    }


def test_products_of_a_facility_are_added_and_dropped(production: FakeServer) -> None:
    _, body = given(production, "set-facility", "PR-KPG", "--add", "svr", "--add", "KTI", "--drop", "kti")
    assert body["products"] == ["SVR"]
    _, body = given(production, "set-facility", "PR-KPG", "--product", "KBS")
    assert (body["products"], body["island"]) == (["KBS"], "timor")


def test_a_new_product_needs_more(production: FakeServer) -> None:
    result = run(production, "set-product", "NEW", "--name", "Baru")
    assert result.exit_code == 1
    assert "product/NEW is new: it needs --category as well" in result.output
    assert production.given == []


@pytest.mark.usefixtures("indonesian")
def test_a_reader_of_indonesian_is_told_in_indonesian_what_a_new_entry_needs(
    production: FakeServer, tmp_path: Path
) -> None:
    needed = run(production, "set-product", "NEW", "--name", "Baru")
    assert "product/NEW masih baru: perlu juga --category." in needed.output
    sheet = tmp_path / "catalogue.csv"
    sheet.write_text(HEAD + "product,new,Baru,,,,,,\n")
    assert "product/NEW masih baru: perlu juga kolom category." in run(production, "import", str(sheet)).output


def test_terms_lead_times_and_retirements_are_sent(production: FakeServer) -> None:
    assert given(production, "set-unit", "lusin", "Lusin") == ("/entries/unit%2Flusin/set-term", {"name": "Lusin"})
    assert given(production, "set-lead-time", "timor", "jawa", "5") == (
        "/entries/lead-time%2Ftimor%2Fjawa/set-lead-time",
        {"days": 5},
    )
    assert given(production, "retire", "kti", "--reason", "habis") == (
        "/entries/product%2FKTI/retire",
        {"reason": "habis"},
    )


def test_an_entry_that_is_not_there_is_refused_with_the_nearest(production: FakeServer) -> None:
    result = run(production, "show", "KTJ")
    assert result.exit_code == 1
    assert "Did you mean product/KTI?" in result.output


def test_retired_entries_are_listed_only_when_asked_for(production: FakeServer) -> None:
    def listed(*words: str) -> list[str]:
        return [row["code"] for row in json.loads(run(production, "list", "--json", *words).output)]

    assert listed() == ["KTI", "PR-KPG"]
    assert listed("--retired", "--kind", "product") == ["KTI", "TTN"]
    assert "usual price Rp150.000" in run(production, "list").output


def test_a_file_is_read_in_the_order_in_which_entries_name_each_other() -> None:
    lines = read_lines(
        HEAD
        + "facility,pr-kpg,Lapas,,,,,kti svr,\n"
        + "product,kti,Kain,tenun,helai,1.200,Rp150.000,,\n"
        + "category,tenun,Tenun,,,,,,\n"
    )
    assert [line.entry for line in lines] == ["category/tenun", "product/KTI", "facility/PR-KPG"]
    assert lines[1].fields == {
        "name": "Kain",
        "category": "tenun",
        "unit": "helai",
        "max_qty": 1200,
        "usual_price_rupiah": 150_000,
    }
    assert lines[2].fields["products"] == ["KTI", "SVR"]
    assert read_lines(HEAD.replace(",", ";") + "unit;lusin;Lusin;;;;;;\n")[0].fields == {"name": "Lusin"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nx\n", "lacks these columns: code"),
        ("kind,code,colour\n", "'colour' is no column here"),
        (HEAD + "animal,x,,,,,,,\n", "line 2: 'animal' is no kind"),
        (HEAD + "product,kain,,,,,,,\n", "line 2: 'kain' was not understood"),
        (HEAD + "product,KTI,,,,1.5,,,\n", "line 2: '1.5'"),
        (HEAD + "unit,x,X,tenun,,,,,\n", "line 2: A unit has no category"),
        (HEAD + "unit,x,X,,,,,,\nunit,x,X,,,,,,\n", "line 3: unit/x stands on line 2 too"),
        (HEAD + "facility,pr-kpg,Lapas,,,,,kti,svr,krj\n", "line 2: The line has more cells"),
        (HEAD + "facility,pr-kpg,Lapas,,,,,kti,svr,\n", "line 2: A facility has no days"),
    ],
)
def test_a_file_with_a_fault_is_refused_whole_and_every_fault_is_named(text: str, message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        read_lines(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_encoding_in_which_it_was_saved(
    production: FakeServer, tmp_path: Path, encoding: str
) -> None:
    sheet = tmp_path / "catalogue.csv"
    sheet.write_text(HEAD + "unit,lusin,Lusin é,,,,,,\n", encoding=encoding)
    assert given(production, "import", str(sheet)) == ("/entries/unit%2Flusin/set-term", {"name": "Lusin é"})


def test_a_refused_file_sends_nothing(production: FakeServer, tmp_path: Path) -> None:
    sheet = tmp_path / "catalogue.csv"
    sheet.write_text(HEAD + "unit,lusin,Lusin,,,,,,\nanimal,x,,,,,,,\n")
    assert run(production, "import", str(sheet)).exit_code == 1
    assert production.given == []
    sheet.write_text(HEAD + "unit,lusin,Lusin,,,,,,\nproduct,new,Baru,,,,,,\n")
    result = run(production, "import", str(sheet), "--json")
    assert result.exit_code == 1
    assert [(row["line"], row["status"]) for row in json.loads(result.output)] == [(2, "done"), (3, "refused")]


def test_the_first_entries_are_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARYA_KAFKA", "127.0.0.1:1")
    answers = iter([42, 0, 42])

    async def sow(settings: Any) -> int:
        assert settings.kafka == "127.0.0.1:1"
        return next(answers)

    monkeypatch.setattr(sowing, "sow_catalogue", sow)
    assert "42 entries were sent" in CliRunner().invoke(app, ["seed"]).stdout
    assert "sown before" in CliRunner().invoke(app, ["seed"]).stdout
    assert json.loads(CliRunner().invoke(app, ["seed", "--json"]).stdout) == {"sent": 42}


def test_the_first_entries_need_a_kafka_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sow(_settings: Any) -> int:
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(sowing, "sow_catalogue", sow)
    result = CliRunner().invoke(app, ["seed"], env={"KARYA_KAFKA": "127.0.0.1:1"})
    assert result.exit_code == 1
    assert "Kafka at 127.0.0.1:1 did not take the entries (" in result.stderr
