"""The snapshot of the catalogue on a device: fetched, compared, and never older than what was received."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.terminal import app as terminal_app
from cli.till import app as till_app
from edge.snapshot import CatalogueSnapshot
from edge.terminal.terminal import Terminal
from edge.till.basket import BasketEntry
from edge.till.till import Till
from shared.errors import NotAnswered, WrongEntry
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.language import Event
from tests.support.builders.production import product_listed
from tests.support.fake_server import FakeServer, running

NOW = datetime(2026, 4, 18, 2, tzinfo=UTC)
DAY = date(2026, 4, 18)
CHANGED = {"changed_at": "2026-04-18T02:00:00Z", "command": "c1"}
KTI = {
    **CHANGED,
    "entry": "product/KTI",
    "kind": "product",
    "code": "KTI",
    "revision": 3,
    "name": "Kain tenun ikat",
    "category": "tenun",
    "unit": "helai",
    "max_qty": 200,
}
KRJ = {**KTI, "entry": "product/KRJ", "code": "KRJ", "name": "Kerajinan tangan"}
KUPANG = {
    **CHANGED,
    "entry": "facility/PR-KPG",
    "kind": "facility",
    "code": "PR-KPG",
    "revision": 2,
    "name": "Lapas Perempuan",
    "facility_kind": "lapas",
    "zone": "Asia/Jayapura",
    "island": "timor",
    "products": ["KTI"],
}
TENUN = {**CHANGED, "entry": "category/tenun", "kind": "category", "code": "tenun", "revision": 1, "name": "Tenun"}


def a_page(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"revision": sum(entry["revision"] for entry in entries), "entries": list(entries)}


@pytest.fixture
def production() -> Iterator[FakeServer]:
    with running() as service:
        service.pages["/catalogue"] = a_page(TENUN, KTI, KRJ, KUPANG)
        service.etags["/catalogue"] = '"all-9"'
        yield service


def run(app: Any, folder: Path, *words: str, **environment: str) -> Result:
    env = {"KARYA_SPOOL_DIR": str(folder), "KARYA_FACILITY": "PR-KPG", "KARYA_BOOTH": "ODOP.B1", "COLUMNS": "200"}
    return CliRunner().invoke(app, list(words), env=env | environment)


def test_a_terminal_that_reaches_no_kafka_gets_zone_and_products_over_http(
    production: FakeServer, tmp_path: Path
) -> None:
    assert run(terminal_app, tmp_path, "record", "KTI", "3").exit_code == 2, "the zone is not known"
    result = run(terminal_app, tmp_path, "catalogue", "--from", production.url)
    assert result.exit_code == 0, result.output
    assert result.stdout == "The catalogue, revision 9, is kept on this device: 1 product.\n"
    assert " WIT: 3 × KTI" in run(terminal_app, tmp_path, "record", "kain tenun ikat", "3").stdout
    refused = run(terminal_app, tmp_path, "record", "KTJ", "3")
    assert (refused.exit_code, "Did you mean KTI (Kain tenun ikat)?" in refused.stderr) == (1, True)
    # The same state is not sent again; another one is.
    answer = run(terminal_app, tmp_path, "catalogue", "--json", KARYA_PRODUCTION_URL=production.url)
    assert json.loads(answer.stdout) == {"changed": False, "revision": None, "products": None}
    assert (
        "Nothing in the catalogue has changed"
        in run(terminal_app, tmp_path, "catalogue", "--from", production.url).stdout
    )
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        assert terminal.spool.etag(FACILITY_CATALOGUE, production.url) == '"all-9"'
        assert terminal.spool.etag(FACILITY_CATALOGUE, "http://other") is None, "another address, another catalogue"
        assert [product.product for product in terminal.catalogue().on_list()] == ["KTI"]
    production.pages["/catalogue"] = a_page(KTI, KRJ, {**KUPANG, "revision": 3, "products": ["KRJ", "KTI"]})
    production.etags["/catalogue"] = '"all-10"'
    answer = run(terminal_app, tmp_path, "catalogue", "--json", KARYA_PRODUCTION_URL=production.url)
    assert json.loads(answer.stdout) == {"changed": True, "revision": 9, "products": 2}


def test_a_snapshot_does_not_replace_what_is_newer(tmp_path: Path) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        for revision, name in ((2, "Former"), (4, "Newest")):
            body = product_listed("KTI", revision=revision, name=name)
            event = Event(f"e{revision}", "production", "PR-KPG", NOW, NOW, body)
            terminal.spool.receive(FACILITY_CATALOGUE, 0, [(event, None)], next=revision)
            terminal.keep_snapshot(CatalogueSnapshot.of("http://p", "", a_page(KTI, KUPANG)), at=NOW)
            [product] = terminal.catalogue().on_list()
            assert product.name == ("Kain tenun ikat" if revision < 3 else "Newest")
        assert terminal.spool.etag(FACILITY_CATALOGUE, "http://p") is None, "a server without ETags is always asked"


def test_a_facility_that_is_not_in_the_snapshot_is_refused_with_the_nearest(
    production: FakeServer, tmp_path: Path
) -> None:
    result = run(terminal_app, tmp_path, "catalogue", "--from", production.url, KARYA_FACILITY="PR-KPK")
    assert result.exit_code == 1
    assert "no facility PR-KPK (yet). Did you mean PR-KPG?" in result.stderr


def test_a_till_without_prices_refuses_what_is_not_in_the_catalogue(production: FakeServer, tmp_path: Path) -> None:
    assert run(till_app, tmp_path, "sell", "KTJ=1@5.000").exit_code == 0, "nothing is known yet"
    result = run(till_app, tmp_path, "catalogue", "--from", production.url)
    assert result.stdout == "The catalogue, revision 9, is kept on this device: 2 products.\n"
    refused = run(till_app, tmp_path, "sell", "KTJ=1@5.000")
    assert (refused.exit_code, "KTI (Kain tenun ikat)" in refused.stderr) == (1, True)
    assert run(till_app, tmp_path, "sell", "KTI=1@5.000").exit_code == 0
    assert run(till_app, tmp_path, "sell", "--unlisted", "KTJ=1@5.000").exit_code == 0
    assert run(till_app, tmp_path, "edit", "2", "KTX=1@5.000").exit_code == 1
    assert run(till_app, tmp_path, "edit", "2", "KTX=1@5.000", "--unlisted").exit_code == 0
    with Till(tmp_path, "ODOP.B1", "T1") as till:
        assert till.spool.counts().records == 3
        older = {**KTI, "revision": 2, "name": "Former"}
        till.keep_snapshot(CatalogueSnapshot.of("http://p", "", a_page(older)), at=NOW)
        assert till.products()["KTI"].name == "Kain tenun ikat"
        with pytest.raises(WrongEntry, match="no product KTJ"):
            till.sell([BasketEntry("KTJ", 1, 5)], at=NOW)


@pytest.mark.parametrize("page", [None, [], {}, {"revision": 1, "entries": [{"kind": "product"}]}, "<html>"])
def test_what_is_no_catalogue_changes_nothing(production: FakeServer, tmp_path: Path, page: Any) -> None:
    with pytest.raises(NotAnswered, match="is no catalogue"):
        CatalogueSnapshot.of("http://p", "", page)
    assert run(till_app, tmp_path, "catalogue", "--from", production.url).exit_code == 0
    production.pages["/catalogue"], production.etags["/catalogue"] = page, '"other"'
    result = run(till_app, tmp_path, "catalogue", "--from", production.url)
    assert result.exit_code == 1
    with Till(tmp_path, "ODOP.B1", "T1") as till:
        assert till.products().keys() == {"KTI", "KRJ"}


def test_without_a_network_the_copy_stays_and_the_person_is_told(tmp_path: Path) -> None:
    for words, message in (
        ((), "No production service is known"),
        (("--from", "http://127.0.0.1:1"), "does not answer"),
    ):
        result = run(till_app, tmp_path, "catalogue", *words)
        assert (result.exit_code, message in result.stderr) == (1, True), result.output
