"""The local stack: one Kafka broker and one MongoDB-protocol server over one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local import kafka, mongo
from deploy.local.group import Group, ServerStatus, Wanted
from deploy.local.server import Server, StackError

__all__ = ["Addresses", "LocalStack", "ServerStatus", "StackError"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients connect."""

    kafka: str
    mongo: str


class LocalStack:
    """A Kafka broker and a MongoDB-protocol server whose data, logs and state are in `folder`.

    With `keep_running` the servers stay when this process ends; else they die with it, even when it is killed
    (on Linux). As a context manager it starts and stops.
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
        """`listeners`: further doors of the broker."""
        self.folder = folder.resolve()
        wanted = (
            Wanted(mongo.Mongo(self.folder / "mongo"), mongo.PREFERRED_PORT, mongo_port),
            Wanted(kafka.Kafka(self.folder / "kafka", tuple(listeners)), kafka.PREFERRED_PORT, kafka_port),
        )
        self._group = Group(self.folder, "stack", wanted, tied=not keep_running)
        self.mongo, self.kafka = self._group.servers

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.mongo, self.kafka

    @property
    def addresses(self) -> Addresses:
        return Addresses(kafka=self.kafka.address, mongo=self.mongo.address)

    def start(self) -> Addresses:
        """Start what does not run yet, wait until all of it serves, and say where.

        An empty folder gives empty servers, a used one gives them with their data. When one fails, those
        started here are ended and StackError tells which failed and why.
        """
        self._group.start()
        return self.addresses

    def stop(self) -> None:
        """End both gracefully, by force when they take too long; can be repeated."""
        self._group.stop()

    def status(self) -> list[ServerStatus]:
        return self._group.status()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
