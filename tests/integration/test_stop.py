"""SIGTERM: the batch in hand is finished, what it says is said, the lanes are free at once, the exit code is 0.

And all that within ten seconds, whatever the servers do: Docker kills then, and Kubernetes may be told to.
"""

import asyncio
import signal
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from shared.events.festival import ORGANISER
from shared.events.inventory import INVENTORY
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.step import Step
from shared.settings import Settings
from tests.support import loads
from tests.support.announced import FESTIVAL
from tests.support.lots import a_lot
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe, a_probe
from tests.support.running import ServiceProcess, end_open_transactions
from tests.support.selection import slow_but
from tests.support.servers import frozen_server, settings_on
from tests.support.undisturbed import all_worked, assert_undisturbed
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

WITHIN = 10.0
MUCH = 2000  # small batches make it last
# Far longer than any wait here: who gets lanes did not get them by a session's end.
LONG_SESSION_MS = 120_000


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that may be disturbed."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
async def place(own: LocalStack) -> Settings:
    """Topics and databases for one test on a stack that may be disturbed."""
    settings = settings_on(own, f"stop{uuid4().hex[:8]}")
    await make_topics(settings)
    return settings.model_copy(update={"max_batch": 50})


async def assert_ends_in_time(process: ServiceProcess) -> None:
    """It is asked to end, and does, with exit code 0."""
    process.child.send_signal(signal.SIGTERM)
    assert await process.ended(WITHIN) == 0, process.output


async def members(settings: Settings, service: Service) -> int:
    """How many instances Kafka takes for members of the service's group."""
    [line] = service._runtimes
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        [answer] = await admin.describe_consumer_groups([topic_name(settings, line.lanes.group)])
    finally:
        await admin.close()
    [(error, _group, _state, _type, _protocol, members, *_)] = answer.groups
    assert not error
    return len(members)


