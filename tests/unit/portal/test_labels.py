"""Labels of lots, for facilities to print."""

import pytest

from services.portal.api.labels import MOST_LABELS
from services.portal.api.public_lots import qr_code
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import facility_pages
from tests.support.portal import PORTAL, OtherServices, a_portal, sign_in
from tests.support.public_events import LOT, catalogue_facts

LABELS = "/facilities/PR-KPG/labels"


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.FACILITY_STAFF, "PR-KPG"))
    others.pages |= facility_pages()
    for fact in catalogue_facts():
        others.stream.take(fact)
    return others


async def test_a_label_names_the_lot_and_leads_to_its_page(others: OtherServices) -> None:
    others.pages["inventory/lots"][0]["best_before"] = "2027-01-31"
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get(LABELS, params={"lot": LOT, "copies": 3})).text
        assert page.count(qr_code(f"{PORTAL}/public/lots/{LOT}")) == 3
        assert "3 labels are ready to print." in page
        sheet = page.partition('<div class="label">')[2]
        for text in (LOT, "Kain tenun ikat", "Lapas Perempuan Kupang", "Made 30 November 2026", "31 January 2027"):
            assert sheet.count(text) == 3
        assert "labels-a4" in page
        assert "labels-58" in (await browser.get(LABELS, params={"lot": LOT, "paper": "58"})).text


async def test_lots_are_offered_but_no_recalled_or_withdrawn_one(others: OtherServices) -> None:
    [lot] = others.pages["inventory/lots"]
    others.pages["inventory/lots"] = [
        {**lot, "lot": "L1"},
        {**lot, "lot": "L2", "recalled": True},
        {**lot, "lot": "L3", "withdrawn": True},
    ]
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get(LABELS)).text
        assert [f'value="{name}"' in page for name in ("L1", "L2", "L3")] == [True, False, False]
        assert (await browser.get(LABELS, params={"lot": "L3"})).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"lot": "elsewhere"}, 404),
        ({"lot": LOT, "copies": str(MOST_LABELS)}, 200),
        ({"lot": [LOT, "L2"], "copies": str(MOST_LABELS)}, 422),
        ({"lot": LOT, "copies": "0"}, 422),
        ({"lot": LOT, "paper": "a5"}, 422),
    ],
)
async def test_only_lots_of_the_facility_get_labels_and_not_too_many(
    others: OtherServices, query: dict[str, str | list[str]], status: int
) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert (await browser.get(LABELS, params=query)).status_code == status
