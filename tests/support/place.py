"""Topics and databases of a test's own, and how services are run in them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient
from pymongo.errors import NetworkTimeout

from deploy.seed import set_up
from deploy.stack import Stack
from shared.runtime.service import Service
from shared.settings import MongoDriver, Settings
from tests.support import running
from tests.support.selection import slow_but

both_drivers = pytest.mark.parametrize("settings", slow_but("pymongo", among=MongoDriver), indirect=True)

RunService = Callable[..., AbstractAsyncContextManager[Service]]
RunProcess = Callable[..., AbstractAsyncContextManager[running.ServiceProcess]]


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
    await set_up(settings)
    try:
        yield settings
    finally:
        await _drop_databases(settings)
        await _delete_topics(settings)


async def _drop_databases(settings: Settings) -> None:
    # A drop waits for what a killed client left open, and the local server lets nobody else write meanwhile.
    await running.end_open_transactions(settings)
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