class HeldBack:
    """Every transaction waits; `in_hand` says that one does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.in_hand, self.release = asyncio.Event(), asyncio.Event()
        original = Step._attempt

        async def transact(*args: Any) -> Any:
            self.in_hand.set()
            await self.release.wait()
            return await original(*args)

        monkeypatch.setattr(Step, "_attempt", transact)


async def test_the_batch_in_hand_is_finished_and_what_it_says_is_said(
    settings: Settings, run_service: RunService, probe: Probe, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that it is for the stop to say what the batch says.
    monkeypatch.setattr(Relay, "run", block)
    async with run_service("inventory") as service:
        held_batch = HeldBack(monkeypatch)
        await probe.send_all([a_lot(1)])
        await held_batch.in_hand.wait()
        stopping = asyncio.create_task(service.stop())
        await eventually(service.stopping.is_set, equals=True)
        assert await members(settings, service) == 1
        held_batch.release.set()
        await stopping
        assert await members(settings, service) == 0
    database = mongo.database("inventory")
    assert await database["lots"].count_documents({}) == 1
    assert await database["outbox"].count_documents({}) == 0
    assert len(await probe.read_all(INVENTORY)) == 1


async def test_a_batch_that_does_not_end_is_left_to_the_next_owner(
    settings: Settings, run_service: RunService, probe: Probe, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.service.FINISH_WITHIN", 0.2)
    database = mongo.database("inventory")
    async with run_service("inventory") as service:
        held_batch = HeldBack(monkeypatch)
        await probe.send_all([a_lot(1)])
        await held_batch.in_hand.wait()
        await service.stop()
        assert await members(settings, service) == 0
    assert await database["lots"].count_documents({}) == 0
    held_batch.release.set()
    async with run_service("inventory"):
        await eventually(lambda: all_worked("inventory", settings, probe, database))
    assert len(await probe.read_all(INVENTORY)) == 1


async def test_of_a_batch_that_is_decided_for_long_only_what_is_in_a_transaction_is_finished(
    settings: Settings, run_service: RunService, probe: Probe, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.step.DECIDED_WITHIN", 0.0)
    database = mongo.database("inventory")
    many = [a_lot(n) for n in range(9)]
    await probe.send_all(many)
    held_batch = HeldBack(monkeypatch)
    async with run_service("inventory") as service:
        await held_batch.in_hand.wait()
        stopping = asyncio.create_task(service.stop())
        await eventually(lambda: service._runtimes[0].lanes.draining)
        held_batch.release.set()
        await stopping
        assert await members(settings, service) == 0
    assert await database["ledger"].count_documents({}) == 1
    async with run_service("inventory"):
        await eventually(lambda: all_worked("inventory", settings, probe, database))
    assert len(await probe.read_all(INVENTORY)) == len(many)


@pytest.mark.parametrize(
    "name", slow_but("inventory", among=["production", "inventory", "festival", "sales", "identity", "gateway"])
)
async def test_under_load_it_ends_in_time_and_the_next_has_its_lanes_at_once(
    name: str, settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    patient = settings.model_copy(update={"session_timeout_ms": LONG_SESSION_MS, "max_batch": 50})
    database = mongo.database(name)
    async with service_process(name, patient) as first:
        await loads.send_at_once(probe, loads.before(name))
        await eventually(lambda: all_worked(name, settings, probe, database), within=40)
        worked = await database["ledger"].count_documents({})
        # Not awaited before the end: a fast service would have worked all of it.
        sending = asyncio.create_task(loads.send_at_once(probe, islice(loads.after(name), MUCH)))
        await eventually(lambda: database["ledger"].count_documents({}), until=lambda now: now > worked, within=40)
        await assert_ends_in_time(first)
        await sending
    assert await database["outbox"].count_documents({}) == 0
    assert not await all_worked(name, settings, probe, database), "it was asked too late to prove anything"
    async with service_process(name, patient, ready=False):
        await eventually(lambda: all_worked(name, settings, probe, database), within=LONG_SESSION_MS / 2000)
    await assert_undisturbed(name, settings, probe, database)


@pytest.mark.parametrize("server", slow_but("mongo", among=["mongo", "kafka"]))
async def test_while_a_server_is_frozen_it_ends_in_time_and_nothing_is_lost(
    server: str, own: LocalStack, place: Settings, service_process: RunProcess
) -> None:
    mongo = Mongo(place)
    database = mongo.database("inventory")
    async with a_probe(place) as probe, service_process("inventory", place) as process:
        await loads.send_at_once(probe, loads.before("inventory"))
        await eventually(lambda: all_worked("inventory", place, probe, database), within=40)
        await loads.send_at_once(probe, islice(loads.after("inventory"), MUCH))
        await eventually(lambda: database["ledger"].count_documents({}), until=lambda now: now > loads.LOTS)
        with frozen_server(getattr(own, server)):
            await eventually(lambda: not_ready(process), until=lambda why: "does not answer" in why)
            await assert_ends_in_time(process)
        await end_open_transactions(place)
        async with service_process("inventory", place, ready=False):
            await eventually(lambda: all_worked("inventory", place, probe, database), within=60)
        await assert_undisturbed("inventory", place, probe, database)
    await mongo.close()


async def test_a_start_that_waits_for_a_server_is_given_up_in_time(
    own: LocalStack, place: Settings, service_process: RunProcess
) -> None:
    with frozen_server(own.mongo):
        async with service_process("inventory", place, ready=False) as process:
            await eventually(lambda: is_connected_to(own.mongo.port, process.pid))
            await assert_ends_in_time(process)


async def test_who_waits_for_an_outcome_is_answered_when_the_service_ends(
    own: LocalStack, place: Settings, service_process: RunProcess
) -> None:
    async with a_probe(place) as probe, service_process("festival", place) as process:
        with frozen_server(own.mongo):
            async with httpx.AsyncClient(base_url=process.url, timeout=60) as api:
                request = asyncio.create_task(api.post("/festivals", json=FESTIVAL, headers={"Prefer": "wait=30"}))
                await eventually(lambda: probe.records(ORGANISER), until=lambda records: len(records) == 1)
                await assert_ends_in_time(process)
                assert (await request).status_code == 202


async def block(_: object) -> None:
    await asyncio.Event().wait()


def is_connected_to(port: int, pid: int) -> bool:
    connections = psutil.Process(pid).net_connections("tcp")
    return any(
        connection.status == psutil.CONN_ESTABLISHED and connection.raddr.port == port for connection in connections
    )


async def not_ready(process: ServiceProcess) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(f"{process.url}/health/ready")).text
