"""What sold by booth and hour: the table and its picture have every piece. All quantities are made up."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.api.festival.sales import shown_day
from services.portal.domain.answers import FestivalRow
from services.portal.domain.sell_through import (
    SellThroughRow,
    SoldHourRow,
    SoldProductRow,
    chart_of,
    product_sums,
    sold_by_day,
    sold_by_hour,
)
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import running_festival
from tests.support.portal import OtherServices, a_portal, sign_in

WITA = ZoneInfo("Asia/Makassar")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=WITA).astimezone(UTC)


def a_product(name: str, *hours: tuple[datetime, int], stocked: int = 20, moved: int = 0) -> SoldProductRow:
    sold = sum(qty for _, qty in hours)
    rows = tuple(SoldHourRow(when, qty) for when, qty in hours)
    return SoldProductRow(name, stocked, sold, 0, moved, stocked - moved - sold, sold * 1000, rows)


BOOTHS = [
    SellThroughRow("ODOP.B1", "Timur", (a_product("KTI", (at(18, 9), 3), (at(18, 11), 5)), a_product("MDS"))),
    SellThroughRow("ODOP.B2", None, (a_product("KTI", (at(19, 9), 4), stocked=30, moved=10),)),
    SellThroughRow("ODOP.B3", None, ()),
]


def test_hours_without_sales_between_others_have_a_column() -> None:
    table = sold_by_hour(BOOTHS, WITA)
    assert table.columns == ("09:00", "10:00", "11:00")
    assert [(row.short, row.pieces, row.percent) for row in table.rows] == [
        ("B1", (3, 0, 5), 20),
        ("B2", (4, 0, 0), 20),
    ]
    assert table.sums == [7, 0, 5]


def test_one_product_alone_has_its_own_share() -> None:
    table = sold_by_hour(BOOTHS, WITA, "KTI")
    assert [(row.short, row.sum, row.percent) for row in table.rows] == [("B1", 8, 40), ("B2", 4, 20)]
    assert sold_by_hour(BOOTHS, WITA, "MDS").columns == ()


def test_all_days_have_a_column_each() -> None:
    table = sold_by_day(BOOTHS, WITA, lambda day: str(day.day))
    assert (table.columns, [row.pieces for row in table.rows]) == (("18", "19"), [(8, 0), (0, 4)])


def test_pieces_that_moved_between_booths_count_once() -> None:
    assert [(row.product, row.stocked, row.sold, row.percent) for row in product_sums(BOOTHS)] == [
        ("KTI", 40, 12, 30),
        ("MDS", 20, 0, 0),
    ]


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(1, 500)), max_size=40))
def test_every_bar_is_in_its_row_and_none_is_wider_than_the_picture(sales: list[tuple[int, int]]) -> None:
    booths = [SellThroughRow("ODOP.B1", None, (a_product("KTI", *((at(18, hour), qty) for hour, qty in sales)),))]
    table = sold_by_hour(booths, WITA)
    chart = chart_of(table)
    if not sales:
        assert chart is None
        return
    assert chart is not None
    [row] = chart.rows
    assert len(row.bars) == len({hour for hour, _ in sales})
    assert all(bar.y >= 0 and bar.y + bar.height <= row.base + 0.1 for bar in row.bars)
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right + 0.1 for bar in row.bars)
    assert len(chart.labels) <= 5


@pytest.mark.parametrize(
    ("asked", "now", "shown"),
    [
        ("", "2026-04-18T03:00", "2026-04-18"),
        ("", "2026-04-18T17:00", "2026-04-19"),  # after midnight there
        ("", "2026-05-01T03:00", "all"),
        ("2026-04-20", "2026-04-18T03:00", "2026-04-20"),
        ("2026-04-21", "2026-04-18T03:00", "2026-04-18"),
        ("all", "2026-04-18T03:00", "all"),
    ],
)
def test_today_is_shown_while_the_festival_lasts(asked: str, now: str, shown: str) -> None:
    festival = FestivalRow("ODOP", "", "", "Asia/Makassar", date(2026, 4, 18), date(2026, 4, 20), "open")
    assert shown_day(festival, asked, datetime.fromisoformat(f"{now}:00+00:00")) == shown


async def test_the_page_has_picture_and_table_of_the_chosen_day() -> None:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= running_festival()
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/sales?day=2026-04-18&product=KTI")).text
        assert others.queries["sales/sell-through"].startswith("festival=ODOP&day=2026-04-18")
        assert "B1, 18:00: 5" in page
        assert page.count('class="sold-mark"') == 2
        assert 'data-file="by-hour"' in page
        assert "40 %" in page
        everything = await browser.get("/festivals/ODOP/sales?day=all")
        assert "day=" not in others.queries["sales/sell-through"]
        assert "18 April 2026" in everything.text
