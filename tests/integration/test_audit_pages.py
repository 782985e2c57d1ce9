"""The list of commands over HTTP: what a service works for an account is there at once, in pages, and filtered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter

from shared.access.rights import Grant
from shared.events.catalogue import ENTRY_COMMANDS, RetireEntry
from shared.events.identity import Role
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, headers_of, with_access
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

RINA, BUDI = "s-aaaaaaaaaaaaaaaa", "s-bbbbbbbbbbbbbbbb"


@asynccontextmanager
async def an_auditor(settings: Settings, name: str = "production") -> AsyncIterator[httpx.AsyncClient]:
    service = Service(name, (), with_access(settings))
    app = application(service, name, APIRouter(), FixedKeys())
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://localhost",
            headers=headers_of([Grant(Role.AUDITOR)]),
        ) as client:
            yield client
    finally:
        await service.stop()


async def test_a_command_that_was_worked_is_listed_with_its_account(
    settings: Settings, probe: Probe, run_service: RunService
) -> None:
    begin = datetime.now(UTC)
    async with run_service("production"), an_auditor(settings) as api:
        for number, actor in enumerate((RINA, BUDI, None, RINA)):
            await probe.send(ENTRY_COMMANDS, RetireEntry(entry=f"product/K{number}"), id=f"c-{number}", actor=actor)

        async def ids(**query: str) -> list[str]:
            answer = await api.get("/audit", params=query)
            assert answer.status_code == 200, answer.text
            return [row["id"] for row in answer.json()]

        # The program's command is on the topic alone.
        await eventually(ids, equals=["c-0", "c-1", "c-3"])
        [row] = (await api.get("/audit", params={"actor": BUDI})).json()
        assert datetime.fromisoformat(row.pop("at")) >= begin.replace(microsecond=0)
        assert row.pop("cursor").endswith(" c-1")
        assert row == {"actor": BUDI, "command": "RetireEntry", "key": "product/K1", "id": "c-1", "festival": None}
        assert await ids(command="RetireEntry", actor=RINA) == ["c-0", "c-3"]
        assert await ids(command="SetTerm") == await ids(festival="ODOP") == await ids(until=stamp(begin)) == []
        assert len(await ids(since=stamp(begin))) == 3
        read, address = [], "/audit?limit=2"
        for _ in range(3):
            page = await api.get(address)
            read.append([row["id"] for row in page.json()])
            address = page.links["next"]["url"]
        assert read == [["c-0", "c-1"], ["c-3"], []]
        assert parse_qs(urlsplit(address).query)["limit"] == ["2"]
        latest = (await api.get("/audit?limit=2&newest=true")).json()
        assert [row["id"] for row in latest] == ["c-3", "c-1"]
        rest = {"newest": "true", "after": latest[-1]["cursor"]}
        assert await ids(**rest) == ["c-0"]
        assert await ids(**rest, until=stamp(begin)) == []
        for wrong in ({"after": "x"}, {"since": "yesterday"}, {"limit": "0"}, {"person": "rina"}):
            assert (await api.get("/audit", params=wrong)).status_code == 422, wrong


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
