"""The environment of a bench: real servers, with isolated topics and databases for each measurement."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from pymongo import AsyncMongoClient

from deploy.seed import set_up
from deploy.stack import Stack
from lab.bench.meter import cpu_seconds
from shared.kafka_connection import administrator
from shared.settings import AccessControl, Settings

PARTITIONS = 12


class BenchEnvironment:
    """A folder for the logs of processes, and a stack that starts when a bench first needs it."""

    def __init__(self, folder: Path, start_stack: Callable[[], Stack]) -> None:
        self.folder = folder
        self._start_stack = start_stack

    @cached_property
    def stack(self) -> Stack:
        return self._start_stack()

    @property
    def servers_are_ours(self) -> bool:
        """Whether no server runs outside of this process and its children."""
        return "stack" not in vars(self) or self.stack.local is not None

    @asynccontextmanager
    async def namespace(self, partitions: int = PARTITIONS) -> AsyncIterator[Settings]:
        """Settings with empty topics and databases; the block's end removes them."""
        name = f"b{uuid4().hex[:8]}"
        settings = Settings(
            kafka=self.stack.kafka,
            mongo=self.stack.mongo,
            topic_prefix=f"{name}.",
            database_prefix=f"{name}_",
            partitions=partitions,
            log_level="WARNING",
            http_host="127.0.0.1",
            http_port=0,
            # What is measured runs without identity.
            access=AccessControl.OPEN,
        )
        await set_up(settings)
        try:
            yield settings
        finally:
            await _remove(settings)

    def server_cpu_seconds(self) -> float | None:
        """CPU seconds of the servers so far; None when they are not processes of this machine."""
        if self.stack.local is None:
            return None
        return cpu_seconds(server.pid for server in self.stack.local.servers if server.pid is not None)


async def _remove(settings: Settings) -> None:
    async with AsyncMongoClient[dict[str, object]](settings.mongo) as client:
        for name in await client.list_database_names():
            if name.startswith(settings.database_prefix):
                await client.drop_database(name)
    admin = administrator(settings)
    await admin.start()
    try:
        topics = [name for name in await admin.list_topics() if name.startswith(settings.topic_prefix)]
        await admin.delete_topics(topics, timeout_ms=30_000)
    finally:
        await admin.close()
