"""A service that can't work says so, and says so no longer once it can; one that never will again says that too."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaError
from pymongo.errors import AutoReconnect

from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from shared.errors import NotReached
from shared.events.production import PRODUCTION
from shared.http.server import NOT_STARTED
from shared.mongo import Mongo
from shared.runtime.service import Service
from shared.runtime.step import Step
from shared.runtime.storage import OutboxRecord, RuntimeStore
from shared.settings import Settings
from tests.support.lots import a_lot
from tests.support.place import RunProcess, RunService
from tests.support.probe import Probe, a_probe
from tests.support.running import ServiceProcess, service_process
from tests.support.running import run_service as running_service
from tests.support.servers import frozen_server, killed_server, settings_on
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that may be disturbed."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def reports_trouble(service: Service, words: str) -> bool:
    return any(words in trouble for trouble in service.readiness_failures())


@pytest.mark.slow
async def test_an_idle_service_whose_servers_are_gone_says_so_and_goes_on_when_they_are_back(own: LocalStack) -> None:
    settings = settings_on(own, "health")
    await make_topics(settings)
    async with running_service("inventory", settings) as service, a_probe(settings) as probe:
        with frozen_server(own.mongo):
            await eventually(lambda: reports_trouble(service, "MongoDB does not answer"), within=15)
            # A new process would find the same: an orchestrator must not start one.
            assert service.liveness_failures() == service.startup_failures() == []
        await eventually(service.readiness_failures, equals=[], within=40)
        with frozen_server(own.kafka):
            await eventually(lambda: reports_trouble(service, "Kafka does not answer"), within=15)
            assert service.liveness_failures() == service.startup_failures() == []
            with pytest.raises(NotReached):
                await service.append(PRODUCTION, "L1", b"{}", [("ce_id", b"x")])
        await eventually(service.readiness_failures, equals=[], within=60)
        await probe.send_all([a_lot(2)])
        lots = service.database["lots"]
        await eventually(lambda: lots.count_documents({}), equals=1, within=30)


async def test_services_whose_database_is_killed_call_themselves_ready_for_no_more_than_four_seconds(
    own: LocalStack,
) -> None:
    settings = settings_on(own, "killed")
    await make_topics(settings)
    async with running_service("festival", settings) as festival, running_service("sales", settings) as sales:
        assert festival.readiness_failures() == sales.readiness_failures() == []
        with killed_server(own.mongo):
            async with asyncio.timeout(4):
                for service in (festival, sales):
                    await eventually(lambda service=service: reports_trouble(service, "MongoDB does not answer"))
            assert festival.liveness_failures() == sales.liveness_failures() == []
        for service in (festival, sales):
            await eventually(service.readiness_failures, equals=[], within=40)


async def test_a_service_that_starts_before_its_servers_says_so_and_begins_when_they_are_there(
    own: LocalStack, tmp_path: Path
) -> None:
    settings = settings_on(own, "early")
    await make_topics(settings)
    own.mongo.kill()
    try:
        async with service_process("inventory", settings, folder=tmp_path, ready=False) as process:
            await eventually(process.port_file.exists)
            started = await eventually(
                lambda: health(process, "started"), until=lambda answer: answer.status_code == 503
            )
            assert "starting" in started.text
            own.mongo.start()
            await process.ready()
    finally:
        own.mongo.start()


async def test_a_service_whose_topics_are_wrong_ends_and_says_so(own: LocalStack, tmp_path: Path) -> None:
    settings = settings_on(own, "without-topics")
    async with service_process("inventory", settings, folder=tmp_path, ready=False) as process:
        assert await process.ended() == NOT_STARTED
        assert "karya topics" in process.log.read_text()


async def test_a_service_whose_polling_has_ended_says_so(run_service: RunService) -> None:
    async with run_service("inventory") as service:
        [line] = service._runtimes
        for task in line.subscriber.tasks:
            task.cancel()
        await eventually(service.readiness_failures, equals=[f"nobody polls Kafka for {line.lanes.group}"])


async def test_a_service_whose_polling_fails_again_and_again_says_so(
    run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.processor_runtime.SILENT", 2.0)
    async with run_service("inventory") as service:
        [line] = service._runtimes
        consumer = line.subscriber.consumer
        assert consumer is not None
        # What a bug in the client's coordination ends with: it polls, is refused, and tries again for ever.
        monkeypatch.setattr(consumer._coordinator, "check_errors", _raise_kafka_error)
        # It is told so while it waits for records, too.
        consumer._subscription.abort_waiters(KafkaError("made up for a test"))
        await eventually(lambda: reports_trouble(service, "was not polled"), within=20)
        assert [death for death in service.liveness_failures() if "was not polled" in death]


async def test_a_long_batch_is_no_death(
    run_service: RunService, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.processor_runtime.SILENT", 0.5)
    release = block_batches(monkeypatch)
    async with run_service("inventory") as service:
        await probe.send_all([a_lot(1)])
        await eventually(lambda: reports_trouble(service, "was not polled"))
        assert service.liveness_failures() == []
        release.set()
        await eventually(service.readiness_failures, equals=[])


async def test_a_process_whose_consumer_died_is_not_alive(
    service_process: RunProcess, tmp_path: Path, probe: Probe
) -> None:
    dies = tmp_path / "dies"
    command = ("-m", "tests.support.dying_consumer", "inventory", str(dies))
    async with service_process("inventory", command=command) as process:
        for ask in ("live", "started", "ready"):
            assert (await health(process, ask)).status_code == 200
        dies.touch()
        for ask in ("live", "started", "ready"):
            answer = await eventually(lambda ask=ask: health(process, ask), until=lambda a: a.status_code == 503)
            assert "nobody polls Kafka for" in answer.json()["detail"]


async def test_a_service_has_started_once_its_lanes_came_to_work_and_stays_so_when_they_wait_later(
    run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    original = RuntimeStore.lanes

    async def lanes(self: RuntimeStore, *args: Any) -> Any:
        if away:
            raise AutoReconnect("made up for a test")
        return await original(self, *args)

    monkeypatch.setattr(RuntimeStore, "lanes", lanes)
    async with run_service("inventory", ready=False) as service:
        [line] = service._runtimes
        waits = [f"{line.lanes.group} waits for its lanes"]
        await eventually(lambda: line.lanes.missing, until=bool)
        assert (service.startup_failures(), service.liveness_failures()) == (waits, [])
        away = False
        await eventually(service.startup_failures, equals=[])
        away = True
        line.lanes.invalidate(line.lanes.running)
        await eventually(lambda: reports_trouble(service, waits[0]))
        assert service.startup_failures() == []


async def test_a_service_that_lags_behind_is_not_ready_until_it_has_caught_up(
    settings: Settings, run_service: RunService, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = block_batches(monkeypatch)
    async with run_service("inventory", settings.model_copy(update={"most_lag_seconds": 1})) as service:
        await probe.send_all([a_lot(1), a_lot(2), a_lot(3)])
        await eventually(lambda: reports_trouble(service, "3 records have waited for karya.inventory"))
        assert service.liveness_failures() == service.startup_failures() == []
        release.set()
        await eventually(service.readiness_failures, equals=[])


async def test_a_relay_that_can_not_publish_is_said(
    run_service: RunService, probe: Probe, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.relay.ACKNOWLEDGED_WITHIN", 1.0)
    async with run_service("inventory") as service:
        monkeypatch.setattr("shared.runtime.batch.Batch._outbox_record", _to_nowhere)
        await probe.send_all([a_lot(1)])
        await eventually(lambda: reports_trouble(service, "can't be published"), within=40)
        assert await mongo.database("inventory")["outbox"].count_documents({}) > 0


def block_batches(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Every batch waits until the event is set."""
    release = asyncio.Event()
    original = Step.work

    async def work(*args: Any) -> None:
        await release.wait()
        await original(*args)

    monkeypatch.setattr(Step, "work", work)
    return release


async def health(process: ServiceProcess, ask: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=5) as client:
        return await client.get(f"{process.url}/health/{ask}")


def _raise_kafka_error() -> None:
    raise KafkaError("made up for a test")


def _to_nowhere(*_: object) -> object:
    return OutboxRecord("there-is-no-such-topic", None, b"x", b"{}", [])
