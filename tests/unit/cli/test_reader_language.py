"""Answers of a service in the reader's language: refusals, problems of a page, and reasons of a plan."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp
from typer.testing import CliRunner

from cli.console import show_table
from cli.festival import app
from cli.festival.client import ServiceClient
from ops.trace import BALANCE_COLUMNS
from services.festival.api.pages import SumsPage
from services.festival.domain.allocation.acceptance import Rejection
from services.festival.domain.command import first_names
from shared.errors import NotAnswered
from shared.events.festival import CommandRefusal, CommandRefused
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from shared.translation import HEADING, Language, catalogue, in_own_language, received, tr, translated, use_language
from shared.wording import Message, any_of, message_of
from tests.support.builders.festival import B1, FestivalWorld, a_booth, a_request, an_announcement, product_codes
from tests.support.fake_server import running

pytestmark = pytest.mark.unit

ANNOUNCED = {
    "festival": "ODOP",
    "name": "One Day",
    "place": "Kupang",
    "zone": "Asia/Makassar",
    "first_day": "2026-04-18",
    "last_day": "2026-04-20",
}


@pytest.fixture(autouse=True)
def indonesian() -> Iterator[None]:
    use_language(Language.INDONESIAN)
    yield
    use_language(None)


def _answer(pages: ASGIApp, request: httpx.Request) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(pages)) as client:
            answer = await client.request(
                request.method, request.url, headers=request.headers, content=request.read()
            )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return asyncio.run(ask())


def a_client(name: str = "festival") -> ServiceClient:
    """A client of the service's real pages. Kafka and MongoDB do not answer."""
    service = Service(name, (), Settings(kafka="localhost:1", mongo="mongodb://localhost:1"))
    pages = application(service, f"Karya {name}", import_module(f"services.{name}.api").routes(service))
    client = ServiceClient("http://localhost", 0, name)
    client._client = httpx.Client(transport=httpx.MockTransport(partial(_answer, pages)), base_url="http://localhost")
    return client


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": 5}, "name", "Harus berupa teks."),
        ({"first_day": "18 April"}, "first_day", "Harus berupa tanggal"),
        ({"first_day": "1066-04-18"}, "first_day", "Di luar tahun 1970 sampai 2099."),
        ({"first_day": None}, "first_day", "Harus berupa tanggal"),
        ({"festival": "pekan raya"}, "festival", "Isinya paling banyak 120 huruf"),
        ({"colour": "red"}, "colour", "Kolom ini tidak ada."),
        ({"weights": [{"facility": "LP-KPG", "weight": 0}]}, "weights.0.weight", "Sekurang-kurangnya 1."),
        ({"name": "x" * 700}, "name", "Terlalu panjang: paling banyak"),
    ],
)
def test_no_validators_words_reach_a_person(changes: Mapping[str, Any], field: str, message: str) -> None:
    answer = a_client().command("festivals", body=ANNOUNCED | changes)
    assert (answer.field, answer.reason) == (field, "not_valid")
    shown = received(answer.message or "", answer.template or "", answer.values or {})
    assert shown.startswith(f"{field}: ")
    assert message in shown


