"""The pages of dead letters, invariants and rebuilds, over what operations answers."""

import json
from typing import Any

import httpx
import pytest

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.operations_pages import CHECK, LETTER, LETTER_ADDRESS, LETTER_PATH, REBUILD, operations_pages
from tests.support.portal import OtherServices, a_portal, sign_in

REFUSAL = {"detail": "{text}", "template": "{text}", "values": {"text": "qty: made up"}}


def served(role: Role = Role.OPERATOR) -> OtherServices:
    others = OtherServices(Grant(role))
    others.pages |= operations_pages()
    return others


def the_command(others: OtherServices) -> tuple[str, Any]:
    [(name, body, _)] = others.commands
    return name, json.loads(body)


async def test_each_dead_letter_is_listed_with_its_reason_in_the_readers_language() -> None:
    others = served()
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator/letters?service=production&status=all")).text
        assert "Its body is not as this event needs it." in page
        assert LETTER_ADDRESS in page
        assert {"service=production", "settled=true"} <= set(others.queries["operations/letters"].split("&"))
        browser.headers["Accept-Language"] = "id"
        assert "Its body" not in (await browser.get("/operator/letters")).text
        rows = (await browser.get("/operator/letters?file=dead-letters")).text.splitlines()
        assert len(rows) == 2
        others.pages["operations/letters"] = []
        browser.headers["Accept-Language"] = "en"
        assert "No record needs you" in (await browser.get("/operator/letters")).text


async def test_a_body_that_may_hold_a_pseudonym_is_shown_on_request() -> None:
    others = served()
    others.pages[LETTER_PATH] = {**LETTER, "is_hidden": True, "body": None, "is_private": True}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get(LETTER_ADDRESS)).text
        assert "is not shown by itself" in page
        assert "Publish the mended copy" not in page
        assert others.queries[LETTER_PATH] == ""
        await browser.get(f"{LETTER_ADDRESS}?body=shown")
        assert others.queries[LETTER_PATH] == "value=true"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (r'{"key": "\ud800"}', r"&#34;\ud800&#34;"),
        ("[" * 100_000, "[" * 1000),
        ('{"qty": 1, "qty": 2}', "{&#34;qty&#34;: 1, &#34;qty&#34;: 2}"),
        ('{"qty": 1e400}', "{&#34;qty&#34;: 1e400}"),
        ('{"qty": 0.1000000000000000055}', "0.1000000000000000055"),
        ('{"note": "a\u202eb"}', r"&#34;a\u202eb&#34;"),
        ("a\u202eb <script>", r"a\u202eb &lt;script&gt;"),
    ],
)
async def test_whatever_the_body_is_it_is_shown_as_it_came(body: str, shown: str) -> None:
    others = served()
    others.pages[LETTER_PATH] = {**LETTER, "body": body}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = await browser.get(LETTER_ADDRESS)
        assert page.status_code == 200
        assert page.text.count(shown) >= 2, "where it is read, and where it is mended"
        assert "\u202e" not in page.text


