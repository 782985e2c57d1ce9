"""A gateway between devices and real services: records in, news out, over a network that fails."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from edge.sync import GatewayRoute, gateway
from edge.terminal.terminal import ReportStatus, Terminal
from lab.chaos.proxy import LinkState, Proxy
from ops.rebuild import compare, rebuild
from shared import envelope
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.errors import NotReached
from shared.events.festival import BOOTH_STOCK, LotWithdrawn
from shared.events.identity import Role
from shared.events.language import Body, Topic
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, ReportAccepted
from shared.mongo import Mongo
from shared.runtime import service as runtime
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, headers_of, token_of, with_access
from tests.support.place import RunService
from tests.support.probe import Probe, a_probe
from tests.support.servers import frozen_server, settings_on
from tests.support.waiting import eventually
from tests.support.ways import RunningGateway, a_gateway

pytestmark = pytest.mark.integration

FACILITY, BOOTH = "PR-KPG", "ODOP.B07"
STAFF = Grant(Role.FACILITY_STAFF, FACILITY)
CASHIER = Grant(Role.CASHIER, BOOTH)
KIND = {"Content-Type": "application/cloudevents-batch+json"}


def now() -> datetime:
    return datetime.now(UTC)


def a_report(qty: int, terminal: str = "T1") -> ProductionReported:
    return ProductionReported(facility=FACILITY, terminal=terminal, product="KTI", qty=qty, made_on=now().date())


def an_event(body: ProductionReported, id: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": f"terminal/{body.facility}/{body.terminal}",
        "type": "ProductionReported.v1",
        "time": envelope.rfc3339(now()),
        "partitionkey": body.facility,
        "data_base64": base64.b64encode(envelope.encode(body)).decode(),
    }


@asynccontextmanager
async def a_client(gateway: RunningGateway, *grants: Grant) -> AsyncIterator[httpx.AsyncClient]:
    headers = headers_of(grants)
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=40) as client:
        yield client


def route_of(url: str, *grants: Grant) -> GatewayRoute:
    return GatewayRoute(url, Bearer(GivenToken(token_of(*grants))))


async def pages(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """All items from this page on; the last page is not full."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        items += answer.json()
        if not answer.json():
            return items
        path = answer.links["next"]["url"]


async def test_a_record_comes_in_and_its_answer_goes_out(
    settings: Settings, run_service: RunService, probe: Probe, mongo: Mongo
) -> None:
    async with run_service("production"), a_gateway(with_access(settings), FixedKeys()) as gateway:
        async with a_client(gateway, STAFF) as client:
            sent = [an_event(a_report(5), "r1"), an_event(a_report(0), "r2"), an_event(a_report(7), "r1")]
            answer = await client.post("/intake", json=sent[:2], headers={**KIND, "Prefer": "wait=20"})
            assert [(row["id"], row["status"], row["outcome"]["type"]) for row in answer.json()] == [
                ("r1", "stored", "ReportAccepted.v1"),
                ("r2", "stored", "ReportRejected.v1"),
            ]
            # Sent again it counts once, and hears the same answer.
            again = await client.post("/intake", json=sent[:1], headers={**KIND, "Prefer": "wait=20"})
            assert again.json() == answer.json()[:1]
            # Another record with this id is a dead letter, as it would be from Kafka.
            await client.post("/intake", json=sent[2:], headers=KIND)
            await eventually(lambda: probe.dlq(TERMINAL), until=lambda letters: len(letters) == 1)

            news = await client.get(f"/facilities/{FACILITY}/news?topic={ANSWERS.name}")
            assert news.headers["content-type"] == "application/cloudevents-batch+json"
            assert [row["outcome"] for row in answer.json()] == news.json()
            accepted = news.json()[0]
            [record, *_] = await probe.read_all(ANSWERS)
            assert isinstance(record.body, ReportAccepted)
            assert accepted["data"] == record.body.model_dump(mode="json")
            assert (accepted["id"], accepted["source"]) == (record.event.id, record.event.source)
            assert accepted["recordedtime"] == envelope.rfc3339(record.event.logged_at)
            assert (await client.get(news.links["next"]["url"])).json() == []
        logged = await probe.read_all(TERMINAL)
        assert [record.event.id for record in logged] == ["r1", "r2", "r1", "r1"]
        assert {record.event.actor for record in logged} == {SUBJECT}
        assert await mongo.database("production")["lots"].count_documents({}) == 1
        async with a_client(gateway, CASHIER, Grant(Role.FACILITY_STAFF, "LP-KPG")) as stranger:
            for place in (f"/facilities/{FACILITY}/news", f"/facilities/{FACILITY}/news?booth={BOOTH}"):
                assert (await stranger.get(place)).status_code == 403
            assert (await stranger.get("/booths/ODOP.B08/news")).status_code == 403
            assert (await stranger.get(f"/booths/{BOOTH}/news")).status_code == 200


