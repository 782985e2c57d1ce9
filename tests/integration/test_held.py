"""Lost devices: what their keys have signed is held, a booth settles without it, and a release lets it count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.spool import Spool
from edge.sync import GatewayRoute
from edge.sync.gateway import RECORDS, as_event
from edge.sync.records_file import bring, export_unsent, read_records
from edge.terminal.terminal import Terminal
from edge.till.basket import BasketEntry
from edge.till.till import Till
from ops.rebuild import compare, rebuild
from ops.verify.signatures import signatures
from services.gateway.store import KNOWN_DEVICES
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.access.signatures import public_key_of
from shared.events.festival import BOOTH_STOCK, BoothClosing, BoothOpened, BoothStocked, Price
from shared.events.gateway import HELD_SALES
from shared.events.identity import IDENTITY, DeviceEnrolled, DeviceRevoked, Role
from shared.events.lot_number import LotNumber
from shared.events.production import TERMINAL
from shared.events.sales import SETTLEMENTS, TILL, SettlementCorrected, SettlementIssued
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, headers_of, token_of, with_access
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually
from tests.support.ways import RunningGateway, a_gateway

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FACILITY, BOOTH, PRICE, DAY = "PR-KPG", "ODOP.B07", 250_000, date(2023, 4, 18)
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


async def enrolled(probe: Probe, spool: Spool, role: Role, scope: str, name: str) -> str:
    public = public_key_of(spool.device_key())
    body = DeviceEnrolled(
        subject=public.device, public_key=public, role=role, scope=scope, name=name, enrolled_at=now()
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
            device = await enrolled(probe, till.spool, Role.TILL, BOOTH, "T1")
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
                for row, record in zip(rows, till.spool.records()[1:], strict=True):
                    assert row["bytes"] == len(record.value)
                    assert row["digest"] == sha256(record.value).hexdigest()
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

            # What was stored before the loss and comes again is held, and shown as stored: a refusal changes nothing.
            async with a_client(gateway, OPERATOR) as operator:
                copy = as_event(till.spool.records()[0])
                answer = await operator.post("/intake", json=[copy], headers={"Content-Type": RECORDS})
                assert [row["status"] for row in answer.json()] == ["held"]
                rows = await eventually(lambda: held(operator), until=lambda rows: len(rows) == 4)
                stored = {row["record"]: row["stored_before"] for row in rows}
                assert stored == {copy["id"]: True, **dict.fromkeys(ids, False)}
                of_copy = {"device": device, "record": copy["id"], "reason": "it counts already"}
                assert (await operator.post(f"/held/{BOOTH}/refuse", json=of_copy)).status_code == 200
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


async def test_a_file_of_a_lost_terminal_comes_in_by_an_operator_and_one_of_a_device_without_a_line_by_another_device(
    settings: Settings, probe: Probe, mongo: Mongo, tmp_path: Path
) -> None:
    """Records of T1 wait in a file when T1 is revoked. Those of T2 are sent by T3, which is enrolled there."""

    def sent_by(grant: Grant, file: Path) -> list[str]:
        auth = Bearer(GivenToken(token_of(grant)))
        with httpx.Client(base_url=gateway.url, auth=auth, timeout=40) as client:
            return [record.status for record in bring(client, read_records(file))]

    lost_file, other_file = tmp_path / "lost.json", tmp_path / "other.json"
    async with a_gateway(with_access(settings), FixedKeys()) as gateway:
        with Terminal(tmp_path, FACILITY, "T1") as first, Terminal(tmp_path, FACILITY, "T2") as second:
            devices = [await enrolled(probe, of.spool, Role.TERMINAL, FACILITY, of.name) for of in (first, second)]
            for terminal, file in ((first, lost_file), (second, other_file)):
                for qty in (1, 2, 3):
                    terminal.record("KTI", qty, made_on=DAY, at=now(), unlisted=True)
                assert export_unsent(terminal.spool, file) == 3
            await lost(probe, mongo, devices[0])
            ids = [record.id for record in first.spool.records()]
            values = {record.id: record.value for of in (first, second) for record in of.spool.records()}
        as_device, elsewhere = Grant(Role.TERMINAL, FACILITY), Grant(Role.TERMINAL, "LP-KPG")
        assert await asyncio.to_thread(sent_by, elsewhere, other_file) == ["refused"] * 3
        for _ in range(2):
            assert await asyncio.to_thread(sent_by, as_device, other_file) == ["stored"] * 3
            assert await asyncio.to_thread(sent_by, OPERATOR, lost_file) == ["held"] * 3
        async with a_client(gateway, OPERATOR) as operator:
            rows = await eventually(lambda: held(operator), until=lambda rows: len(rows) == 3)
            assert [row["record"] for row in rows] == ids
            of_device = {"device": devices[0]}
            answer = await operator.post(
                f"/held/{FACILITY}/refuse", json={**of_device, "record": ids[1], "reason": "made up"}
            )
            assert answer.status_code == 200, answer.text
            answer = await operator.post(f"/held/{FACILITY}/release", json=of_device)
            assert answer.status_code == 200, answer.text
            assert await asyncio.to_thread(sent_by, OPERATOR, lost_file) == ["stored", "refused", "stored"]
            answer = await operator.post(f"/held/{FACILITY}/release", json={**of_device, "record": ids[1]})
            assert answer.status_code == 200, answer.text
        released = [ids[0], ids[2], ids[1]]
        await eventually(lambda: of_terminals(probe, ids), equals=released)
        await gateway.caught_up()
    for entry in await probe.read_all(TERMINAL):
        assert entry.record.value == values[entry.event.id]
    report = await signatures(settings)
    assert (report.ok, report.looked_at, report.notes) == (True, 9, []), report.broken
    rebuilt = await compare(settings, "gateway")
    assert rebuilt.ok, rebuilt.as_dict()


async def of_terminals(probe: Probe, ids: list[str]) -> list[str]:
    """Those of the records that the topic of terminals has, in its order."""
    return [entry.event.id for entry in await probe.read_all(TERMINAL) if entry.event.id in ids]
