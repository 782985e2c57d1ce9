"""What waits for an organiser, the most urgent first. All quantities are made up."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.portal.clients import answers
from services.portal.domain.steps import Progress, waiting
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import BOOTHS, SHIPMENT, STRAY, TRANSFER, an_arrival, running_festival
from tests.support.portal import FESTIVAL, OtherServices, a_portal, sign_in

DURING, AFTER = date(2026, 4, 19), date(2026, 4, 21)
QUIET = Progress(answers.FESTIVAL.validate_python(FESTIVAL), answers.BOOTHS.validate_python(BOOTHS), (), (), ())


def doubt(**pieces: int) -> dict[str, Any]:
    sale = {"sale": "r/1", "receipt": "r", "till": "T1", "lot": None, "product": "KTI", "qty": 1, "rupiah": 1}
    return {**sale, "waiting": 0, "disputed": 0, **pieces, "sold_at": datetime(2026, 4, 18, tzinfo=UTC)}


def sales(*doubts: dict[str, Any], sold: int = 0) -> Any:
    booth = {"booth": "ODOP.B1", "name": "", "zone": None, "status": "open", "takings_rupiah": 0, "receipts": 1}
    return answers.BOOTH_SALES.validate_python([{**booth, "sold": sold, "sales": doubts}])


def said(progress: Progress, today: date = DURING) -> list[tuple[str, str, bool]]:
    return [(item.sentence.english, item.place, item.is_urgent) for item in waiting(progress, today)]


def test_goods_on_their_way_lead_to_where_they_are_counted() -> None:
    late = an_arrival("sent", **{**SHIPMENT, "shipment": "S2"}) | {"overdue": True}
    progress = replace(
        QUIET,
        shipments=answers.SHIPMENTS.validate_python([an_arrival("sent", **SHIPMENT), late]),
        transfers=answers.TRANSFERS.validate_python(
            [an_arrival("sent", **TRANSFER), an_arrival("received", **TRANSFER)]
        ),
    )
    assert said(progress) == [
        ("Parcel S2 to B1 · Stan Timur is overdue.", "parcels/S2", True),
        ("Parcel S1 is on its way to B1 · Stan Timur.", "parcels/S1", False),
        ("Transfer T1 is on its way to B2 · Stan Barat.", "transfers/T1", False),
        ("No goods have been asked for yet.", "plans", False),
    ]


def test_sales_that_stock_may_still_cover_are_told_apart_from_disputes() -> None:
    progress = replace(QUIET, sales=sales(doubt(waiting=2), doubt(waiting=1, disputed=1)))
    assert ("1 sale waits for stock: count in what came, or decide.", "sales", False) in said(progress)
    booths = [replace(QUIET.booths[0], disputed=("r/1",)), *QUIET.booths[1:]]
    assert said(replace(progress, booths=booths))[0] == ("1 sale is in dispute.", "sales", True)


def test_a_festival_whose_days_are_over_waits_to_be_closed_and_its_goods_to_come_home() -> None:
    settled = [replace(QUIET.booths[0], status="settled"), *QUIET.booths[1:]]
    places = [(place, urgent) for _, place, urgent in said(replace(QUIET, booths=settled), AFTER)]
    assert places == [("close", True), ("plans", False), ("close", False)]
    assert said(replace(QUIET, festival=replace(QUIET.festival, status="closed")), AFTER) == []


def test_what_sells_meanwhile_is_sold_and_no_longer_left() -> None:
    counted = QUIET.booths[0].sold
    progress = replace(QUIET, sales=sales(sold=counted + 5))
    assert (progress.sold - QUIET.sold, QUIET.left - progress.left) == (5, 5)
    # A booth that is settled counts its sales itself.
    assert replace(QUIET, sales=sales(sold=counted - 1)).left == QUIET.left


@pytest.mark.parametrize(("moved_to", "is_there"), [(None, True), ("ODOP.B1", False)])
async def test_sales_of_booths_that_nobody_opened_wait_too(moved_to: str | None, is_there: bool) -> None:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= running_festival() | {"sales/strays": [{**STRAY, "moved_to": moved_to}]}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/")).text
        assert ("/festivals/ODOP/strays" in page) == is_there
