"""A real Kafka and a real MongoDB server for all integration tests; topics and databases of its own for each."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient
from pymongo.errors import NetworkTimeout

from deploy.stack import Stack, choose_stack
from deploy.topics import make_topics
from shared.mongo import Mongo
from shared.runtime.service import Service
from shared.settings import MongoDriver, Settings
from tests.integration import running
from tests.integration.probe import Probe, a_probe

FOLDER = Path(__file__).parents[2] / ".karya" / "test"

RunService = Callable[..., AbstractAsyncContextManager[Service]]
RunProcess = Callable[..., AbstractAsyncContextManager[running.ServiceProcess]]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Addresses of a Kafka and a MongoDB; `stack.local` has the servers themselves when they are local."""
    folder = FOLDER / uuid4().hex[:8]
    try:
        with choose_stack(folder) as stack:
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def settings(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    """Settings with topics and databases that no other test knows; all topics are made, and all is removed after.

    The driver is PyMongo, or what an indirect parameter says:
    `@pytest.mark.parametrize("settings", ["pymongo", "motor"], indirect=True)`.
    """
    async with a_place(stack, MongoDriver(getattr(request, "param", MongoDriver.PYMONGO))) as settings:
        yield settings


@asynccontextmanager
async def a_place(stack: Stack, driver: MongoDriver = MongoDriver.PYMONGO) -> AsyncIterator[Settings]:
    """Topics and databases of its own as long as the block lasts."""
    mark = uuid4().hex[:8]
    settings = Settings(
        kafka=stack.kafka,
        mongo=stack.mongo,
        mongo_driver=driver,
        topic_prefix=f"t{mark}.",
        database_prefix=f"t{mark}_",
        partitions=3,
        session_timeout_ms=6000,
        http_host="127.0.0.1",
        http_port=0,
    )
    await make_topics(settings)
    try:
        yield settings
    finally:
        await _drop_databases(settings)
        await _delete_topics(settings)


@pytest.fixture
async def mongo(settings: Settings) -> AsyncIterator[Mongo]:
    """`mongo.database("inventory")` is what that service keeps in this test."""
    mongo = Mongo(settings)
    yield mongo
    await mongo.close()


@pytest.fixture
async def probe(settings: Settings) -> AsyncIterator[Probe]:
    async with a_probe(settings) as probe:
        yield probe


@pytest.fixture
def run_service(settings: Settings) -> RunService:
    """`async with run_service("inventory") as service:` runs a service in this process."""
    return lambda name, settings=settings, **options: running.run_service(name, settings, **options)


@pytest.fixture
def service_process(settings: Settings, tmp_path: Path) -> RunProcess:
    """`async with service_process("inventory") as process:` runs a service as a process of its own."""
    run = partial(running.service_process, folder=tmp_path)
    return lambda name, settings=settings, *rest, **options: run(name, settings, *rest, **options)


async def _drop_databases(settings: Settings) -> None:
    # A drop waits for what a killed client left open, and the local server lets nobody else write meanwhile.
    await running.let_go_of_the_dead(settings)
    async with AsyncMongoClient[dict[str, object]](settings.mongo, socketTimeoutMS=20_000) as client:
        try:
            for name in await client.list_database_names():
                if name.startswith(settings.database_prefix):
                    await client.drop_database(name)
        except NetworkTimeout as fault:
            # Every later test would wait for it in vain, for hours in all.
            pytest.exit(f"MongoDB does not answer any more: {fault}", returncode=1)


async def _delete_topics(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        ours = [name for name in await admin.list_topics() if name.startswith(settings.topic_prefix)]
        if ours:
            await admin.delete_topics(ours, timeout_ms=30_000)
    finally:
        await admin.close()
