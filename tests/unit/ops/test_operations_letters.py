"""Dead letters over HTTP: what each role sees of them, and who does something about them. No server is needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

import ops.dlq
from ops.dlq import ResendReport
from ops.letters import Letter, LetterPlace, Status
from ops.service.api import operations
from shared.access.rights import Grant
from shared.errors import NoSuchLetter, NotReached
from shared.events.identity import Role
from shared.events.sales import TILL
from shared.runtime.plain_service import PlainService
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, headers_of, with_access
from tests.support.letters import a_letter

PRIVATE = a_letter()
SALE = replace(a_letter(b"\xff", topic=TILL, key=b"ODOP.B1"), service="sales", reason="BUG", status=Status.OPEN)
WORKED = replace(SALE, place=LetterPlace(TILL.name, 0, 7), original_offset=18, status=Status.WORKED)
MAKER = "p.mazcrdi4ewgq"


class FakeLetters:
    """Three letters. `replayed`: what was sent back, and by whom."""

    def __init__(self) -> None:
        self.replayed: list[tuple[Letter, str, bool]] = []
        self.report = ResendReport(sent=1)

    async def all(self) -> list[Letter]:
        return [SALE, WORKED, PRIVATE]

    async def get(self, place: LetterPlace) -> Letter:
        for letter in await self.all():
            if letter.place == place:
                return letter
        raise NoSuchLetter("none lies there")

    async def replay(
        self, letters: list[Letter], _wait: float, *, actor: str, without_original: bool
    ) -> ResendReport:
        self.replayed += [(letter, actor, without_original) for letter in letters]
        return self.report


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> FakeLetters:
    fake = FakeLetters()

    @asynccontextmanager
    async def dead_letters(_: Settings) -> AsyncIterator[FakeLetters]:
        yield fake

    monkeypatch.setattr(ops.dlq, "dead_letters", dead_letters)
    return fake


@asynccontextmanager
async def a_caller(role: Role) -> AsyncIterator[httpx.AsyncClient]:
    service = PlainService("operations", with_access(Settings()))
    transport = httpx.ASGITransport(operations(service, FixedKeys()), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers_of([Grant(role)])
        ) as client:
            yield client
    finally:
        await service.stop()


async def rows(api: httpx.AsyncClient, address: str = "/letters", **query: str) -> list[dict[str, Any]]:
    answer = await api.get(address, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.usefixtures("letters")
async def test_letters_that_need_action_come_in_pages_and_by_filters() -> None:
    async with a_caller(Role.AUDITOR) as api:
        assert [row["letter"] for row in await rows(api)] == sorted(map(str, (SALE.place, PRIVATE.place)))
        assert [row["status"] for row in await rows(api, settled="true", service="sales")] == ["worked", "open"]
        assert [row["reason"] for row in await rows(api, reason="BUG")] == ["BUG"]
        first = await api.get("/letters", params={"limit": "1", "settled": "true"})
        rest = await api.get(first.links["next"]["url"])
        last = await api.get(rest.links["next"]["url"])
        places = [row["letter"] for page in (first, rest, last) for row in page.json()]
        assert places == sorted(map(str, (SALE.place, WORKED.place, PRIVATE.place)))
        assert (await api.get("/letters", params={"after": "x"})).status_code == 422


@pytest.mark.usefixtures("letters")
async def test_a_makers_pseudonym_is_shown_to_operators_on_request_alone() -> None:
    address = f"/letters/{PRIVATE.place}"
    async with a_caller(Role.OPERATOR) as api:
        hidden = (await api.get(address)).json()
        assert (hidden["body"], hidden["is_hidden"], hidden["may_mend"]) == (None, True, True)
        assert MAKER in (await api.get(f"{address}?value=true")).json()["body"]
        assert (await api.get(f"/letters/{SALE.place}")).json()["body"] == "ff"
    async with a_caller(Role.AUDITOR) as api:
        assert MAKER not in (await api.get(f"{address}?value=true")).text


async def test_a_letter_is_sent_back_by_operators_alone_under_the_name_of_their_account(letters: FakeLetters) -> None:
    address = f"/letters/{SALE.place}/replay"
    async with a_caller(Role.AUDITOR) as api:
        assert (await api.post(address, json={})).status_code == 403
        assert letters.replayed == []
    async with a_caller(Role.OPERATOR) as api:
        assert (await api.post(address, json={"all": True})).status_code == 422
        assert (await api.post(address, json={"without_original": True})).json()["worked"] is True
        assert letters.replayed == [(SALE, SUBJECT, True)]
        letters.report = ResendReport(sent=2, open=(SALE,))
        answer = (await api.post(address, json={})).json()
        assert (answer["worked"], answer["sent"], answer["reason"]) == (False, 2, "BUG")
        letters.report = ResendReport(sent=0, impossible=((SALE, "it is not the record that it names"),))
        refused = await api.post(address, json={})
        assert (refused.status_code, refused.json()["detail"]) == (409, "it is not the record that it names")


@pytest.mark.usefixtures("letters")
async def test_what_is_no_letter_is_not_found_and_what_is_wrong_is_refused() -> None:
    async with a_caller(Role.OPERATOR) as api:
        for place in ("weather/0/0", f"{TILL.name}/0/99", "x"):
            assert (await api.get(f"/letters/{place}")).status_code == 404, place
        assert (await api.post(f"/letters/{PRIVATE.place}/archive", json={"reason": " "})).status_code == 422
        answer = await api.post(f"/letters/{PRIVATE.place}/mend", json={"body": "[]"})
        assert (answer.status_code, "no JSON object" in answer.json()["detail"]) == (409, True)


async def test_kafka_that_does_not_answer_is_told(letters: FakeLetters, monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_of_them(_: FakeLetters) -> list[Letter]:
        raise NotReached("Kafka does not answer.")

    monkeypatch.setattr(FakeLetters, "all", all_of_them)
    async with a_caller(Role.OPERATOR) as api:
        answer = await api.get("/letters")
        assert (answer.status_code, answer.json()["detail"]) == (503, "Kafka does not answer.")
    assert letters.replayed == []
