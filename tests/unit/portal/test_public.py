"""Pages for strangers: they show what the public topics say, the latest of it, and nothing else."""

import csv
from datetime import UTC, date, datetime, timedelta
from io import StringIO

from services.portal.api.public_lots import qr_code
from services.portal.store import PublicStream, season_now
from tests.support.portal import PORTAL, OtherServices, a_portal
from tests.support.public_events import LOT, a_balance, a_festival, a_part, an_adjustment, catalogue_facts


async def page(stream: PublicStream, path: str = "/public") -> str:
    others = OtherServices()
    others.stream = stream
    async with a_portal(others) as browser:
        text = (await browser.get(path)).text
    assert others.asked == [], "a stranger's page asks no service"
    return text


def another_day_of_this_year() -> datetime:
    now = datetime.now(UTC)
    return datetime(now.year, 2 if now.month > 6 else 11, 15, 4, tzinfo=UTC)


async def test_a_stranger_sees_what_was_sold_by_festival_kind_and_facility() -> None:
    stream = PublicStream()
    for body in (
        a_festival(),
        *catalogue_facts(),
        a_part("s1", 2),
        a_part("s2", 3, sold_at=another_day_of_this_year()),
    ):
        stream.take(body)
    text = await page(stream)
    assert "5 pieces were sold this season for Rp750.000, 2 of them today." in text
    assert all(name in text for name in ("Satu Hari", "Tenun", "PR-KPG"))
    assert "The stream is still being read" in text
    stream.mark_whole()
    assert "The stream is still being read" not in await page(stream)


async def test_the_highest_revision_counts_in_any_order_and_once() -> None:
    stream = PublicStream()
    for body in (a_part("s1", 0, revision=3), a_part("s1", 2), a_part("s2", 4), a_part("s2", 4)):
        stream.take(body)
    assert "4 pieces were sold this season" in await page(stream)


async def test_a_lot_tells_its_story_and_its_recall() -> None:
    stream = PublicStream()
    for body in (a_festival(), a_balance(recalled=True, revision=2), a_balance(), a_part("s1", 2)):
        stream.take(body)
    text = await page(stream, f"/public/lots/{LOT.lower()}")
    assert "Made on 30 November 2026 at PR-KPG." in text
    assert "This lot is recalled." in text
    assert "Satu Hari, Kupang" in text


async def test_an_unknown_or_withdrawn_lot_has_no_page() -> None:
    stream = PublicStream()
    assert "No lot of this number" in await page(stream, f"/public/lots/{LOT}")
    stream.take(a_balance(withdrawn=True))
    assert "No lot of this number" in await page(stream, f"/public/lots/{LOT}")


async def test_a_lot_is_told_in_the_names_of_the_catalogue_whatever_comes_first() -> None:
    stream = PublicStream()
    for body in (a_part("s1", 2), a_balance(), *catalogue_facts(), a_festival()):
        stream.take(body)
    assert "This lot is not recalled." in (text := await page(stream, f"/public/lots/{LOT}"))
    assert "Made on 30 November 2026 at Lapas Perempuan Kupang, Timor." in text
    assert "<h1>Kain tenun ikat</h1>" in text


async def test_the_latest_name_counts() -> None:
    stream = PublicStream()
    facility, *others = catalogue_facts()
    for body in (facility.model_copy(update={"name": "Lapas Baru", "revision": 2}), facility, *others):
        stream.take(body)
    assert stream.names.facility("PR-KPG") == "Lapas Baru"


async def test_a_facility_that_sold_the_least_is_in_the_table_the_file_and_on_the_map() -> None:
    stream = PublicStream()
    for body in catalogue_facts():
        stream.take(body)
    for number in range(150):
        stream.take(a_part(f"s{number}", 9, facility=f"LP-{number:03}"))
    stream.take(a_part("s", 7))
    text = await page(stream)
    assert "<title>Kupang: PR-KPG, 7 pieces</title>" in text
    assert "Lapas Perempuan Kupang" in text.partition('id="facilities"')[2]


async def test_the_map_shows_each_island_and_town_with_its_pieces() -> None:
    stream = PublicStream()
    for body in (*catalogue_facts(), a_festival(), a_balance(), a_part("s1", 7)):
        stream.take(body)
    text = await page(stream)
    assert "Timor · 7</text>" in text
    assert "Kupang: PR-KPG, 7 pieces</title>" in text
    assert text.count('class="shade shade-4" d=') == 1
    assert "Natural Earth" in text


async def test_sales_are_files_and_no_other_table_is() -> None:
    others = OtherServices()
    for body in (*catalogue_facts(), a_festival(), a_balance(), a_part("s1", 2)):
        others.stream.take(body)
    async with a_portal(others) as browser:
        for kind, name in (
            ("islands", "Timor"),
            ("categories", "Tenun"),
            ("facilities", "Lapas Perempuan Kupang"),
            ("festivals", "Satu Hari"),
        ):
            answer = await browser.get(f"/public?file={kind}")
            [row] = csv.DictReader(StringIO(answer.text.removeprefix("\ufeff")))
            assert (row["name"], row["qty"], row["rupiah"]) == (name, "2", "300000")
        assert (await browser.get("/public?file=people")).status_code == 404


async def test_a_typed_number_leads_to_the_lot() -> None:
    others = OtherServices()
    others.stream.take(a_balance())
    async with a_portal(others) as browser:
        answer = await browser.get("/public/lots", params={"number": f" {LOT.lower().replace('-', ' ')}"})
        assert answer.headers["location"] == f"/public/lots/{LOT}"
        assert (await browser.get("/public/lots?number=")).headers["location"] == "/public"
        assert (await browser.get("/public/lots?number=XX")).status_code == 404