async def test_an_operator_corrects_the_body_and_is_told_what_became_of_it() -> None:
    others = served()
    outcome = {"worked": True, "sent": 1, "changed": ["qty"], "letter": None, "reason": None, "message": None}
    others.outcomes[f"{LETTER_PATH}/mend"] = httpx.Response(200, json=outcome)
    form = {"action": "mend", "body": '{\r\n"qty": 12}', "note": "counted", "key": "", "shown": "yes"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post(LETTER_ADDRESS, data=form)
        assert answer.headers["location"] == f"{LETTER_ADDRESS}?done=mend"
        assert the_command(others) == (f"{LETTER_PATH}/mend", {"body": '{\n"qty": 12}', "note": "counted"})
        assert "The mended copy was published" in (await browser.get(answer.headers["location"])).text


async def test_a_refused_repair_shows_why_beside_what_was_typed() -> None:
    others = served()
    others.outcomes[f"{LETTER_PATH}/mend"] = httpx.Response(409, json=REFUSAL)
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post(LETTER_ADDRESS, data={"action": "mend", "body": '{"qty": "x"}', "note": "hm"})
        assert answer.status_code == 409
        assert "qty: made up" in answer.text
        assert "{&#34;qty&#34;: &#34;x&#34;}</textarea>" in answer.text
        left = {"letter": "karya.till.sales.v1.dlq/0/9", "reason": "BAD_BODY", "message": None}
        outcome = {"worked": False, "sent": 1, "changed": [], **left}
        others.outcomes[f"{LETTER_PATH}/replay"] = httpx.Response(200, json=outcome)
        page = (await browser.post(LETTER_ADDRESS, data={"action": "replay", "without_original": "yes"})).text
        assert "It is a dead letter still." in page
        assert json.loads(others.commands[-1][1]) == {"without_original": True}
        assert (await browser.post(LETTER_ADDRESS, data={"action": "burn"})).status_code == 422


async def test_an_operator_archives_with_a_reason() -> None:
    others = served()
    outcome = {"worked": False, "sent": 0, "changed": [], "letter": "x", "reason": None, "message": None}
    others.outcomes[f"{LETTER_PATH}/archive"] = httpx.Response(200, json=outcome)
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post(LETTER_ADDRESS, data={"action": "archive", "reason": "uji coba"})
        assert answer.headers["location"].endswith("?done=archive")
        assert the_command(others) == (f"{LETTER_PATH}/archive", {"reason": "uji coba"})


async def test_an_auditor_reads_and_does_nothing() -> None:
    async with a_portal(served(Role.AUDITOR)) as browser:
        await sign_in(browser)
        page = (await browser.get(LETTER_ADDRESS)).text
        assert "qty: made up" in page
        for address in (LETTER_ADDRESS, "/operator/letters", "/operator/checks", "/operator/rebuilds"):
            shown = await browser.get(address)
            assert shown.status_code == 200, address
            assert f'method="post" action="{address}"' not in shown.text


async def test_invariants_are_told_one_by_one_and_what_is_broken_first() -> None:
    others = served()
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator/checks")).text
        assert "1 invariant is broken, of 2." in page
        assert page.index("booth ODOP.B1: 3 by festival, by sales 4") < page.index("Every invariant")
        browser.headers["Accept-Language"] = "id"
        page = (await browser.get("/operator/checks")).text
        assert CHECK["about"] not in page
        assert "stan ODOP.B1: 3 menurut festival, menurut sales 4" in page
        answer = await browser.post("/operator/checks")
        assert answer.headers["location"] == "/operator/checks"
        assert the_command(others) == ("operations/verification", {})


async def test_a_verification_that_runs_is_looked_at_again() -> None:
    others = served()
    others.pages["operations/verification"] |= {
        "status": "running",
        "checks": [],
        "ok": None,
        "waits": [{"detail": "sales has 3", "template": "{text}", "values": {"text": "sales has 3"}}],
    }
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator/checks")).text
        assert "It waits until every event is worked." in page
        assert 'hx-get="/operator/checks"' in page
        assert "Check now" not in page


DIFFERENCE = {
    "detail": "sales skipped karya.till.sales.v1 0/7",
    "template": "{service} skipped {place}",
    "values": {"service": "sales", "place": "karya.till.sales.v1 0/7"},
}


async def test_a_rebuild_tells_its_progress_and_why_it_found_nothing() -> None:
    others = served()
    busy = {
        "detail": "x",
        "template": "{service} is being rebuilt. Wait until that has ended.",
        "values": {"service": "sales"},
    }
    others.outcomes["operations/rebuilds/festival"] = httpx.Response(409, json=busy)
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator/rebuilds")).text
        assert '<progress max="2000" value="500"' in page
        assert "festival did not stop changing" in page
        assert "sales is being rebuilt beside the live database." in page
        refused = await browser.post("/operator/rebuilds", data={"service": "festival"})
        assert (refused.status_code, "Wait until that has ended." in refused.text) == (409, True)
        others.pages["operations/rebuilds"] = [
            {**REBUILD, "status": "done", "ok": False, "differences": [DIFFERENCE]}
        ]
        page = (await browser.get("/operator/rebuilds")).text
        assert "1 database differs from what Kafka gives." in page
        assert "sales skipped karya.till.sales.v1 0/7" in page
        browser.headers["Accept-Language"] = "id"
        assert "sales melewatkan karya.till.sales.v1 0/7" in (await browser.get("/operator/rebuilds")).text


async def test_others_than_operators_and_auditors_are_refused_by_operations() -> None:
    others = OtherServices(Grant(Role.CASHIER, "ODOP.B1"))
    others.pages["operations/letters"] = httpx.Response(403, json={"template": "No.", "values": {}})
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert (await browser.get("/operator/letters")).status_code == 403
        [(_, token)] = [asked for asked in others.asked if asked[0] == "operations/letters"]
        assert token == others.access_token, "the person's own"
        assert (await browser.get("/operator")).status_code == 403