async def test_news_come_page_by_page_and_go_on_after_a_rebuild(settings: Settings, probe: Probe) -> None:
    async def say(topic: Topic, body: Body, id: str) -> None:
        await probe.send(topic, body, id=id, source="somebody")

    ids = [f"e{n}" for n in range(9)]
    async with a_gateway(settings) as gateway, httpx.AsyncClient(base_url=gateway.url, timeout=40) as client:
        for n, id in enumerate(ids[:6]):
            # A service that was killed publishes some events twice.
            for _ in range(1 + n % 2):
                await say(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot=f"L{n}", reason="x"), id)
            await say(BOOTH_STOCK, LotWithdrawn(booth="ODOP.B08", lot=f"L{n}", reason="x"), f"other-{n}")
        await gateway.caught_up()
        items = await pages(client, f"/booths/{BOOTH}/news?limit=2&topic={BOOTH_STOCK.name}")
        assert [item["id"] for item in items] == ids[:6]
        middle = await client.get(f"/booths/{BOOTH}/news?limit=3")
        after = middle.links["next"]["url"]
        assert [item["id"] for item in (await client.get(after)).json()] == ids[3:6]

        end = (await client.get(f"/booths/{BOOTH}/news")).links["next"]["url"]
        waiting = asyncio.create_task(client.get(end, headers={"Prefer": "wait=20"}))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await say(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot="L6", reason="x"), ids[6])
        async with asyncio.timeout(10):
            assert [item["id"] for item in (await waiting).json()] == [ids[6]]
        nothing = await client.get((await waiting).links["next"]["url"], headers={"Prefer": "wait=1"})
        assert nothing.json() == []
        for wrong in ("topic=karya.sales", "topic=", "after=x", "limit=0", "lot=L1"):
            assert (await client.get(f"/booths/{BOOTH}/news?{wrong}")).status_code == 422
    report = await compare(settings, "gateway")
    assert report.ok, report.as_dict()
    await rebuild(settings, "gateway")
    async with a_gateway(settings) as gateway, httpx.AsyncClient(base_url=gateway.url, timeout=40) as client:
        await say(BOOTH_STOCK, LotWithdrawn(booth=BOOTH, lot="L7", reason="x"), ids[7])
        await gateway.caught_up()
        assert [item["id"] for item in await pages(client, after)] == ids[3:8], "an older cursor goes on"


class Cuts:
    """Ways in which a network fails a device, one after the other."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @contextmanager
    def stalled(self) -> Iterator[None]:
        self._proxy.set_state(LinkState.STALLED)
        try:
            yield
        finally:
            self._proxy.cut()
            self._proxy.set_state(LinkState.OPEN)

    @contextmanager
    def without_answers(self) -> Iterator[None]:
        """What the device sends arrives, and no answer comes back."""
        self._proxy.set_state(LinkState.HALF_OPEN)
        try:
            yield
        finally:
            self._proxy.cut()
            self._proxy.set_state(LinkState.OPEN)


async def test_a_network_that_fails_loses_nothing_and_doubles_nothing(
    settings: Settings,
    run_service: RunService,
    probe: Probe,
    mongo: Mongo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "PATIENCE", 1.0)
    monkeypatch.setattr(gateway, "FIRST_WINDOW", 5)
    async with a_gateway(settings) as site, Proxy(int(site.url.rpartition(":")[2])) as proxy:
        cuts, route = Cuts(proxy), route_of(f"http://127.0.0.1:{proxy.port}", STAFF)
        with Terminal(tmp_path, FACILITY, "T1") as terminal:
            ids = []
            for failing in (cuts.stalled, cuts.without_answers, cuts.without_answers):
                ids += [terminal.record("KTI", 1, made_on=now().date(), at=now()).id for _ in range(12)]
                with failing(), pytest.raises(NotReached, match=r"does not answer \(no answer came in time\)"):
                    await terminal.sync(route, wait=0)
            with pytest.raises(NotReached, match="does not answer"):
                await terminal.sync(route_of("http://127.0.0.1:1"), wait=0)
            assert (await terminal.sync(route, wait=0)).sent > 0
            async with run_service("production"):
                report = await terminal.sync(route, wait=30)
            assert (report.unanswered, terminal.counts().pending) == (0, 0)
            assert {row.status for row in terminal.tracked_reports()} == {ReportStatus.ACCEPTED}
    logged = [record.event.id for record in await probe.read_all(TERMINAL)]
    assert list(dict.fromkeys(logged)) == ids
    assert len(logged) > len(ids), "some came again"
    assert await mongo.database("production")["lots"].count_documents({}) == len(ids)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that may be disturbed."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.mark.slow
async def test_while_kafka_does_not_answer_records_wait_in_the_device(
    own: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "APPENDED_WITHIN", 1.5)
    settings = settings_on(own, f"gateway{uuid4().hex[:8]}")
    await make_topics(settings)
    async with a_gateway(settings) as site, a_probe(settings) as probe:
        with Terminal(tmp_path, FACILITY, "T1") as terminal:
            ids = [
                terminal.record("KTI", 1, made_on=date(2026, 11, 30), at=now(), unlisted=True).id for _ in range(30)
            ]
            with frozen_server(own.kafka):
                for _ in range(2):
                    with pytest.raises(NotReached, match="30 records wait"):
                        await terminal.sync(route_of(site.url), wait=0)
            report = await terminal.sync(route_of(site.url), wait=0)
            assert (report.sent, terminal.counts().pending) == (30, 0)
        logged = [record.event.id for record in await probe.read_all(TERMINAL)]
        assert list(dict.fromkeys(logged)) == ids
