"""An organiser's festival over HTTP and on the command line, with festival and inventory on real servers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.festival import app
from services.festival.api import routes
from services.festival.handlers import PROCESSORS
from shared.events.festival import BOOTH_STOCK, ORGANISER, BoothClosing, CancelFestival, FestivalClosed
from shared.events.festival import FESTIVAL as SAID
from shared.events.lot_number import LotNumber
from shared.events.production import PRODUCTION, LotRecorded
from shared.events.sales import (
    BOOTH_REPORTS,
    LotSoFar,
    ProductSoFar,
    SellThroughCounted,
    SellThroughSoFar,
    SoldThrough,
)
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.announced import FESTIVAL
from tests.support.place import RunProcess, RunService, both_drivers
from tests.support.probe import Probe
from tests.support.sown import products_told
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

WAIT = {"Prefer": "wait=20"}
JSON = {"Content-Type": "application/json"}
BOOTH = {
    "booth": "ODOP.B1",
    "name": "First booth",
    "prices": [{"product": "KTI", "price_rupiah": 150_000}],  # made up
    "tills": ["T1"],
}
LA = str(LotNumber("LP-KPG", "KTI", date(2026, 4, 1), 1))
LB = str(LotNumber("PR-KPG", "KTI", date(2026, 4, 1), 1))
LX = str(LotNumber("PR-KPG", "KTI", date(2026, 4, 1), 2))
REQUEST = {"request": "R1", "demands": [{"booth": "ODOP.B1", "product": "KTI", "qty": 15}]}


@pytest.fixture(autouse=True)
async def _products(probe: Probe) -> None:
    await products_told(probe, "KTI")


@asynccontextmanager
async def an_api(run_process: RunProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        run_process("festival") as festival,
        httpx.AsyncClient(base_url=festival.url, timeout=60, headers=WAIT) as api,
    ):
        yield api


@asynccontextmanager
async def an_unstarted(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a service that works no lanes: only what one of its servers does not answer matters."""
    service = Service("festival", PROCESSORS, settings)
    api = application(service, "Karya festival", routes(service))
    try:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            yield client
    finally:
        await service.stop()


async def execute(api: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    """The command is done."""
    answer = await api.post(path, json=body or {}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(api: httpx.AsyncClient, path: str) -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read_all(api: httpx.AsyncClient, path: str) -> list[Any]:
    """Every row of a list, page after page until there is none."""
    rows: list[Any] = []
    while True:
        answer = await api.get(path)
        assert answer.status_code == 200, answer.text
        if not answer.json():
            return rows
        rows += answer.json()
        path = answer.links["next"]["url"]


async def a_lot(probe: Probe, lot: str, qty: int, facility: str) -> None:
    body = LotRecorded(lot=lot, facility=facility, product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 1))
    await probe.send(PRODUCTION, body)


async def some_stock(api: httpx.AsyncClient, probe: Probe) -> None:
    """Ten pieces of one facility and twenty of another, where festival sees them."""
    await a_lot(probe, LA, 10, "LP-KPG")
    await a_lot(probe, LB, 20, "PR-KPG")
    expected = [{"product": "KTI", "on_hand": 30, "plannable": 30, "lots": 2, "facilities": 2, "kept_out": []}]
    await eventually(lambda: read(api, "/stock"), equals=expected)


def a_sell_through(*, sold: int, revision: int = 1, disputed: tuple[str, ...] = ()) -> SellThroughCounted:
    lot = SoldThrough(lot=LA, stocked=5, sold=sold, lost=0, unsold=5 - sold, counted=None)
    return SellThroughCounted(festival="ODOP", booth="ODOP.B1", revision=revision, lots=(lot,), disputed=disputed)


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["field"] for error in answer.json()["errors"]]


def missing_kinds(page: Any) -> list[str]:
    return [missing["what"] for missing in page["missing"]]


