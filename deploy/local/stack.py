"""The local stack: one Kafka broker and one MongoDB-protocol server over one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local import kafka, mongo, process
from deploy.local.group import Group, ServerSpec, ServerStatus
from deploy.local.server import Server, StackError
from shared.wording import Message

__all__ = ["Addresses", "LocalStack", "ServerStatus", "StackError"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses for clients."""

    kafka: str
    mongo: str


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
    ) -> None:
        """`listeners`: additional listeners of the broker."""
        self.folder = folder.resolve()
        preferred = mongo.PREFERRED_PORT, kafka.PREFERRED_PORT
        mongo_preferred, kafka_preferred = preferred if keep_running else map(process.port_of_its_own, preferred)
        specs = (
            ServerSpec(mongo.MongoKind(self.folder / "mongo"), mongo_preferred, mongo_port),
            ServerSpec(kafka.KafkaKind(self.folder / "kafka", tuple(listeners)), kafka_preferred, kafka_port),
        )
        self._group = Group(self.folder, "stack", specs, tied=not keep_running)
        self.mongo, self.kafka = self._group.servers

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.mongo, self.kafka

    @property
    def addresses(self) -> Addresses:
        return Addresses(kafka=self.kafka.address, mongo=self.mongo.address)

    def start(self) -> Addresses:
        """Start the servers that do not run, wait until they serve, and return their addresses.

        A used folder gives servers with their data. When a server fails, the servers started here are stopped, and
        StackError names the failure.
        """
        self._group.start()
        return self.addresses

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
