"""The MongoDB client, for either driver."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias, cast

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.credentials import read_credentials
from shared.patches.pymongo import hold_no_lock_after_cancellation
from shared.settings import MongoDriver, Settings

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncDatabase[Document]
Session: TypeAlias = AsyncClientSession

SELECTED_WITHIN_MS = 3000
_SNAPSHOT = ReadConcern("snapshot")
_MAJORITY = WriteConcern("majority")


hold_no_lock_after_cancellation()


def mongo_access(settings: Settings) -> dict[str, Any]:
    """The options of MongoDB's clients that let them in: with credentials SCRAM over TLS. Raises BadSettings."""
    if settings.mongo_credentials is None:
        return {}
    credentials = read_credentials(settings.mongo_credentials)
    authorities = {"tlsCAFile": str(settings.mongo_ca)} if settings.mongo_ca is not None else {}
    return {"username": credentials.user, "password": credentials.password, "tls": True, **authorities}


class Mongo:
    """A client of MongoDB. Motor has the same calls, so its objects are typed as PyMongo's async ones."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadSettings when the credentials can't be read."""
        options: dict[str, Any] = {
            "tz_aware": True,
            "serverSelectionTimeoutMS": SELECTED_WITHIN_MS,
            # A server that accepts a call and never answers is a passing fault, too.
            "socketTimeoutMS": 30_000,
            # So is a wait for a connection: asyncio may lose the notification when another waiter is cancelled at
            # that moment (CPython issue 112202).
            "waitQueueTimeoutMS": 10_000,
            "w": "majority",
            # Outside transactions, too: a write that a failover rolls back must not be read, let alone published.
            "readConcernLevel": "majority",
            **mongo_access(settings),
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
        """A snapshot transaction. Leaving it commits with majority; an exception rolls it back."""
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
