"""Pages for strangers: they show what the public topics say, the latest of it, and nothing else."""

from datetime import UTC, datetime, timedelta

from services.portal.store import PublicStream
from tests.support.portal import OtherServices, a_portal
from tests.support.public_events import LOT, a_balance, a_festival, a_part


async def page(stream: PublicStream, path: str = "/public") -> str:
    others = OtherServices()
    others.stream = stream
    async with a_portal(others) as browser:
        text = (await browser.get(path)).text
    assert others.asked == [], "a stranger's page asks no service"
    return text


async def test_a_stranger_sees_what_was_sold_by_festival_kind_and_facility() -> None:
    stream = PublicStream()
    for body in (
        a_festival(),
        a_balance(),
        a_part("s1", 2),
        a_part("s2", 3, sold_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        stream.take(body)
    text = await page(stream)
    assert "5 pieces were sold this season for Rp750.000, 2 of them today." in text
    assert all(name in text for name in ("Satu Hari", "tenun", "PR-KPG"))
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
    assert "KTI, made on 30 November 2026 at PR-KPG." in text
    assert "This lot is recalled." in text
    assert "Satu Hari, Kupang" in text


async def test_an_unknown_or_withdrawn_lot_has_no_page() -> None:
    stream = PublicStream()
    assert "No lot of this number" in await page(stream, f"/public/lots/{LOT}")
    stream.take(a_balance(withdrawn=True))
    assert "No lot of this number" in await page(stream, f"/public/lots/{LOT}")


def test_today_is_the_day_at_the_festival() -> None:
    stream = PublicStream()
    stream.take(a_festival())
    # 23.30 UTC is 07.30 of the next day in Kupang.
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    stream.take(a_part("s1", 1, sold_at=late))
    [part] = stream.parts()
    assert stream.is_of_today(part, late + timedelta(hours=10))
    assert not stream.is_of_today(part, late - timedelta(hours=8))