def test_every_fault_of_a_request_carries_a_template_of_the_catalogue() -> None:
    answer = a_client()._client.post("/festivals", json={"festival": 7, "name": "", "zone": "x" * 999, "island": 1})
    problem = answer.json()
    assert len(problem["errors"]) > 3
    for sentence in (problem, *problem["errors"]):
        assert (None, sentence["template"]) in catalogue()
        english = message_of(sentence["template"], sentence["values"]).english
        assert english == sentence.get("detail", sentence.get("message"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"name": \n "Pekan"', "Isinya bukan JSON: lihat baris 2, kolom 8."),
        ("nama=Pekan", "Isinya bukan JSON: lihat baris 1, kolom 2."),
        ('{"name": NaN}', "Isinya bukan JSON: lihat baris 1, kolom 10."),
    ],
)
def test_a_body_that_is_no_json_says_where(body: str, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    [error] = a_client()._client.post("/festivals", content=body, headers=headers).json()["errors"]
    assert received(error["message"], error["template"], error["values"]) == message


def test_a_page_that_can_not_be_read_says_so_in_indonesian() -> None:
    with pytest.raises(NotAnswered) as raised:
        a_client().get("festivals", status="opne")
    assert "Isian permintaan ini tidak sah" in translated(raised.value.message)
    with pytest.raises(NotAnswered) as raised:
        a_client("production").get("lots", "LP-KPG-1")
    assert "karakter pemeriksanya tidak cocok" in translated(raised.value.message)
    with pytest.raises(NotAnswered) as raised:
        a_client().get("no", "such", "page")
    assert "Tidak ada halaman seperti itu di sini" in translated(raised.value.message)


def test_a_refused_plan_gives_its_reasons_in_both_languages() -> None:
    world, products = FestivalWorld(), product_codes(40)
    for body in (an_announcement(), a_booth(B1, *products)):
        world.give(body)
    world.give(a_request(*((B1, product, 1) for product in products), request="R1"))
    [refused] = world.bodies(CommandRefused)
    assert refused.message.startswith("Nothing of what R1 asks for can be planned. ODOP.B1 lacks 1 of 1 pieces")
    shown = received(refused.message, refused.template, refused.values)
    assert shown.startswith("Tidak ada permintaan R1 yang dapat direncanakan. ODOP.B1 kekurangan 1 dari 1")
    assert shown.endswith("permintaan lain juga tidak dapat dipenuhi.")


def test_many_names_are_listed_in_the_readers_language() -> None:
    names = first_names(["S1", "S2", "S3", "S4", "S5"])
    rejection = Rejection("booth", CommandRefusal.WRONG_STATE, Message("{names}.", names=names))
    assert (str(rejection.message), translated(rejection.message)) == (
        "S1, S2, S3 and 2 more.",
        "S1, S2, S3 dan 2 lainnya.",
    )
    assert tr("{names}", names=any_of(["KTI", "KRJ", "SVR"])) == "KTI, KRJ atau SVR"
    assert tr("{names}", names=any_of(["KTI"])) == "KTI"


def test_a_reason_that_comes_in_both_languages_is_shown_in_the_readers() -> None:
    row = {"reason": "too late", "reason_id": "terlambat"}
    assert in_own_language(row, "reason") == "terlambat"
    assert in_own_language({"reason": "too late", "reason_id": ""}, "reason") == "too late"
    use_language(Language.ENGLISH)
    assert in_own_language(row, "reason") == "too late"


def test_the_sums_of_a_festival_and_of_a_lot_have_words_for_people() -> None:
    names = (*SumsPage.model_fields, *BALANCE_COLUMNS)
    assert not [name for name in names if (HEADING, name) not in catalogue()]


def test_a_reason_is_in_the_readers_language_in_a_pipe_too(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(
        ["reason", "status"], [{"reason": "too late", "reason_id": "terlambat", "status": "open"}], "", ("status",)
    )
    assert capsys.readouterr().out.splitlines() == ["reason\tstatus", "terlambat\topen"]


def test_what_keeps_a_festival_from_closing_is_told_in_indonesian() -> None:
    step = Message(
        "Booth {booth} is not settled: its tills have until the deadline to send what is left.", booth="B1"
    )
    sentence = {"message": step.english, "template": step.template, "values": step.plain_values}
    with running() as festival:
        festival.pages["/festivals/ODOP/missing"] = {
            "festival": "ODOP",
            "status": "closed",
            "missing": [{"what": "not_settled", "booth": "B1", **sentence}],
        }
        festival.pages["/festivals/ODOP/booths"] = []
        env = {"KARYA_FESTIVAL_URL": festival.url, "COLUMNS": "300"}
        result = CliRunner().invoke(app, ["missing", "ODOP"], env=env)
    assert "Stan B1 belum selesai dihitung: mesin kasirnya masih dapat mengirim" in result.output
