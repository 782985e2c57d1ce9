"""A service that can't work says so, and says so no longer once it can."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from aiokafka.errors import KafkaError

from deploy.local.server import Server
from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from shared.errors import NotReached
from shared.events.production import PRODUCTION
from shared.ledger import Outgoing
from shared.mongo import Mongo
from shared.service import Service
from shared.settings import Settings
from tests.integration.conftest import RunService
from tests.integration.probe import Probe, a_probe
from tests.integration.running import run_service as running_service
from tests.integration.test_step import a_lot, send
from tests.integration.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that may be disturbed."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server takes connections and never answers."""
    [process] = [one for one in psutil.process_iter(["cmdline"]) if server.kind.marker in (one.info["cmdline"] or ())]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def says(service: Service, words: str) -> bool:
    return any(words in trouble for trouble in service.troubles())


async def test_an_idle_service_whose_servers_are_gone_says_so_and_goes_on_when_they_are_back(own: LocalStack) -> None:
    settings = Settings(
        kafka=own.addresses.kafka,
        mongo=own.addresses.mongo,
        partitions=2,
        topic_prefix="health.",
        database_prefix="health_",
        session_timeout_ms=6000,
    )
    await make_topics(settings)
    async with running_service("inventory", settings) as service, a_probe(settings) as probe:
        with frozen(own.mongo):
            await eventually(lambda: says(service, "MongoDB does not answer"), within=15)
        await eventually(service.troubles, equals=[], within=40)
        with frozen(own.kafka):
            await eventually(lambda: says(service, "Kafka does not answer"), within=15)
            with pytest.raises(NotReached):
                await service.append(PRODUCTION, "L1", b"{}", [("ce_id", b"x")])
        await eventually(service.troubles, equals=[], within=60)
        await send(probe, [a_lot(2)])
        lots = service.database["lots"]
        await eventually(lambda: lots.count_documents({}), equals=1, within=30)


async def test_a_service_whose_polling_has_ended_says_so(run_service: RunService) -> None:
    async with run_service("inventory") as service:
        [line] = service._lines
        for task in line.subscriber.tasks:
            task.cancel()
        await eventually(service.troubles, equals=[f"nobody polls Kafka for {line.lanes.group}"])


async def test_a_service_whose_polling_fails_again_and_again_says_so(
    run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.service.SILENT", 2.0)
    async with run_service("inventory") as service:
        [line] = service._lines
        consumer = line.subscriber.consumer
        assert consumer is not None
        # What a bug in the client's coordination ends with: it polls, is refused, and tries again for ever.
        monkeypatch.setattr(consumer._coordinator, "check_errors", _refuse)
        await eventually(lambda: says(service, "was not polled"), within=20)


async def test_a_relay_that_can_not_publish_is_said(
    run_service: RunService, probe: Probe, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_service("inventory") as service:
        monkeypatch.setattr("shared.batch.Batch._outgoing", _to_nowhere)
        await send(probe, [a_lot(1)])
        await eventually(lambda: says(service, "can't be published"), within=40)
        assert await mongo.database("inventory")["outbox"].count_documents({}) > 0


def _refuse() -> None:
    raise KafkaError("made up for a test")


def _to_nowhere(*_: object) -> object:
    return Outgoing("there-is-no-such-topic", None, b"x", b"{}", [])
