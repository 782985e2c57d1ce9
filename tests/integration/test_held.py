"""A lost till: what its key has signed is held, the booth settles without it, and a release lets it count."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.sync import GatewayRoute
from edge.till.basket import BasketEntry
from edge.till.till import Till
from ops.rebuild import compare, rebuild
from services.gateway.store import KNOWN_DEVICES
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.access.signatures import public_key_of
from shared.events.festival import BOOTH_STOCK, BoothClosing, BoothOpened, BoothStocked, Price
from shared.events.gateway import HELD_SALES
from shared.events.identity import IDENTITY, DeviceEnrolled, DeviceRevoked, Role
from shared.events.lot_number import LotNumber
from shared.events.sales import SETTLEMENTS, TILL, SettlementCorrected, SettlementIssued
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, headers_of, token_of, with_access
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually
from tests.support.ways import RunningGateway, a_gateway

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

BOOTH, PRICE, DAY = "ODOP.B07", 250_000, date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 1))
CASHIER, OPERATOR = Grant(Role.CASHIER, BOOTH), Grant(Role.OPERATOR)


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def a_client(gateway: RunningGateway, *grants: Grant) -> AsyncIterator[httpx.AsyncClient]:
    headers = headers_of(grants) | {"Prefer": "wait=20"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=40) as client:
        yield client


async def opened(probe: Probe) -> None:
    prices = (Price(product="KTI", price_rupiah=PRICE),)
    await probe.send(
        BOOTH_STOCK, BoothOpened(booth=BOOTH, festival="ODOP", name="Booth", prices=prices, tills=("T1",))
    )
    stocked = BoothStocked(
        booth=BOOTH, festival="ODOP", lot=LOT, facility="PR-KPG", product="KTI", made_on=DAY, qty=10
    )
    await probe.send(BOOTH_STOCK, stocked)


async def enrolled(probe: Probe, till: Till) -> str:
    public = public_key_of(till.spool.device_key())
    body = DeviceEnrolled(
        subject=public.device, public_key=public, role=Role.TILL, scope=BOOTH, name="T1", enrolled_at=now()
    )
    await probe.send(IDENTITY, body, source="karya/identity")
    return public.device


async def lost(probe: Probe, mongo: Mongo, device: str) -> None:
    revoked = DeviceRevoked(subject=device, reason="left in a bus", revoked_at=now())
    await probe.send(IDENTITY, revoked, source="karya/identity")
    documents = mongo.database("gateway")[KNOWN_DEVICES.name]
    await eventually(lambda: documents.count_documents({"revoked": True}), equals=1)


async def corrected(probe: Probe) -> list[int]:
    return [body.qty for body in await probe.bodies(SETTLEMENTS, SettlementCorrected)]


async def news_of(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    answer = await client.get(f"/booths/{BOOTH}/news?topic={HELD_SALES.name}", headers={"Prefer": ""})
    return [(item["type"], item["data"]["record"]) for item in answer.json()]


async def test_a_lost_till_is_held_and_the_booth_settles_without_it_until_an_operator_releases_it(
    settings: Settings, run_service: RunService, probe: Probe, mongo: Mongo, tmp_path: Path
) -> None:
    async with run_service("sales"), a_gateway(with_access(settings), FixedKeys()) as gateway:
        route = GatewayRoute(gateway.url, Bearer(GivenToken(token_of(CASHIER))))
        await opened(probe)
        with Till(tmp_path, BOOTH, "T1") as till:
            device = await enrolled(probe, till)
            documents = mongo.database("gateway")[KNOWN_DEVICES.name]
            await eventually(lambda: documents.count_documents({}), equals=1)
            till.sell([BasketEntry(LOT, 1, PRICE)], at=now())
            first = await till.sync(route, wait=20)
            assert (first.sent, first.unanswered) == (1, 0)
            await lost(probe, mongo, device)
            for qty in (2, 3):
                till.sell([BasketEntry(LOT, qty, PRICE)], at=now())
            till.close(at=now())
            for _ in range(2):
                # A device offers again what is held, and it is held once.
                report = await till.sync(route, wait=0)
                assert (report.sent, report.refused) == (0, 3)
            assert {refusal.status for refusal in till.spool.refusals().values()} == {"held"}
            ids = [record.id for record in till.spool.records()[1:]]

            # Nobody decides: the booth waits until its deadline, and no longer.
            deadline = now() + timedelta(seconds=1)
            await probe.send(BOOTH_STOCK, BoothClosing(booth=BOOTH, festival="ODOP", deadline=deadline))
            [issued] = await eventually(lambda: probe.bodies(SETTLEMENTS, SettlementIssued), until=len)
            assert issued.qty == 1

            async with a_client(gateway, OPERATOR) as operator, a_client(gateway, CASHIER) as cashier:
                assert (await cashier.get("/held")).status_code == 403
                assert (await cashier.post(f"/held/{BOOTH}/release", json={"device": device})).status_code == 403
                rows = await eventually(
                    lambda: held(operator, f"?device={device}"), until=lambda rows: len(rows) == 3
                )
                assert [(row["record"], row["status"], row["seq"]) for row in rows] == [
                    (id, "held", seq) for seq, id in enumerate(ids, 2)
                ]
                assert await held(operator, f"?status=released&place={BOOTH}") == []
                assert (await operator.get("/held?status=lost")).status_code == 422
                assert (await operator.post("/held/ODOP.B08/release", json={"device": device})).status_code == 409
                released = await operator.post(f"/held/{BOOTH}/release", json={"device": device})
                assert released.status_code == 200, released.text
                outcome = await operator.get(f"/commands/{released.json()['command']}")
                assert outcome.json()["status"] == "done"
                again = await operator.post(f"/held/{BOOTH}/release", json={"device": device})
                assert (again.status_code, again.json()["reason"]) == (409, "nothing_held")
                await eventually(lambda: corrected(probe), equals=[3, 6])
                expected = [("RecordHeld.v1", id) for id in ids] + [("HeldRecordReleased.v1", id) for id in ids]
                await eventually(lambda: news_of(cashier), equals=expected)

            # As the device has signed them, and in its order.
            logged = await probe.read_all(TILL)
            assert [getattr(entry.body, "seq", None) for entry in logged] == [1, 2, 3, 4]
            for entry, record in zip(logged, till.spool.records(), strict=True):
                assert entry.record.value == record.value
                assert dict(entry.record.headers) == {**dict(record.headers), "actor": SUBJECT.encode()}
            report = await till.sync(route, wait=0)
            assert (report.sent, report.refused, till.spool.counts().pending) == (3, 0, 0)
            await gateway.caught_up()
    assert len(await probe.read_all(TILL)) == 4
    for _ in range(2):
        rebuilt = await compare(settings, "gateway")
        assert rebuilt.ok, rebuilt.as_dict()
        await rebuild(settings, "gateway", switching=True)


async def held(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/held{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows
