"""The weight of every page: with its files, compressed, it stays under 60 KB, so that a phone shows it soon."""

import re
from collections.abc import Iterator

import pytest

from services.portal.api.assets import Assets
from services.portal.api.facilities import MOST_LOTS
from shared.access.rights import Grant
from shared.access.routes import PORTAL, UNCOUNTED
from shared.events.identity import ANY, Role
from tests.support.festival_pages import LOT, PLACE, PROPOSED, facility_pages, operator_pages, running_festival
from tests.support.portal import OtherServices, a_portal, sign_in
from tests.support.public_events import LOT as PUBLIC_LOT
from tests.support.public_events import a_balance, a_festival, a_part, catalogue_facts

MOST_BYTES = 60_000
# What a parameter of an address is in these tests.
VALUES = {
    "festival": "ODOP",
    "booth": "ODOP.B1",
    "plan": "R3",
    "shipment": "S1",
    "transfer": "T1",
    "refill": "R2",
    "facility": "PR-KPG",
    "lot": PUBLIC_LOT,
    "number": "1",
}
# No pages: a stream, files, and the search, which leads to a page.
NO_PAGES = re.compile(r"/live|/public/lots|.*\.(csv|svg)")
QUERIES = {"/facilities/{facility}/labels": f"?lot={LOT}&copies=240"}


def page_paths() -> list[str]:
    gets = [
        name.removeprefix("GET ") for name, right in PORTAL.items() if name.startswith("GET ") and right != UNCOUNTED
    ]
    return sorted(path for path in gets if not NO_PAGES.fullmatch(path))


def files_of(page: str, assets: Assets) -> Iterator[int]:
    """The bytes of each file that the page loads, as they are sent."""
    for name in set(re.findall(r'(?:src|href)="/assets/([^"?]+)', page)):
        file = assets.static[name]
        yield len(file.zipped or file.content)


@pytest.fixture
def others() -> OtherServices:
    roles = (Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR)
    others = OtherServices(
        Grant(Role.ORGANISER, ANY),
        Grant(Role.ORGANISER, "ODOP"),
        Grant(Role.FACILITY_STAFF, "PR-KPG"),
        *(Grant(role) for role in roles),
    )
    others.pages |= running_festival() | operator_pages() | facility_pages()
    others.pages |= {"identity/devices": [], "identity/accounts": []}
    others.pages |= {f"{PLACE}/requests/{name}": PROPOSED for name in ("R1", "R2")}
    [lot] = others.pages["inventory/lots"]
    others.pages["inventory/lots"] = [lot, *({**lot, "lot": f"{LOT}{n}"} for n in range(10 * MOST_LOTS))]
    for body in (*catalogue_facts(), a_festival(), a_balance(), *(a_part(f"s{n}", 1) for n in range(50))):
        others.stream.take(body)
    return others


@pytest.mark.parametrize("path", page_paths())
async def test_a_page_is_light(others: OtherServices, path: str) -> None:
    assets = Assets()
    address = re.sub(r"\{(\w+)\}", lambda name: VALUES[name[1]], path) + QUERIES.get(path, "")
    async with a_portal(others) as browser:
        await sign_in(browser)
        if path.endswith("/statements/{number}"):
            await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})
        answer = await browser.get(address)
        assert answer.status_code == 200, answer.text
        weight = int(answer.headers["content-length"]) + sum(files_of(answer.text, assets))
        assert weight < MOST_BYTES, f"{address} weighs {weight} bytes"
        # Its own files were found: the style, and the script that most of the weight is.
        assert {"style.css", "htmx.js"} <= set(re.findall(r"/assets/([^\"?]+)", answer.text))