@both_drivers
async def test_a_festival_from_announcement_to_its_sums(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with run_service("inventory"), an_api(service_process) as api:
        await execute(api, "/festivals", FESTIVAL)
        await execute(api, "/festivals/ODOP/booths", BOOTH)
        await some_stock(api, probe)
        assert sorted(lot["lot"] for lot in await read_all(api, "/stock/KTI?limit=1")) == [LA, LB]

        await execute(api, "/festivals/ODOP/requests", REQUEST)
        plan = await read(api, "/festivals/ODOP/requests/R1")
        assert (plan["status"], plan["asked"], plan["held"], plan["short"]) == ("proposed", 15, 0, 0)
        assert sorted((line["lot"], line["qty"], line["status"]) for line in plan["lines"]) == [
            (LA, 6, "planned"),
            (LB, 9, "planned"),
        ]
        # Fair: 10 and 15 could be had of the two, and each gives the same part of it.
        assert [(share["facility"], share["offered"], share["allocated"]) for share in plan["shares"]] == [
            ("LP-KPG", 10, 6),
            ("PR-KPG", 15, 9),
        ]
        assert all("KTI" in share["reason"] for share in plan["shares"])

        other = await read(api, "/festivals/ODOP/requests/R1/what-if?without=LP-KPG")
        assert [(share["facility"], share["before"], share["after"]) for share in other["shares"]] == [
            ("LP-KPG", 6, 0),
            ("PR-KPG", 9, 15),
        ]
        weighted = await read(api, "/festivals/ODOP/requests/R1/what-if?weight=lp-kpg%3D3&even=false")
        assert [share["after"] for share in weighted["shares"]] == [10, 5]
        assert (await api.get("/festivals/ODOP/requests/R1/what-if?weight=twice")).status_code == 422
        await execute(api, "/festivals/ODOP/requests/R1/accept")
        assert (await api.get("/festivals/ODOP/requests/R1/what-if")).status_code == 409

        async def held_pieces() -> int:
            return int((await read(api, "/festivals/ODOP/requests/R1"))["held"])

        await eventually(held_pieces, equals=15)
        [summary] = await read(api, "/festivals/ODOP/requests")
        assert (summary["request"], summary["status"]) == ("R1", "settled")
        assert [share["held"] for share in (await read(api, "/festivals/ODOP/requests/R1"))["shares"]] == [6, 9]

        sending = {"request": "R1", "shipment": "S1", "facility": "LP-KPG", "booth": "ODOP.B1"}
        await execute(api, "/festivals/ODOP/shipments", sending)

        async def shipment_status() -> str:
            return str((await read(api, "/festivals/ODOP/shipments/S1"))["status"])

        await eventually(shipment_status, equals="sent")
        [booth] = await read(api, "/festivals/ODOP/booths")
        assert [lot["in_transit"] for lot in booth["lots"]] == [6]
        assert missing_kinds(await read(api, "/festivals/ODOP/missing")) == ["not_received", "not_closed"]
        too_early = await api.post("/festivals/ODOP/close", json={})
        assert (too_early.status_code, too_early.json()["reason"]) == (409, "wrong_state")

        counted = {"booth": "ODOP.B1", "counted": [{"lot": LA, "qty": 5}]}
        await execute(api, "/festivals/ODOP/shipments/S1/receive", counted)
        [shipment] = await read(api, "/festivals/ODOP/shipments")
        differs = {"stocked": 5, "lost": 1, "surplus": 0}
        assert shipment["lots"] == [{"lot": LA, "sent": 6, "counted": 5, **differs}]
        booth = await read(api, "/festivals/ODOP/booths/ODOP.B1")
        [lot] = booth["lots"]
        assert (lot["received"], lot["lost_on_the_way"], lot["left"]) == (5, 1, 5)

        await execute(api, "/festivals/ODOP/close", {"till_hours": 1})
        assert missing_kinds(await read(api, "/festivals/ODOP/missing")) == ["not_settled"]
        await probe.send(BOOTH_REPORTS, a_sell_through(sold=3, disputed=("till-7/sale-9",)))

        async def missing() -> list[str]:
            return missing_kinds(await read(api, "/festivals/ODOP/missing"))

        await eventually(missing, equals=["not_home", "disputed"])
        await execute(
            api,
            "/festivals/ODOP/disputes/till-7%2Fsale-9/resolve",
            {"booth": "ODOP.B1", "outcome": "rejected"},
        )
        await execute(api, "/festivals/ODOP/returns", {"booth": "ODOP.B1", "lot": LA, "qty": 1})
        closed = await read(api, "/festivals/ODOP")
        assert closed["status"] == "closed"
        sums = {"received": 5, "sold": 3, "returned": 1, "lost": 1, "surplus": 0, "lost_on_the_way": 1, "found": 0}
        assert closed["sums"] == sums
        assert await missing() == []
    assert [closed.sold for closed in await probe.bodies(SAID, FestivalClosed)] == [3]
    assert len(await probe.bodies(BOOTH_STOCK, BoothClosing)) == 1


async def test_a_refused_command_says_which_field_and_why(service_process: RunProcess) -> None:
    async with an_api(service_process) as api:
        unknown = await api.post("/festivals/NONE/close", json={}, headers={"Idempotency-Key": "close-none"})
        assert unknown.status_code == 409
        assert unknown.headers["content-type"] == "application/problem+json"
        problem = unknown.json()
        assert (problem["field"], problem["reason"], problem["command"]) == (
            "festival",
            "unknown_festival",
            "close-none",
        )
        assert "NONE" in problem["detail"]
        fate = await read(api, problem["look"])
        assert (fate["status"], fate["name"], fate["wrong"]["reason"]) == (
            "refused",
            "CloseFestival",
            "unknown_festival",
        )

        # Such an id could not be passed on to inventory; it must be found all the same.
        odd = await api.post("/festivals", json=FESTIVAL, headers={"Idempotency-Key": "a/b?c#d%2F"})
        assert (odd.status_code, odd.json()["field"], odd.json()["reason"]) == (409, "command", "bad_name")
        assert (await read(api, odd.json()["look"]))["command"] == "a/b?c#d%2F"
        assert (await api.get("/commands/never-given")).status_code == 404
        for page in (
            "",
            "/booths",
            "/booths/B",
            "/requests",
            "/requests/R",
            "/shipments",
            "/shipments/S",
            "/missing",
        ):
            assert (await api.get(f"/festivals/NONE{page}")).status_code == 404


async def test_an_invalid_command_names_the_field_and_reaches_nobody(
    service_process: RunProcess, probe: Probe
) -> None:
    async with an_api(service_process) as api:
        assert fields(await api.post("/festivals", json=FESTIVAL | {"first_day": "the 18th"})) == ["first_day"]
        assert fields(await api.post("/festivals", json=FESTIVAL | {"last_day": 20})) == ["last_day"]
        assert fields(await api.post("/festivals", json=FESTIVAL | {"zonne": "x"})) == ["zonne"]
        assert fields(await api.post("/festivals", json={"festival": "ODOP"})) == [
            *("name", "place", "zone", "first_day", "last_day")
        ]
        demand = {"booth": "ODOP.B1", "product": "KTI", "qty": "5"}
        answer = await api.post("/festivals/ODOP/requests", json={"request": "R1", "demands": [demand]})
        assert fields(answer) == ["demands.0.qty"]
        assert fields(await api.post("/festivals/ODOP/booths", json=BOOTH | {"festival": "OTHER"})) == ["festival"]
        assert fields(await api.post("/festivals/O%20P/close", json={})) == ["festival"]
        for wrong in (b"{", b"[]", b'"ODOP"', b"\xff\xfe", b'{"till_hours": NaN}'):
            assert fields(await api.post("/festivals/ODOP/close", content=wrong, headers=JSON)) == ["body"]
        for twice in (b'{"till_hours":1,"till_hours":2}', b'{"till_hours":1,"till\\u005fhours":2}'):
            assert fields(await api.post("/festivals/ODOP/close", content=twice, headers=JSON)) == ["till_hours"]
        nested = b'{"request":"R1","demands":[{"booth":"ODOP.B1","product":"KTI","qty":1,"qty":9}]}'
        answer = await api.post("/festivals/ODOP/requests", content=nested, headers=JSON)
        assert fields(answer) == ["demands.0.qty"]
        assert fields(await api.post("/festivals", json=FESTIVAL, headers={"Idempotency-Key": "a b"})) == [
            "header.Idempotency-Key"
        ]
        many = [demand | {"booth": f"ODOP.B{n}", "qty": 1} for n in range(6000)]
        large = await api.post("/festivals/ODOP/requests", json={"request": "R1", "demands": many})
        assert (large.status_code, large.json()["status"]) == (413, 413)
    assert await probe.records(ORGANISER) == []


async def test_a_command_given_again_counts_once(service_process: RunProcess, probe: Probe) -> None:
    async with an_api(service_process) as api:
        first = await execute(api, "/festivals", FESTIVAL, **{"Idempotency-Key": "one"})
        assert await execute(api, "/festivals", FESTIVAL, **{"Idempotency-Key": "one"}) == first
        anew = await api.post("/festivals", json=FESTIVAL, headers={"Idempotency-Key": "two"})
        assert (anew.status_code, anew.json()["reason"]) == (409, "already_exists")
        other = await api.post("/festivals", json=FESTIVAL | {"name": "Other"}, headers={"Idempotency-Key": "one"})
        assert (other.status_code, other.json()["command"]) == (422, "one")

        # Somebody who speaks to Kafka himself took this id.
        await probe.send(ORGANISER, CancelFestival(festival="NONE"), id="three")
        await eventually(lambda: api.get("/commands/three"), until=lambda answer: answer.status_code == 200)
        answer = await api.post("/festivals/ODOP/cancel", json={}, headers={"Idempotency-Key": "three"})
        assert (answer.status_code, answer.json()["reason"]) == (409, "id_taken")
        assert (await read(api, "/festivals/ODOP"))["status"] == "open"
    assert sorted(record.event.id for record in await probe.read_all(ORGANISER)) == ["one", "three", "three", "two"]
    assert await probe.dlq(ORGANISER) == []


async def test_two_at_once_with_one_id_get_their_own_answers(service_process: RunProcess) -> None:
    async with an_api(service_process) as api:
        names = [f"Name {n}" for n in range(6)]
        answers = await asyncio.gather(
            *(
                api.post("/festivals", json=FESTIVAL | {"name": name}, headers={"Idempotency-Key": "same"})
                for name in names
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422, 422]
        [winner] = [name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200]
        assert (await read(api, "/festivals/ODOP"))["name"] == winner


async def test_without_prefer_a_command_is_taken_and_shown_later(service_process: RunProcess) -> None:
    async with an_api(service_process) as api:
        del api.headers["Prefer"]
        answer = await api.post("/festivals", json=FESTIVAL)
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
        assert answer.headers["location"] == answer.json()["look"] == f"/commands/{answer.json()['command']}"

        async def command_status() -> str | None:
            page = await api.get(answer.headers["location"])
            return str(page.json()["status"]) if page.status_code == 200 else None

        await eventually(command_status, equals="done")


async def test_a_command_waits_for_inventorys_last_word(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with an_api(service_process) as api:
        await execute(api, "/festivals", FESTIVAL)
        loss = {"lot": LX, "place": "facility", "qty": 2, "reason": "moths"}
        headers = {"Prefer": "wait=1", "Idempotency-Key": "loss"}
        waiting = await api.post("/festivals/ODOP/losses", json=loss, headers=headers)
        assert waiting.status_code == 202
        assert (await read(api, "/commands/loss"))["status"] == "waiting"
        async with run_service("inventory"):
            refused = await api.post("/festivals/ODOP/losses", json=loss, headers={"Idempotency-Key": "loss"})
        assert (refused.status_code, refused.json()["field"], refused.json()["reason"]) == (409, "lot", "unknown_lot")
        assert (await read(api, "/commands/loss"))["wrong"]["field"] == "lot"
    assert len(await probe.read_all(ORGANISER)) == 2


async def test_pages_go_on_behind_the_last_one(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with run_service("inventory"), an_api(service_process) as api:
        await some_stock(api, probe)
        for festival in ("F1", "F2", "F3"):
            await execute(api, "/festivals", FESTIVAL | {"festival": festival})
        await execute(api, "/festivals/F2/cancel", {"reason": "rain"})
        for number in (1, 2, 3):
            await execute(api, "/festivals/F1/booths", BOOTH | {"booth": f"F1.B{number}"})
            demand = {"booth": "F1.B1", "product": "KTI", "qty": number}
            await execute(api, "/festivals/F1/requests", {"request": f"R{number}", "demands": [demand]})
        assert sorted(festival["festival"] for festival in await read_all(api, "/festivals?limit=2")) == [
            "F1",
            "F2",
            "F3",
        ]
        assert [festival["festival"] for festival in await read_all(api, "/festivals?status=cancelled")] == ["F2"]
        booths = await read_all(api, "/festivals/F1/booths?limit=1")
        assert [booth["booth"] for booth in booths] == ["F1.B1", "F1.B2", "F1.B3"]
        assert [request["request"] for request in await read_all(api, "/festivals/F1/requests?limit=2")] == [
            "R1",
            "R2",
            "R3",
        ]
        assert fields(await api.get("/festivals?limit=0")) == ["query.limit"]
        assert fields(await api.get("/festivals?after=F2")) == ["query.after"]


async def test_whoever_goes_on_later_sees_all_that_came_in_between(service_process: RunProcess) -> None:
    async with an_api(service_process) as api:
        await execute(api, "/festivals", FESTIVAL | {"festival": "M"})
        await execute(api, "/festivals/M/booths", BOOTH | {"booth": "M.M"})
        festivals, booths = await api.get("/festivals?limit=3"), await api.get("/festivals/M/booths?limit=3")
        assert [festival["festival"] for festival in festivals.json()] == ["M"]
        assert [booth["booth"] for booth in booths.json()] == ["M.M"]
        # All of them before it in the order of their ids, and over many lanes.
        new = [f"A{number}" for number in reversed(range(9))]
        for name in new:
            await execute(api, "/festivals", FESTIVAL | {"festival": name})
            await execute(api, "/festivals/M/booths", BOOTH | {"booth": f"M.{name}"})
        later = await read_all(api, festivals.links["next"]["url"])
        assert sorted(festival["festival"] for festival in later) == sorted(new)
        later = await read_all(api, booths.links["next"]["url"])
        assert [booth["booth"] for booth in later] == [f"M.{name}" for name in new]


async def test_the_document_for_clients_knows_paths_and_bodies(service_process: RunProcess) -> None:
    async with an_api(service_process) as api:
        paths = (await read(api, "/openapi.json"))["paths"]
        opening = paths["/festivals/{festival}/booths"]["post"]
        assert {parameter["name"] for parameter in opening["parameters"]} == {"festival", "prefer", "Idempotency-Key"}
        schema = opening["requestBody"]["content"]["application/json"]["schema"]
        assert schema["required"] == ["booth", "name", "prices", "tills"]
        assert schema["properties"]["prices"]["items"]["required"] == ["product", "price_rupiah"]
        assert not schema["additionalProperties"]


async def test_a_command_that_did_not_reach_kafka_for_sure_can_be_repeated(settings: Settings) -> None:
    async with an_unstarted(settings.model_copy(update={"kafka": "127.0.0.1:1"})) as api:
        answer = await api.post("/festivals", json=FESTIVAL)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Kafka" in answer.json()["detail"]
        assert answer.json()["command"]


async def test_without_the_database_reads_say_so_and_commands_are_taken(
    settings: Settings, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.mongo.SELECTED_WITHIN_MS", 300)
    async with an_unstarted(settings.model_copy(update={"mongo": "mongodb://127.0.0.1:1/"})) as api:
        page = await api.get("/festivals")
        assert (page.status_code, page.json()["title"]) == (503, "The database does not answer")
        answer = await api.post("/festivals", json=FESTIVAL, headers={"Idempotency-Key": "one", "Prefer": "wait=1"})
        assert (answer.status_code, answer.json()["command"]) == (202, "one")
    assert [record.event.id for record in await probe.read_all(ORGANISER)] == ["one"]


class Desk:
    """An organiser at the command line."""

    def __init__(self, url: str) -> None:
        self._env = {"KARYA_FESTIVAL_URL": url, "COLUMNS": "200"}

    async def says(self, *words: str) -> str:
        """What a command that succeeds prints."""
        ended = await self._run(words)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    async def json(self, *words: str) -> Any:
        return json.loads(await self.says(*words, "--json"))

    async def refused(self, *words: str) -> str:
        """What a command that ends with exit code 1 complains of."""
        ended = await self._run(words)
        assert ended.exit_code == 1, ended.output
        return ended.output

    async def _run(self, words: tuple[str, ...]) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["--wait", "20", *words], env=self._env)


async def test_a_festival_from_the_command_line(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with run_service("inventory"), service_process("festival") as festival:
        desk = Desk(festival.url)
        days = ("--first-day", "2026-04-18", "--last-day", "2026-04-20")
        named = ("announce", "ODOP", "One Day", "--place", "Kupang", "--zone", "Asia/Makassar", *days, "--yes")
        assert "announced as ODOP" in await desk.says(*named)
        assert "already_exists" in await desk.refused(*named)
        assert "Booth ODOP.B1 is open" in await desk.says("booth", "ODOP", "B1", "--price", "KTI=150.000")
        assert "not_valid" in await desk.refused("booth", "ODOP", "B 2", "--price", "KTI=1")
        till = ("--till", "KASIR:1")
        assert "bad_name" in await desk.refused("booth", "ODOP", "B2", "--price", "KTI=1", *till)
        async with httpx.AsyncClient(base_url=festival.url) as api:
            await some_stock(api, probe)
        assert "PR-KPG" in await desk.says("stock", "KTI")
        assert [lot["on_hand"] for lot in await desk.json("stock")] == [30]

        sentence = await desk.says("request", "ODOP", "R1", "B1:KTI=15")
        assert "6 of 10 pieces" in sentence
        assert "LP-KPG" in await desk.says("plan", "ODOP", "R1")
        assert "15 pieces are held, 0 stay short" in await desk.says("accept", "ODOP", "R1")
        assert "wrong_state" in await desk.refused("accept", "ODOP", "R1")

        sent = await desk.json("ship", "ODOP", "--all")
        assert [(shipment["shipment"], shipment["facility"], shipment["pieces"]) for shipment in sent] == [
            ("S1", "LP-KPG", 6),
            ("S2", "PR-KPG", 9),
        ]
        assert await desk.json("ship", "ODOP", "--all") == []
        assert "not received" in await desk.says("missing", "ODOP")
        assert "5 pieces at ODOP.B1" in await desk.says("receive", "ODOP", "S1", f"{LA}=5")
        received = await desk.says("receive", "ODOP", "--all")
        assert "S2" in received
        assert "S1" not in received

        assert "closing" in await desk.says("close", "ODOP")
        assert "ODOP.B1" in await desk.refused("return", "ODOP", "--all")
        await probe.send(BOOTH_REPORTS, a_sell_through(sold=3, disputed=("till-7/sale-9",)))

        async def missing() -> list[str]:
            return missing_kinds(await desk.json("missing", "ODOP"))

        await eventually(missing, equals=["not_home", "not_home", "disputed"])
        assert "accepted" in await desk.says("dispute", "ODOP", "till-7/sale-9", "accepted", "--booth", "B1")
        await probe.send(BOOTH_REPORTS, a_sell_through(sold=3, revision=2))
        await eventually(missing, equals=["not_home", "not_home"])
        home = await desk.json("return", "ODOP", "--all")
        assert [(lot["lot"], lot["pieces"], lot["status"]) for lot in home] == [(LA, 2, "done"), (LB, 9, "done")]
        assert "Nothing is missing: ODOP is closed" in await desk.says("missing", "ODOP")
        page = await desk.json("show", "ODOP")
        assert (page["sums"]["sold"], page["sums"]["returned"], page["sums"]["lost_on_the_way"]) == (3, 11, 1)
        assert "WITA" in await desk.says("show", "ODOP")
        assert "unknown_lot" in await desk.refused("loss", "ODOP", LX, "2")
        assert [festival["festival"] for festival in await desk.json("list", "--status", "closed")] == ["ODOP"]
        assert "No festival NONE" in await desk.refused("show", "NONE")
    assert "does not answer" in await desk.refused("list")


async def test_a_revision_over_http_and_from_the_command_line(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with run_service("inventory"), an_api(service_process) as api:
        desk = Desk(str(api.base_url))
        await execute(api, "/festivals", FESTIVAL)
        for booth in ("ODOP.B1", "ODOP.B2"):
            await execute(api, "/festivals/ODOP/booths", BOOTH | {"booth": booth})
        await some_stock(api, probe)
        await desk.says("request", "ODOP", "R1", "B1:KTI=10", "B2:KTI=4", "--consent", "--revise-at", "90")
        proposal_text = await desk.says("revise", "ODOP", "R1", "--without", "LP-KPG", "--reason", "no boat")
        assert "karya festival accept ODOP R1" in proposal_text
        assert "no boat: LP-KPG can't send" in proposal_text
        page = await read(api, "/festivals/ODOP/requests/R1")
        assert (page["held"], page["revise_at_percent"], page["closed"]) == (14, 90, [])
        revision = page["revision"]
        assert (revision["status"], revision["without"], revision["short"]) == ("waiting", ["LP-KPG"], [])
        back = sum(line["qty"] for line in revision["back"])
        assert back == sum(line["qty"] for line in revision["added"]) == 14 - revision["kept"]
        assert {line["reason"] for line in revision["back"]} == {"LP-KPG can't send."}
        assert {line["reason_id"] for line in revision["back"]} == {"LP-KPG tidak dapat mengirim."}
        moves = [(share["facility"], share["before"], share["after"]) for share in revision["shares"]]
        assert moves == [("LP-KPG", back, 0), ("PR-KPG", 14 - back, 14)]
        assert "A revision waits" in await desk.says("plan", "ODOP", "R1")
        assert "14 pieces are held, 0 stay short" in await desk.says("accept", "ODOP", "R1")
        assert "no boat" not in await desk.says("plan", "ODOP", "R1")

        assert "nothing_to_plan" in await desk.refused("revise", "ODOP", "R1")
        assert "unknown_facility" in await desk.refused("revise", "ODOP", "R1", "--without", "LP-XXX")
        assert "Booth ODOP.B2 is closing" in await desk.says("close-booth", "ODOP", "B2")
        assert "wrong_state" in await desk.refused("close-booth", "ODOP", "B2")

        async def held_pieces() -> tuple[int, list[str], list[str]]:
            page = await read(api, "/festivals/ODOP/requests/R1")
            return page["held"], page["closed"], missing_kinds(await read(api, "/festivals/ODOP/missing"))

        await eventually(held_pieces, equals=(10, ["ODOP.B2"], ["not_settled", "not_closed"]))
        consented = await desk.json("revise", "ODOP", "R1", "--without", "PR-KPG", "--consent")
        assert (consented["status"], consented["revision"]["status"]) == ("done", "carried_out")


async def test_goods_between_booths_and_a_refill_from_the_command_line(
    service_process: RunProcess, run_service: RunService, probe: Probe
) -> None:
    async with run_service("inventory"), service_process("festival") as festival:
        desk = Desk(festival.url)
        days = ("--first-day", "2026-04-18", "--last-day", "2026-04-20")
        await desk.says("announce", "ODOP", "One Day", "--place", "Kupang", *days, "--yes")
        for booth in ("B1", "B2"):
            await desk.says("booth", "ODOP", booth, "--price", "KTI=150.000")
        async with httpx.AsyncClient(base_url=festival.url) as api:
            await some_stock(api, probe)
        await desk.says("request", "ODOP", "R1", "B1:KTI=20", "B2:KTI=4", "--consent")
        await desk.says("ship", "ODOP", "--all")
        await desk.says("receive", "ODOP", "--all")
        lots = {lot["lot"]: lot["left"] for lot in (await desk.json("show", "ODOP"))["booths"][0]["lots"]}
        lot = max(lots, key=lambda lot_id: lots[lot_id])

        assert "too_many" in await desk.refused("transfer", "send", "ODOP", "T1", "B1", "B2", f"{lot}=99")
        sent = await desk.says("transfer", "send", "ODOP", "T1", "B1", "B2", f"{lot}=3")
        assert "3 pieces from ODOP.B1 to ODOP.B2" in sent
        assert "T1 is on its way" in await desk.says("missing", "ODOP")
        assert "T1" in await desk.says("show", "ODOP")
        assert "transfer T1" in await desk.refused("close", "ODOP")
        assert "2 pieces at ODOP.B2" in await desk.says("transfer", "receive", "ODOP", "T1", f"{lot}=2")
        assert "wrong_state" in await desk.refused("transfer", "receive", "ODOP", "T1", "--as-sent")
        await desk.says("transfer", "send", "ODOP", "T2", "B2", "B1", f"{lot}=1")
        assert (await desk.json("transfer", "receive", "ODOP", "T2", "--as-sent"))["pieces"] == 1

        hour = int(datetime.now(UTC).timestamp()) // 3600
        so_far = ProductSoFar(product="KTI", hours=(hour - 2, hour - 1), sold=(8, 8), minutes=(60, 60))
        sold = LotSoFar(lot=lot, sold=lots[lot] - 3)
        interim = {"festival": "ODOP", "booth": "ODOP.B1", "at": datetime.now(UTC), "revision": 1}
        await probe.send(BOOTH_REPORTS, SellThroughSoFar(**interim, lots=(sold,), products=(so_far,)))

        async def refusal_names_sales() -> bool:
            too_many = ("transfer", "send", "ODOP", "T9", "B1", "B2", f"{lot}=99")
            return f"at least {sold.sold} are sold" in await desk.refused(*too_many)

        await eventually(refusal_names_sales)
        closes = (datetime.now(ZoneInfo("Asia/Jakarta")) + timedelta(hours=4)).strftime("%H:%M")
        assert "R2: until" in await desk.says("replenish", "ODOP", "R2", "--until", closes)
        replenishment = (await desk.json("replenish", "ODOP", "R3", "--until", closes, "--between-booths"))[
            "replenishment"
        ]
        assert [
            (forecast["booth"], forecast["missing"] > 0)
            for forecast in replenishment["forecasts"]
            if forecast["booth"] == "ODOP.B1"
        ] == [("ODOP.B1", True)]
        assert replenishment["refills"] == []
        assert "R2: proposed" in await desk.says("plan", "ODOP", "R2")
        assert "already_exists" in await desk.refused("replenish", "ODOP", "R2", "--until", closes)
