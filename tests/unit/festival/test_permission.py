"""Commands that need more than the right of their route: losses at facilities, and sales of another festival."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest

from services.festival.api import commands, routes
from services.festival.api.permission import Permission
from shared.access.rights import Grant
from shared.events.identity import Role
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, headers_of, with_access

CASHIER = [Grant(Role.CASHIER, "ODOP.B1")]
ORGANISER = [Grant(Role.ORGANISER, "ODOP")]
STAFF = [Grant(Role.FACILITY_STAFF, "PR-KPG")]
OTHER_STAFF = [Grant(Role.FACILITY_STAFF, "LP-WKB")]
LOSS = {"lot": "PR-KPG-KTI-230418-007-4", "qty": 5}


class Festivals:
    """In place of the collection: the festivals that there are."""

    async def find_one(self, query: dict[str, str]) -> dict[str, str] | None:
        return query if query["_id"] in {"ODOP", "FRW"} else None


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Festival, which appends to nowhere."""
    service = Service("festival", (), with_access(Settings()))

    async def append(*_: Any) -> None: ...

    def permission(service: Service) -> Permission:
        made = Permission(service)
        made._festivals = Festivals()  # type: ignore[assignment]
        return made

    monkeypatch.setattr(service, "append", append)
    monkeypatch.setattr(commands, "Permission", permission)
    app = application(service, "festival", routes(service), FixedKeys())
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
            yield client
    finally:
        await service.mongo.close()


async def given(api: httpx.AsyncClient, grants: Iterable[Grant], path: str, **body: Any) -> int:
    return (await api.post(f"/festivals/ODOP/{path}", headers=headers_of(grants), json=body)).status_code


async def test_a_loss_at_a_facility_is_recorded_by_its_staff_alone(api: httpx.AsyncClient) -> None:
    loss = {"place": "facility", **LOSS}
    assert await given(api, STAFF, "losses", **loss) == 202
    for others in (OTHER_STAFF, ORGANISER, CASHIER, [*OTHER_STAFF, *ORGANISER, *CASHIER]):
        assert await given(api, others, "losses", **loss) == 403
        assert await given(api, others, "losses", booth="ODOP.B1", **loss) == 403
    assert await given(api, STAFF, "losses", **{**loss, "lot": "PR-KPG-KTI-230418-007-5"}) == 403, "no lot number"


async def test_a_loss_at_a_booth_is_recorded_by_its_cashiers_and_organisers(api: httpx.AsyncClient) -> None:
    loss = {"place": "booth", "booth": "ODOP.B1", **LOSS}
    assert await given(api, CASHIER, "losses", **loss) == 202
    assert await given(api, ORGANISER, "losses", **loss) == 202
    another_booth = [Grant(Role.CASHIER, "ODOP.B2")]
    for others in (STAFF, another_booth, [Grant(Role.ORGANISER, "FRW")], [*STAFF, *another_booth]):
        assert await given(api, others, "losses", **loss) == 403
    assert await given(api, STAFF, "losses", place="booth", **LOSS) == 403


@pytest.mark.parametrize("path", ["returns", "returns/recount"])
async def test_what_came_home_is_counted_by_the_lots_facility_or_the_organiser(
    api: httpx.AsyncClient, path: str
) -> None:
    count = {"booth": "ODOP.B1", **LOSS}
    for permitted in (STAFF, ORGANISER):
        assert await given(api, permitted, path, **count) == 202
    for others in (OTHER_STAFF, CASHIER, [Grant(Role.ORGANISER, "FRW")]):
        assert await given(api, others, path, **count) == 403


@pytest.mark.parametrize(
    ("stray", "status"),
    [
        ("ODOP.B9", 202),
        ("odop.B9", 202),
        ("ODPO.B9", 202),
        ("B9", 202),
        ("FRW.B9", 403),
        ("FRW", 403),
    ],
)
async def test_an_organiser_moves_no_sales_of_another_festival(
    api: httpx.AsyncClient, stray: str, status: int
) -> None:
    assert await given(api, ORGANISER, "booths/ODOP.B1/strays", stray=stray) == status


async def test_an_organiser_of_both_moves_them(api: httpx.AsyncClient) -> None:
    both = [*ORGANISER, Grant(Role.ORGANISER, "FRW")]
    assert await given(api, both, "booths/ODOP.B1/strays", stray="FRW.B9") == 202
