"""The one place that knows which MongoDB driver is in use."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias, cast

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.patches.pymongo import hold_no_lock_after_cancellation
from shared.settings import MongoDriver, Settings

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncDatabase[Document]
Session: TypeAlias = AsyncClientSession

_SNAPSHOT = ReadConcern("snapshot")
_MAJORITY = WriteConcern("majority")


hold_no_lock_after_cancellation()


class Mongo:
    """A connected driver. Motor answers the same calls, so its objects pass for PyMongo's async ones."""

    def __init__(self, settings: Settings) -> None:
        options: dict[str, Any] = {
            "tz_aware": True,
            "serverSelectionTimeoutMS": 3000,
            # A server that takes a call and never answers is a passing fault too, not a wait without end.
            "socketTimeoutMS": 30_000,
            # So is one that waits for a connection: asyncio may lose the word that there is one again when somebody
            # else who waits is cancelled at that moment (CPython issue 112202), and nobody would say it again.
            "waitQueueTimeoutMS": 10_000,
            "w": "majority",
            # Outside transactions too: what a failover takes back must not be seen, let alone be said.
            "readConcernLevel": "majority",
        }
        if settings.mongo_driver is MongoDriver.MOTOR:
            from motor.motor_asyncio import AsyncIOMotorClient

            motor = AsyncIOMotorClient(settings.mongo, **options)
            self._client = cast("AsyncMongoClient[Document]", motor)
            self._begin: Callable[[], AbstractAsyncContextManager[Session]] = self._begin_motor
        else:
            self._client = AsyncMongoClient(settings.mongo, **options)
            self._begin = self._begin_pymongo
        self._prefix = settings.database_prefix

    def database(self, service: str) -> Database:
        """The database of one service."""
        return self._client[f"{self._prefix}{service}"]

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """A snapshot transaction: commits (majority) when left, rolls back when left by an exception."""
        return self._begin()

    async def close(self) -> None:
        closing = self._client.close()
        if closing is not None:
            await closing

    @asynccontextmanager
    async def _begin_pymongo(self) -> AsyncIterator[Session]:
        async with (
            self._client.start_session() as session,
            await session.start_transaction(read_concern=_SNAPSHOT, write_concern=_MAJORITY),
        ):
            yield session

    @asynccontextmanager
    async def _begin_motor(self) -> AsyncIterator[Session]:
        client = cast("Any", self._client)
        async with (
            await client.start_session() as session,
            session.start_transaction(read_concern=_SNAPSHOT, write_concern=_MAJORITY),
        ):
            yield session
