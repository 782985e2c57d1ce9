"""A real Kafka and a real MongoDB server for all integration tests; topics and databases of its own for each."""

import shutil
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.stack import Stack, choose_stack
from shared.mongo import Mongo
from shared.settings import MongoDriver, Settings
from tests.support import running
from tests.support.outputs import new_folder
from tests.support.place import RunProcess, RunService, a_place
from tests.support.probe import Probe, a_probe
from tests.support.ways import NAMES, Way, a_way


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """Addresses of a Kafka and a MongoDB; `stack.local` has the servers themselves when they are local."""
    folder = new_folder(pytestconfig)
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


@pytest.fixture(params=NAMES)
async def way(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Way]:
    """A way between a device and the services. A test of a device is run with each of them."""
    async with a_way(request.param, settings) as way:
        yield way


@pytest.fixture
def run_service(settings: Settings) -> RunService:
    """`async with run_service("inventory") as service:` runs a service in this process."""
    return lambda name, settings=settings, **options: running.run_service(name, settings, **options)


@pytest.fixture
def service_process(settings: Settings, tmp_path: Path) -> RunProcess:
    """`async with service_process("inventory") as process:` runs a service as a process of its own."""
    run = partial(running.service_process, folder=tmp_path)
    return lambda name, settings=settings, *rest, **options: run(name, settings, *rest, **options)
