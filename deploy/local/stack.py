"""The local stack: one Kafka broker and one MongoDB-protocol server over one folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from deploy.local import kafka, mongo, process
from deploy.local.group import Group, ServerSpec, ServerStatus
from deploy.local.server import Server, StackError
from deploy.secure.files import ADMINISTRATOR
from deploy.secure.users import ServerSecrets
from shared.settings import Settings
from shared.translation import tr
from shared.wording import Message

__all__ = ["Addresses", "LocalStack", "ServerStatus", "StackError"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses for clients, and in a secured stack the secrets by which it knows them."""

    kafka: str
    mongo: str
    secrets: ServerSecrets | None = None

    def settings(self, principal: str = ADMINISTRATOR) -> Settings:
        """The settings of this principal; without secrets all have the same."""
        # The environment may name the credentials of another stack, which these servers don't know.
        open_settings = Settings(
            kafka=self.kafka,
            mongo=self.mongo,
            kafka_credentials=None,
            kafka_ca=None,
            mongo_credentials=None,
            mongo_ca=None,
        )
        return self.as_principal(principal, open_settings)

    def as_principal(self, principal: str, settings: Settings) -> Settings:
        """These settings with the credentials of this principal, if there are any."""
        return settings if self.secrets is None else self.secrets.of(principal, settings)


class LocalStack:
    """A Kafka broker and a MongoDB-protocol server whose data, logs and state are in `folder`.

    With `keep_running` the servers outlive this process; else they end with it, even when it is killed (on Linux). As
    a context manager it starts and stops them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka_port: int | None = None,
        mongo_port: int | None = None,
        keep_running: bool = False,
        listeners: Sequence[kafka.Listener] = (),
        secure: bool = False,
    ) -> None:
        """`listeners`: additional listeners of the broker. `secure`: TLS, and known users only. A folder stays as it
        was when it was first used: StackError is raised for one that began without."""
        self.folder = folder.resolve()
        self.secrets = self._secrets(secure=secure)
        preferred = mongo.PREFERRED_PORT, kafka.PREFERRED_PORT
        mongo_preferred, kafka_preferred = preferred if keep_running else map(process.port_of_its_own, preferred)
        database = mongo.MongoKind(self.folder / "mongo", self.secrets)
        broker = kafka.KafkaKind(self.folder / "kafka", tuple(listeners), self.secrets)
        specs = (
            ServerSpec(database, mongo_preferred, mongo_port),
            ServerSpec(broker, kafka_preferred, kafka_port),
        )
        self._group = Group(self.folder, "stack", specs, tied=not keep_running)
        self.mongo, self.kafka = self._group.servers

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.mongo, self.kafka

    @property
    def addresses(self) -> Addresses:
        return Addresses(kafka=self.kafka.address, mongo=self.mongo.address, secrets=self.secrets)

    def start(self) -> Addresses:
        """Start the servers that do not run, wait until they serve, and return their addresses.

        A used folder gives servers with their data. When a server fails, the servers started here are stopped, and
        StackError names the failure.
        """
        if self.secrets is None:
            self._group.start()
            return self.addresses
        # Imported here, since it takes longer than a server's start, and a stack without users needs none of it.
        from deploy.secure.admission import admit_all
        from deploy.secure.certificates import prepare

        # The servers' data have keys and hashes, which another user of this machine must not read.
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        prepare(self.secrets.folder, datetime.now(UTC))
        self._group.start()
        # In a separate thread, since the caller may run inside an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, admit_all(self.addresses.settings(), self.secrets)).result()
        return self.addresses

    def _secrets(self, *, secure: bool) -> ServerSecrets | None:
        folder = self.folder / "secrets"
        if secure and not folder.exists() and (self.folder / "kafka").exists():
            message = tr("The data in {folder} were made without users.", folder=str(self.folder))
            raise StackError(message)
        return ServerSecrets(folder) if secure or folder.exists() else None

    def stop(self) -> None:
        """Stop both servers gracefully, and by force after a timeout. Safe to repeat."""
        self._group.stop()

    def status(self) -> list[ServerStatus]:
        return self._group.status()

    def troubles(self) -> dict[str, Message | None]:
        """Why each server does not work now; None for one that does."""
        return self._group.troubles()

    def restart(self, name: str) -> None:
        """Stop one server and start it again over its data. Raises StackError."""
        self._group.restart(name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
