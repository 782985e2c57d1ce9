"""The weight of every page: with its files, compressed, it stays under 60 KB, so that a phone shows it soon."""

import re
from collections.abc import Iterator

import pytest

from services.portal.api.assets import Assets
from services.portal.api.facilities import MOST_LOTS
from shared.access.rights import Grant
from shared.access.routes import PORTAL, UNCOUNTED
from shared.events.identity import ANY, Role
from tests.support.festival_pages import (
    LOT,
    PLACE,
    PROPOSED,
    SERVICES,
    facility_pages,
    operator_pages,
    running_festival,
)
from tests.support.operations_pages import operations_pages
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
    "topic": "karya.terminal.production.v1.dlq",
    "partition": "3",
    "offset": "0",
}
SELL_THROUGH = {
    "booth": "ODOP.B1",
    "name": "Stan Timur",
    "products": [
        {
            "product": "KTI",
            "stocked": 20,
            "sold": 8,
            "lost": 0,
            "moved": 0,
            "unsold": 12,
            "sold_rupiah": 1_200_000,
            "hours": [{"at": f"2026-04-18T{hour:02}:00:00Z", "qty": 1} for hour in range(2, 10)],
        }
    ],
}
# No pages: a stream, files, and addresses that lead to others.
NO_PAGES = re.compile(r"/live|/public/lots|/sign-in/provider.*|.*\.(crt|csv|svg)")
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
    others.pages |= running_festival() | operator_pages() | facility_pages() | operations_pages()
    others.pages |= {"identity/devices": [], "identity/accounts": []}
    others.pages["sales/sell-through"] = [SELL_THROUGH]
    products = [{"kind": "product", "code": f"K{n}", "name": "Kopi", "products": None} for n in range(200)]
    others.pages["production/catalogue"] = {"entries": products}
    others.pages |= {f"{name}/audit": [] for name in (*SERVICES, "operations")}
    others.pages |= {f"{PLACE}/requests/{name}": PROPOSED for name in ("R1", "R2")}
    [lot] = others.pages["inventory/lots"]
    others.pages["inventory/lots"] = [lot, *({**lot, "lot": f"{LOT}{n}"} for n in range(10 * MOST_LOTS))]
    for body in (*catalogue_facts(), a_festival(), a_balance(), *(a_part(f"s{n}", 1) for n in range(50))):
        others.stream.take(body)
    return others


async def test_every_page_is_light(others: OtherServices) -> None:
    assets = Assets()
    weights: dict[str, int] = {}
    async with a_portal(others) as browser:
        await sign_in(browser)
        await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})
        for path in page_paths():
            address = re.sub(r"\{(\w+)\}", lambda name: VALUES[name[1]], path) + QUERIES.get(path, "")
            answer = await browser.get(address)
            # A page that others answer for needs their answers in the fixture.
            assert answer.status_code == 200, address
            # Its own files were found: the style, and the script that most of the weight is.
            assert {"style.css", "htmx.js"} <= set(re.findall(r"/assets/([^\"?]+)", answer.text))
            weights[address] = int(answer.headers["content-length"]) + sum(files_of(answer.text, assets))
    assert {address: weight for address, weight in weights.items() if weight >= MOST_BYTES} == {}
