"""The weight of every page: with its files, compressed, it stays under 60 KB, so that a phone shows it soon."""

import re
from collections.abc import Iterator

from services.portal.api.assets import Assets
from tests.support.portal import a_portal, sign_in
from tests.support.portal_pages import all_pages, page_addresses

MOST_BYTES = 60_000


def files_of(page: str, assets: Assets) -> Iterator[int]:
    """The bytes of each file that the page loads, as they are sent."""
    for name in set(re.findall(r'(?:src|href)="/assets/([^"?]+)', page)):
        file = assets.static[name]
        yield len(file.zipped or file.content)


async def test_every_page_is_light() -> None:
    assets = Assets()
    weights: dict[str, int] = {}
    async with a_portal(all_pages()) as browser:
        await sign_in(browser)
        await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})
        for address in page_addresses():
            answer = await browser.get(address)
            # A page that others answer for needs their answers in the fixture.
            assert answer.status_code == 200, address
            # Its own files were found: the style, and the script that most of the weight is.
            assert {"style.css", "htmx.js"} <= set(re.findall(r"/assets/([^\"?]+)", answer.text))
            weights[address] = int(answer.headers["content-length"]) + sum(files_of(answer.text, assets))
    assert {address: weight for address, weight in weights.items() if weight >= MOST_BYTES} == {}
