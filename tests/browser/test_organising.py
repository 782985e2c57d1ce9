"""An organiser's pages of a festival that sells, in a real browser: each is looked at, and its command is given."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import LOOKS, Watched, watched
from tests.support.festival_pages import LOT, OTHER_LOT, PLACE, SHIPMENT, an_arrival, running_festival
from tests.support.portal import PASSWORD, OtherServices, served_portal
from tests.support.waiting import eventually

ODOP = "/festivals/ODOP"


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= running_festival()
    others.pages[f"{PLACE}/transfers/T2"] = others.pages[f"{PLACE}/transfers/T1"]
    return others


async def signed_in(browser: Browser, address: str, language: str, width: int) -> Watched:
    context = await browser.new_context(
        locale=language, viewport={"width": width, "height": 800}, timezone_id="Asia/Makassar"
    )
    watch = watched(page := await context.new_page())
    await page.goto(f"{address}/sign-in")
    await page.fill("#login", "organiser")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{address}/")
    return watch


async def press(page: Page, others: OtherServices, selector: str) -> tuple[str, Any]:
    """Press the first such button. Returns the command that it gives, with its place in the festival."""
    count = len(others.commands)
    await page.locator(selector).first.click()
    await eventually(lambda: len(others.commands) > count, equals=True, within=20)
    name, body, _ = others.commands[-1]
    # What follows is loaded before the next address is asked for.
    await page.wait_for_load_state("networkidle")
    return name.removeprefix(f"{PLACE}/"), json.loads(body)


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_a_refill_is_asked_for_and_pieces_move_between_booths(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        await page.goto(f"{address}{ODOP}/refills")
        await watch.check()
        await page.fill("#request", "r2")
        await page.fill("#until", "17:00")
        place, body = await press(page, others, "form[action$='/refills'] button.primary")
        assert (place, body["products"], body["consent"]) == ("replenishments", ["KTI", "MDS"], False)
        await page.goto(f"{address}{ODOP}/refills/R2")
        reasons = {"en": "ODOP.B1 has more than it will sell.", "id": "ODOP.B1 memiliki lebih banyak"}
        await expect(page.get_by_text(reasons[language])).to_be_visible()
        await watch.check()
        given = await press(page, others, "form[action$='/transfers'] button")
        lots = [{"lot": LOT, "qty": 4}]
        assert given == (
            "transfers",
            {"transfer": "T2", "booth": "ODOP.B1", "to": "ODOP.B2", "lots": lots},
        )
        await page.goto(f"{address}{ODOP}/transfers")
        await watch.check()
        await page.goto(f"{address}{ODOP}/transfers?booth=ODOP.B1")
        await watch.check()
        await page.fill(f"[id='qty-{LOT}']", "3")
        given = await press(page, others, "form[action$='/transfers'] button.primary")
        assert given[1]["lots"] == [{"lot": LOT, "qty": 3}]
        await page.goto(f"{address}{ODOP}/transfers/T1")
        await page.fill(f"[id='counted-{LOT}']", "9")
        await page.locator("form[action$='/T1'] button.primary").click()
        await expect(page.locator("[role=alert]")).to_be_visible()
        await watch.check()
        assert await press(page, others, "form[action$='/T1'] button.primary") == (
            "transfers/T1/receive",
            {"booth": "ODOP.B2", "counted": [{"lot": LOT, "qty": 9}]},
        )
        await page.context.close()


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_a_parcel_is_counted_by_scans(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    sent = an_arrival("sent", **SHIPMENT)
    sent["lots"] = [{"lot": LOT, "sent": 2, "counted": None}, {"lot": OTHER_LOT, "sent": 1, "counted": None}]
    others.pages[f"{PLACE}/shipments/S1"] = sent
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        await page.goto(f"{address}{ODOP}/parcels/S1/paper?kind=receiving")
        await watch.check()
        await page.goto(f"{address}{ODOP}/parcels/S1")
        # A scanner types where the focus is: the field has it from the beginning, and keeps it.
        for code in (LOT, LOT.replace("-", ""), f"http://127.0.0.1/public/lots/{LOT}", "XX-1"):
            await page.keyboard.type(code)
            await page.keyboard.press("Enter")
        said = page.locator("[data-scan] [role=status]")
        await expect(said).to_contain_text("XX-1")
        assert await page.input_value(f"[id='counted-{LOT}']") == "3"
        sums = [
            await page.locator(f"[data-sum={name}]").inner_text() for name in ("sent", "counted", "lost", "surplus")
        ]
        assert sums == ["3", "3", "1", "1"]
        await expect(page.get_by_role("button", name="camera")).to_be_hidden()
        await watch.check()
        await page.fill(f"[id='counted-{OTHER_LOT}']", "0")
        await page.locator("form[action$='/S1'] button.primary").click()
        await expect(page.locator("[role=alert]")).to_be_visible()
        assert others.commands == [], "nothing is recorded before it is confirmed"
        place, body = await press(page, others, "form[action$='/S1'] button.primary")
        assert (place, [row["qty"] for row in body["counted"]]) == ("shipments/S1/receive", [3, 0])
        await page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_new_pages_are_looked_at(chromium: Browser, others: OtherServices, language: str, width: int) -> None:
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        for place in (f"{ODOP}/sales?day=2026-04-18", f"{ODOP}/stock", f"{ODOP}/people", "/catalogue", "/festivals"):
            await page.goto(f"{address}{place}")
            await watch.check()
        # While somebody decides, news must not take the form away.
        await page.goto(f"{address}{ODOP}/sales?day=2026-04-18")
        await page.locator("select[name=lot]").first.focus()
        asked = len(others.asked)
        await page.evaluate("document.body.dispatchEvent(new CustomEvent('karya-changed'))")
        await page.wait_for_timeout(600)
        assert "sales/sell-through" not in [name for name, _ in others.asked[asked:]]
        await page.locator("h1").click()
        await page.locator("select[name=lot]").first.blur()
        await eventually(
            lambda: "sales/sell-through" in [name for name, _ in others.asked[asked:]], equals=True, within=20
        )
        await page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_mistakes_are_put_right(chromium: Browser, others: OtherServices, language: str, width: int) -> None:
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        # A parcel was counted wrong, and had a lot that nobody had sent.
        await page.goto(f"{address}{ODOP}/parcels/S1")
        await watch.check()
        await page.fill(f"[id='counted-{LOT}']", "10")
        await page.fill("#other", "pr-kpg-mds-261130-003-v")
        await page.fill("#other_qty", "2")
        place, body = await press(page, others, "form[action$='/recount'] button")
        assert (place, body["counted"][0]) == ("shipments/S1/recount", {"lot": LOT, "qty": 10})
        assert len(body["counted"]) == 2
        # A lost till's sale is voided.
        await page.goto(f"{address}{ODOP}/booths/ODOP.B1/receipts")
        await page.locator("td summary").first.click()
        await watch.check()
        await page.fill("input[name=reason]", "gawai hilang")
        given = await press(page, others, "td form button")
        expected = {"booth": "ODOP.B1", "line": 1, "qty": 2, "reason": "gawai hilang"}
        assert given == ("receipts/ODOP.B1-T1-000007/void", expected)
        # A till had a wrong name for its booth.
        await page.goto(f"{address}{ODOP}/strays")
        await watch.check()
        given = await press(page, others, "form[action$='/strays'] button")
        assert given == ("booths/ODOP.B1/strays", {"stray": "ODOP.BB1"})
        # Something is spoilt.
        await page.goto(f"{address}{ODOP}/booths/ODOP.B1")
        await page.locator("summary").first.click()
        await watch.check()
        await page.fill("#qty", "1")
        given = await press(page, others, "details form button")
        expected = {"lot": LOT, "place": "booth", "booth": "ODOP.B1", "qty": 1, "reason": ""}
        assert given == ("losses", expected)
        # The name of the festival was wrong.
        await page.goto(f"{address}{ODOP}/change")
        await watch.check()
        await page.fill("#name", "Satu Hari")
        given = await press(page, others, "form[action$='/change'] button")
        assert given == ("change", {"name": "Satu Hari", "confirmed": False})
        await page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_the_close_says_which_till_is_missing(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    others.pages[PLACE]["status"] = "closing"
    others.pages[f"{PLACE}/booths"][0]["status"] = "closing"
    others.pages[f"{PLACE}/booths"][1] |= {"status": "settled"}
    others.pages[f"{PLACE}/booths"][1]["lots"][0] |= {"left": 2, "returned": 3}
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        await page.goto(f"{address}{ODOP}/close")
        await expect(page.get_by_text("4–6")).to_be_visible()
        await watch.check()
        given = await press(page, others, "form[action$='/ODOP.B1'] button")
        assert given == ("booths/ODOP.B1/tills/T1/strike", {"reason": "", "device": "d-1"})
        await page.goto(f"{address}{ODOP}/close")
        await page.fill("form[action$='/returns'] input[name=qty]", "1")
        await page.locator("input[name=more]").check()
        given = await press(page, others, "form[action$='/returns'] button")
        expected = {"booth": "ODOP.B2", "lot": LOT, "qty": 1, "final": False}
        assert given == ("returns", expected)
        await page.goto(f"{address}{ODOP}/close")
        await page.fill("#whole", "4")
        given = await press(page, others, "form[action$='/recount'] button")
        assert given == ("returns/recount", {"booth": "ODOP.B2", "lot": LOT, "qty": 4})
        await page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_what_would_change_is_shown_before_a_plan_is_accepted(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    async with served_portal(others) as address:
        watch = await signed_in(chromium, address, language, width)
        page = watch.page
        await page.goto(f"{address}{ODOP}/plans/R3")
        await page.locator("summary").first.click()
        await watch.check()
        await page.locator("input[name=without][value='PR-KPG']").check()
        await page.locator("input[name=weight]").first.fill("2")
        await page.select_option("#even", "false")
        await page.locator("form[action$='/what-if'] button").click()
        words = {"en": "2 pieces fewer would be planned.", "id": "2 buah lebih sedikit akan direncanakan."}
        await expect(page.get_by_text(words[language])).to_be_visible()
        await watch.check()
        query = others.queries[f"{PLACE}/requests/R3/what-if"]
        assert query == "without=PR-KPG&weight=LP-KPG%3D2&even=false"
        assert others.commands == [], "nothing has changed"
        # Without a facility alone, the plan can be made so.
        await page.goto(f"{address}{ODOP}/plans/R3/what-if?without=PR-KPG")
        given = await press(page, others, "form[action$='/revise'] button")
        assert given == ("requests/R3/revise", {"without": ["PR-KPG"], "reason": ""})
        await page.context.close()