async def test_a_qr_code_leads_to_the_page_of_a_known_lot_alone() -> None:
    others = OtherServices()
    others.stream.take(a_balance())
    async with a_portal(others) as browser:
        answer = await browser.get(f"/public/lots/{LOT.lower()}/qr.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text == qr_code(f"{PORTAL}/public/lots/{LOT}")
        others.stream.take(a_balance(withdrawn=True, revision=2))
        assert (await browser.get(f"/public/lots/{LOT}/qr.svg")).status_code == 404
        assert (await browser.get("/public/lots/elsewhere/qr.svg")).status_code == 404


def test_today_is_the_day_at_the_festival() -> None:
    stream = PublicStream()
    stream.take(a_festival())
    # 23.30 UTC is 07.30 of the next day in Kupang.
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    stream.take(a_part("s1", 1, sold_at=late))
    assert [row.today_qty for row in stream.sums(late + timedelta(hours=10), 2026)] == [1]
    assert [row.today_qty for row in stream.sums(late + timedelta(hours=17), 2026)] == [0], (
        "it is past midnight there"
    )
    before_dawn = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
    stream.take(a_part("s2", 2, sold_at=before_dawn))
    assert [row.today_qty for row in stream.sums(late, 2026)] == [1], "23.30 of the day before there"


def test_sums_follow_a_correction_and_another_festival_of_the_same_sale() -> None:
    stream = PublicStream()
    now = datetime(2026, 11, 30, 4, tzinfo=UTC)
    for body in (
        a_part("s1", 3, sold_at=now),
        a_part("s2", 1, sold_at=now),
        a_part("s1", 2, sold_at=now, revision=2),
    ):
        stream.take(body)
    assert [(row.qty, row.rupiah, row.today_qty) for row in stream.sums(now, 2026)] == [(3, 450_000, 3)]
    assert stream.sold_of(LOT) == {"ODOP": 3}
    stream.take(a_part("s1", 2, sold_at=now, revision=3, festival="RAYA"))
    assert stream.sold_of(LOT) == {"ODOP": 1, "RAYA": 2}
    stream.take(a_part("s1", 0, sold_at=now, revision=4, festival="RAYA"))
    assert [row.qty for row in stream.sums(now, 2026) if row.qty] == [1]
    assert stream.pieces_sold(LOT) == 1


def test_the_table_of_many_sales_is_made_of_few_sums() -> None:
    stream = PublicStream()
    for number in range(500):
        stream.take(a_part(f"s{number}", 1))
    now = datetime.now(UTC)
    assert len(list(stream.sums(now, season_now(now)))) == 1, "a stranger's page goes through no list of sales"


def test_a_sale_is_of_the_year_that_it_was_at_the_festival() -> None:
    stream = PublicStream()
    # 17.30 UTC is 01.30 of the first of January in Kupang, and 00.30 in Jakarta.
    new_year = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)
    hour = timedelta(hours=1)
    for number, sold_at in enumerate((new_year, new_year - hour, new_year - 2 * hour)):
        stream.take(a_part(f"s{number}", number + 1, sold_at=sold_at))
    assert [row.qty for row in stream.sums(new_year, 2027)] == [1], "not announced: by the clock of Jakarta"
    stream.take(a_festival())
    assert [row.qty for row in stream.sums(new_year, 2027)] == [3]
    assert [row.qty for row in stream.sums(new_year, 2026)] == [3]
    assert [row.today_qty for row in stream.sums(new_year, 2026)] == [0]
    assert stream.seasons(new_year) == [2027, 2026]


def test_an_adjustment_is_of_the_year_in_which_its_festival_ends() -> None:
    stream = PublicStream()
    now = datetime(2026, 11, 30, 4, tzinfo=UTC)
    stream.take(an_adjustment("a1", -2))
    assert [row.qty for row in stream.sums(now, 2026)] == [-2]
    stream.take(a_festival().model_copy(update={"last_day": date(2027, 1, 2)}))
    assert not list(stream.sums(now, 2026))
    assert [row.qty for row in stream.sums(now, 2027)] == [-2]


async def test_former_seasons_are_pages_and_files_of_their_own() -> None:
    others = OtherServices()
    for body in (
        *catalogue_facts(),
        a_festival(),
        a_part("s1", 2),
        a_part("s2", 3, sold_at=datetime(2024, 5, 1, tzinfo=UTC)),
    ):
        others.stream.take(body)
    async with a_portal(others) as browser:
        text = (await browser.get("/public")).text
        assert "2 pieces were sold this season" in text
        assert '<a href="/public?season=2024">2024</a>' in text
        text = (await browser.get("/public?season=2024")).text
        assert "3 pieces were sold in the season of 2024 for Rp450.000." in text
        assert "The season of 2024 is that calendar year, by the clock at each festival." in text
        assert 'href="/public?season=2024&amp;file=islands"' in text
        file = await browser.get("/public?season=2024&file=islands")
        [row] = csv.DictReader(StringIO(file.text.removeprefix("\ufeff")))
        assert (row["name"], row["qty"]) == ("Timor", "3")
        assert "sales-by-island-2024.csv" in file.headers["content-disposition"]
        answer = await browser.get("/public?season=2023")
        assert answer.status_code == 404
        assert "Nothing was sold in the season of 2023." in answer.text
