"""Pages of the portal: their language, headers and files, their faults, and what is passed on for devices."""

import gzip
import re

import httpx
import pytest

from services.portal.api.assets import HERE, Assets
from services.portal.api.pages import TEMPLATES
from shared.access.rights import Grant
from shared.events.identity import Role
from shared.settings import AccessControl
from tests.support.portal import FESTIVAL, PORTAL, OtherServices, a_portal, pages_of, sign_in

FRAME = re.compile(r'{% extends "([^"]+)"')
BLOCK = re.compile(r"{% block (\w+)")


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL)
    return others


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("id", "id"),
        ("de, fr;q=0.9", "id"),
        ("", "id"),
        ("de, en;q=0.1, id;q=0.2", "id"),
        ("en;q=0, id;q=0.1", "id"),
        ("EN", "en"),
        ("en;q=x", "id"),
    ],
)
async def test_the_language_is_the_browsers(others: OtherServices, accepted: str, language: str) -> None:
    async with a_portal(others) as browser:
        answer = await browser.get("/sign-in", headers={"Accept-Language": accepted})
        assert f'<html lang="{language}">' in answer.text
        assert ("Sign in" if language == "en" else "Masuk") in answer.text


async def test_a_choice_of_language_is_kept(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        answer = await browser.post("/language", data={"language": "id", "back": "/design"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/design")
        assert '<html lang="id">' in (await browser.get("/sign-in")).text
        await browser.post("/language", data={"language": "fr"})
        assert '<html lang="id">' in (await browser.get("/sign-in")).text, "a language that nobody speaks here"


async def test_the_first_page_says_what_waits(others: OtherServices) -> None:
    coming = {**FESTIVAL, "last_day": "9999-12-31"}
    others.pages |= pages_of(coming)
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/")).text
        assert "1 thing waits for you." in page
        assert "No booth is open yet." in page


async def test_a_festival_is_shown_in_steps_and_its_texts_are_no_markup(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP")).text
        assert "One Day &lt;One&gt;" in page
        assert "18–20 April 2026" in page
        assert 'aria-current="step"' in page
        assert "Close the festival when the last sale was made." in page


async def test_a_festival_of_others_shows_what_everybody_may_know(others: OtherServices) -> None:
    others.pages |= pages_of({**FESTIVAL, "festival": "RAYA", "name": "Raya"})
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = await browser.get("/festivals/RAYA")
        assert (page.status_code, "Its organisers see plans" in page.text) == (200, True)
        assert not any(name.endswith("RAYA/booths") for name, _ in others.asked)


@pytest.mark.parametrize("path", ["/", "/festivals", "/design", "/sign-in", "/nothing"])
async def test_a_page_may_load_nothing_from_elsewhere_and_is_not_kept(others: OtherServices, path: str) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "://" not in answer.text.replace("http://www.w3.org", "")
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/festivals/NONE", 404), ("/festivals?x=1", 422)])
async def test_a_fault_is_a_page(others: OtherServices, path: str, status: int) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "<h1>" in answer.text


async def test_a_method_that_a_page_does_not_have_is_answered_with_those_that_it_has(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.put("/festivals/ODOP/booths")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        assert "<h1>" in answer.text
        assert (await browser.delete("/gateway/intake")).headers["allow"] == "OPTIONS, POST"
        answer = await browser.options("/sign-out")
        assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


async def test_a_service_that_is_away_is_told_by_its_name(others: OtherServices) -> None:
    others.away.add("festival")
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get("/festivals")
        assert (answer.status_code, "The festival service does not answer" in answer.text) == (503, True)


async def test_a_bug_tells_nothing_of_itself(others: OtherServices) -> None:
    others.pages["festival/festivals"] = [{"festival": "secret"}]
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get("/festivals")
        assert (answer.status_code, "secret" in answer.text) == (500, False)
        assert "This is a fault of the service." in answer.text


async def test_without_access_control_nobody_signs_in(others: OtherServices) -> None:
    async with a_portal(others, access=AccessControl.OPEN) as browser:
        assert (await browser.get("/sign-in?next=/festivals")).headers["location"] == "/festivals"
        assert "One Day" in (await browser.get("/festivals/ODOP")).text
        assert {token for _, token in others.asked} == {None}


async def test_files_are_kept_for_as_long_as_they_are_the_same(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        address = Assets().address("style.css")
        assert address in (await browser.get("/sign-in")).text
        answer = await browser.get(address)
        assert "immutable" in answer.headers["cache-control"]
        assert (answer.headers["content-type"], answer.headers["content-encoding"]) == (
            "text/css; charset=utf-8",
            "gzip",
        )
        assert answer.content == (HERE / "static" / "style.css").read_bytes()
        later = await browser.get("/assets/style.css")
        assert later.headers["cache-control"] == "no-cache"
        same = await browser.get("/assets/style.css", headers={"If-None-Match": later.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        for name in ("/assets/nothing.css", "/assets/..%2fapp.py", "/apps/../app.py", "/apps/%2e%2e/app.py"):
            assert (await browser.get(name)).status_code == 404


async def test_a_page_is_compressed_and_the_answer_to_a_form_is_not(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        page = await browser.get("/sign-in")
        assert (page.headers["content-encoding"], page.headers["vary"]) == (
            "gzip",
            "Cookie, Accept-Language, Accept-Encoding",
        )
        assert "<h1>" in page.text
        plain = await browser.get("/sign-in", headers={"Accept-Encoding": "identity"})
        assert ("content-encoding" in plain.headers, plain.text) == (False, page.text)
        refused = await browser.post("/sign-in", data={"login": "organiser", "password": "x"})
        assert "content-encoding" not in refused.headers


async def test_pages_are_small(others: OtherServices) -> None:
    style, script = (Assets().static[name] for name in ("style.css", "htmx.js"))
    assert len(style.content) < 14_000
    async with a_portal(others) as browser:
        page = gzip.compress((await browser.get("/design")).content)
        assert style.zipped is not None
        assert script.zipped is not None
        assert len(page) + len(style.zipped) + len(script.zipped) < 60_000


async def test_apps_are_files_that_the_browser_asks_for_each_time(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        answer = await browser.get("/apps/till/")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert "worker-src 'self'" in answer.headers["content-security-policy"]


async def test_records_of_a_device_are_passed_on_as_they_are(others: OtherServices) -> None:
    others.outcomes["gateway/intake"] = httpx.Response(200, json=[{"id": "1", "status": "stored"}])
    body, kind = gzip.compress(b"[]"), "application/cloudevents-batch+json"
    async with a_portal(others) as browser:
        headers = {"Authorization": "Bearer device", "Content-Type": kind, "Content-Encoding": "gzip"}
        answer = await browser.post("/gateway/intake", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, [{"id": "1", "status": "stored"}])
        assert others.commands == [("gateway/intake", body, None)]
        assert others.asked == [("gateway/intake", "device")], "a person's session never stands for a device"
        wrong = await browser.post("/gateway/intake", content=b"x", headers={"Content-Type": "text/plain"})
        assert (wrong.status_code, wrong.headers["content-type"]) == (415, "application/problem+json")


async def test_news_are_passed_on_with_the_address_of_the_next_page(others: OtherServices) -> None:
    link = '</booths/ODOP.B1/news?after=3>; rel="next"'
    others.pages["gateway/booths/ODOP.B1/news"] = httpx.Response(200, json=[], headers={"Link": link})
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get("/gateway/booths/ODOP.B1/news?after=2", headers={"Authorization": "Bearer device"})
        assert answer.links["next"]["url"] == "/gateway/booths/ODOP.B1/news?after=3"
        assert others.asked[-1] == ("gateway/booths/ODOP.B1/news", "device")
        assert (await browser.get("/gateway/accounts")).status_code == 404, "nothing else is passed on"
        others.away.add("gateway")
        away = await browser.get("/gateway/booths/ODOP.B1/news")
        assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")


@pytest.mark.parametrize("name", ["%2e%2e", ".%2e", "%2e"])
async def test_a_name_never_leads_to_another_place(others: OtherServices, name: str) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.get(f"/festivals/{name}/booths")
        assert answer.status_code == 404
        assert not any("booths" in asked for asked, _ in others.asked)


async def test_a_till_reads_at_sales_which_of_its_records_arrived_and_nothing_else(others: OtherServices) -> None:
    others.pages["sales/booths/ODOP.B1/devices"] = httpx.Response(200, json=[])
    async with a_portal(others) as browser:
        await sign_in(browser)
        asked = await browser.get("/sales/booths/ODOP.B1/devices", headers={"Authorization": "Bearer device"})
        assert (asked.status_code, asked.json()) == (200, [])
        assert others.asked[-1] == ("sales/booths/ODOP.B1/devices", "device")
        assert (await browser.get("/sales/booths/ODOP.B1/takings")).status_code == 404


async def test_a_name_with_special_characters_is_passed_on_as_it_came(others: OtherServices) -> None:
    others.pages["gateway/booths/A?B.B1/news"] = httpx.Response(200, json=[], headers={"Cache-Control": "no-store"})
    async with a_portal(others) as browser:
        answer = await browser.get(
            "/gateway/booths/A%3FB.B1/news?after=2", headers={"Authorization": "Bearer device"}
        )
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert others.asked == [("gateway/booths/A?B.B1/news", "device")]


async def test_health_needs_no_session(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        answer = await browser.get("/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    "path",
    [
        "/gateway/booths/%2e%2e/news",
        "/gateway/facilities/%2e/news",
        "/identity/device-codes/.%2e/device",
        "/%67ateway/booths/ODOP.B1/news",
    ],
)
async def test_nothing_is_passed_on_to_another_place(others: OtherServices, path: str) -> None:
    async with a_portal(others) as browser:
        kind = {"Content-Type": "application/json"}
        answer = await (browser.post(path, json={}) if path.endswith("device") else browser.get(path, headers=kind))
        assert answer.status_code == 404
        assert others.asked == []


async def test_the_language_of_a_refused_form_is_chosen_at_the_page_of_the_form(others: OtherServices) -> None:
    others.pages |= pages_of(FESTIVAL)
    refusal = {"template": "Say why.", "values": {}, "detail": "Say why."}
    others.outcomes["festival/festivals/ODOP/cancel"] = httpx.Response(409, json=refusal)
    async with a_portal(others) as browser:
        await sign_in(browser)
        form = {"reason": "", "command": "c1"}
        for came_from, back in (
            (f"{PORTAL}/festivals/ODOP/change?x=1", "/festivals/ODOP/change?x=1"),
            ("http://elsewhere.test/festivals", "/festivals/ODOP/cancel"),
            (f"{PORTAL}//elsewhere.test/", "/"),
            ("http://[", "/festivals/ODOP/cancel"),
        ):
            answer = await browser.post("/festivals/ODOP/cancel", data=form, headers={"Referer": came_from})
            assert answer.status_code == 409
            assert f'name="back" value="{back}"' in answer.text


@pytest.mark.parametrize("command", ["ü", "a\r\nb"])
async def test_a_command_whose_id_is_no_header_is_refused(others: OtherServices, command: str) -> None:
    others.pages |= pages_of(FESTIVAL)
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post("/festivals/ODOP/cancel", data={"reason": "x", "command": command})
        assert (answer.status_code, others.commands) == (422, [])


@pytest.mark.parametrize(
    "template", sorted(path.name for path in TEMPLATES.glob("*.html") if not path.stem.endswith("base"))
)
def test_a_page_fills_only_places_that_its_frame_has(template: str) -> None:
    source = (TEMPLATES / template).read_text(encoding="utf-8")
    blocks = set(BLOCK.findall(source))
    places: set[str] = set()
    while (frame := FRAME.search(source)) is not None:
        source = (TEMPLATES / frame[1]).read_text(encoding="utf-8")
        places |= set(BLOCK.findall(source))
    # What a frame has no place for is not shown: a style sheet was lost so.
    assert not places or blocks <= places
