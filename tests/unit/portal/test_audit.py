"""The page of who did what: all services' commands by time, with filters in the address."""

from datetime import datetime
from typing import Any

from services.portal.domain.audit_answers import AuditRow, merged
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.callers import SUBJECT
from tests.support.festival_pages import SERVICES
from tests.support.portal import OtherServices, a_portal, sign_in

ALL = (*SERVICES, "operations")


def given(minute: int, command: str) -> dict[str, Any]:
    at = f"2026-04-18T02:{minute:02}:00.000Z"
    return {
        "at": at,
        "actor": SUBJECT,
        "command": command,
        "key": "ODOP.B1",
        "id": f"c-{minute}",
        "festival": "ODOP",
        "cursor": f"{at} karya/http c-{minute}",
    }


def served(role: Role) -> OtherServices:
    others = OtherServices(Grant(role))
    others.pages |= {f"{name}/audit": [] for name in ALL}
    others.pages["festival/audit"] = [given(30, "OpenBooth"), given(10, "AnnounceFestival")]
    others.pages["operations/audit"] = [given(20, "LetterReplayed")]
    return others


async def test_the_commands_of_all_services_come_by_time_the_latest_first() -> None:
    async with a_portal(served(Role.AUDITOR)) as browser:
        await sign_in(browser)
        assert "/audit" in (await browser.get("/")).text
        page = (await browser.get("/audit")).text
        places = [page.index(f"<td>{name}</td>") for name in ("OpenBooth", "LetterReplayed", "AnnounceFestival")]
        assert places == sorted(places)
        assert "Older commands" not in page


async def test_filters_are_asked_of_the_services_and_stay_in_the_address() -> None:
    others = served(Role.ADMINISTRATOR)
    async with a_portal(others) as browser:
        await sign_in(browser)
        query = "service=festival&actor=s-1&command=OpenBooth&festival=ODOP&since=2026-04-18&until=2026-04-18"
        page = (await browser.get(f"/audit?{query}")).text
        assert [name for name, _ in others.asked if name.endswith("/audit")] == ["festival/audit"]
        asked = others.queries["festival/audit"]
        for part in ("actor=s-1", "since=2026-04-18T00%3A00%3A00.000Z", "until=2026-04-19T00%3A00%3A00.000Z"):
            assert part in asked
        assert "/audit?service=festival&amp;actor=s-1" in page
        assert (await browser.get("/audit?since=yesterday")).status_code == 422


async def test_the_file_has_the_same_rows_and_is_never_short_without_a_word() -> None:
    others = served(Role.AUDITOR)
    async with a_portal(others) as browser:
        await sign_in(browser)
        lines = (await browser.get("/audit?file=audit")).text.splitlines()
        assert [line.split(",")[3] for line in lines[1:]] == ["OpenBooth", "LetterReplayed", "AnnounceFestival"]
        others.away.add("sales")
        assert "The list is not whole: sales does not answer." in (await browser.get("/audit")).text
        assert (await browser.get("/audit?file=audit")).status_code == 503


async def test_others_do_not_see_it() -> None:
    for role in (Role.OPERATOR, Role.CASHIER):
        others = served(role)
        async with a_portal(others) as browser:
            await sign_in(browser)
            assert (await browser.get("/audit")).status_code == 403
            assert not any(name.endswith("/audit") for name, _ in others.asked)


def row(minute: int) -> AuditRow:
    raw = given(minute, "X")
    return AuditRow(**{**raw, "at": datetime.fromisoformat(raw["at"])})


def test_the_next_part_begins_behind_the_last_row_shown() -> None:
    part = merged([[row(9), row(7)], [row(8), row(6)]], 2)
    assert [shown.id for shown in part.rows] == ["c-9", "c-8"]
    assert part.older == row(8).cursor
    # A service that gave as many as were asked for may have more.
    assert merged([[row(9), row(7)], []], 2).older == row(7).cursor
    assert merged([[row(9)], []], 2).older is None
