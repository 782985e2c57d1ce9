"""An operator's pages over operations and real servers: a bad record is corrected, and everything adds up."""

import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from deploy.topics import SERVICES
from ops.service.api import operations
from services.portal.api import portal
from shared import envelope
from shared.events.operator import OPERATOR, LetterMended
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, ReportAccepted
from shared.mongo import Mongo
from shared.runtime.plain_service import PlainService
from shared.settings import Settings
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

MAKER = "p.mazcrdi4ewgq7ubn"


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a portal whose services are all operations. Access control is off."""
    service, pages = PlainService("operations", settings), PlainService("portal", settings)
    app = portal(pages, transport=httpx.ASGITransport(operations(service)))
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=60
        ) as browser:
            browser.headers["Accept-Language"] = "en"
            yield browser
    finally:
        await pages.stop()
        await service.stop()


async def a_bad_record(probe: Probe) -> None:
    """A report whose quantity is a text."""
    day = (datetime.now(UTC).date() - timedelta(days=2)).isoformat()
    fields = {
        "facility": "PR-KPG",
        "terminal": "T1",
        "product": "KTI",
        "qty": "a lot",
        "made_on": day,
        "maker": MAKER,
    }
    body = ProductionReported(facility="PR-KPG", terminal="T1", product="KTI", qty=1, made_on=date(2026, 4, 1))
    headers = envelope.headers(id="r-1", source="terminal/PR-KPG/T1", topic=TERMINAL, body=body, time=envelope.EPOCH)
    await probe.send_raw(TERMINAL, key=b"PR-KPG", value=json.dumps(fields).encode(), headers=headers)


async def shown(browser: httpx.AsyncClient, address: str) -> str:
    answer = await browser.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_bad_record_is_corrected_in_the_portal_and_then_everything_adds_up(
    settings: Settings, probe: Probe, run_service: RunService, browser: httpx.AsyncClient, mongo: Mongo
) -> None:
    async with AsyncExitStack() as running:
        for name in SERVICES:
            await running.enter_async_context(run_service(name))
        assert "No record needs you" in await shown(browser, "/operator/letters")
        await a_bad_record(probe)
        await eventually(lambda: probe.dlq(TERMINAL), until=lambda letters: len(letters) == 1, within=30)
        page = await shown(browser, "/operator/letters")
        assert "1 record needs you" in page
        assert "Its body is not as this event needs it." in page
        [address] = re.findall(r"/operator/letters/[^\"?]+/\d+/\d+", page)

        hidden = await shown(browser, address)
        assert MAKER not in hidden
        body = html.unescape(
            re.findall(r"<textarea[^>]*>(.*?)</textarea>", await shown(browser, f"{address}?body=shown"), re.DOTALL)[
                0
            ]
        )
        assert MAKER in body
        form = {"action": "mend", "shown": "yes", "note": "counted again", "body": body.replace('"a lot"', '"12"')}
        refused = await browser.post(address, data=form)
        assert (refused.status_code, "qty" in refused.text) == (409, True)
        right = {**form, "body": body.replace('"a lot"', "12")}
        mended = await browser.post(address, data=right)
        assert mended.headers["location"] == f"{address}?done=mend", mended.text
        assert "It was mended: a copy says it in its place." in await shown(browser, mended.headers["location"])
        assert "No record needs you" in await shown(browser, "/operator/letters")
        [event] = await probe.read_all(OPERATOR)
        assert isinstance(event.body, LetterMended)
        assert (event.body.actor, event.body.note, event.body.fields) == ("operator", "counted again", ("qty",))
        assert len(await probe.bodies(ANSWERS, ReportAccepted)) == 1
        assert "LetterMended" in await shown(browser, "/audit?service=operations")

        assert "Nobody has checked" in await shown(browser, "/operator/checks")
        await browser.post("/operator/checks")
        checks = await eventually(
            lambda: shown(browser, "/operator/checks"), until=lambda page: "hx-get" not in page, within=90
        )
        assert "Everything adds up: all" in checks, checks
        assert "broken" not in checks
        await mongo.database("inventory")["lots"].update_many({}, {"$inc": {"recorded": 1}})
        await browser.post("/operator/checks")
        checks = await eventually(
            lambda: shown(browser, "/operator/checks"), until=lambda page: "hx-get" not in page, within=90
        )
        assert re.search(r"\d+ invariants? (is|are) broken", checks), checks

        await browser.post("/operator/rebuilds", data={"service": "production"})
        rebuilds = await eventually(
            lambda: shown(browser, "/operator/rebuilds"), until=lambda page: "hx-get" not in page, within=90
        )
        assert "1 database is the same as what Kafka gives." in rebuilds, rebuilds
