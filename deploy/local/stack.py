"""The local stack: one Kafka broker and one MongoDB-protocol server over one folder."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from deploy.local import kafka, mongo, process
from deploy.local.server import Server, StackError

__all__ = ["Addresses", "LocalStack", "ServerStatus", "StackError"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients connect."""

    kafka: str
    mongo: str


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server as seen now; `pid` and `started_at` (Unix seconds) are None when it does not run."""

    name: str
    address: str
    alive: bool
    pid: int | None
    started_at: float | None


class LocalStack:
    """A Kafka broker and a MongoDB-protocol server whose data, logs and state are in `folder`.

    The state (process ids, ports) is kept in the folder: one process can start a stack and another stop it.
    Ports are wishes: a taken one is exchanged for a free one nearby. A folder keeps its ports over restarts.
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
    ) -> None:
        self.folder = folder.resolve()
        self._wished = {"kafka": kafka_port, "mongo": mongo_port}
        self.kafka = Server(
            kafka.Kafka(self.folder / "kafka"),
            port=kafka_port or kafka.PREFERRED_PORT,
            tied=not keep_running,
            changed=self._write_state,
        )
        self.mongo = Server(
            mongo.Mongo(self.folder / "mongo"),
            port=mongo_port or mongo.PREFERRED_PORT,
            tied=not keep_running,
            changed=self._write_state,
        )
        self._recall_state()

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.mongo, self.kafka

    @property
    def addresses(self) -> Addresses:
        return Addresses(kafka=f"127.0.0.1:{self.kafka.port}", mongo=mongo.address(self.mongo.port))

    def start(self) -> Addresses:
        """Start what does not run yet, wait until all of it serves, and say where.

        An empty folder gives empty servers, a used one gives them with their data. When one fails, those
        started here are ended and StackError tells which failed and why.
        """
        with self._alone():
            already_running = [server for server in self.servers if server.alive]
            try:
                for server in self.servers:
                    server.launch()
                for server in self.servers:
                    server.wait_ready()
            except BaseException:
                for server in self.servers:
                    if server not in already_running:
                        server.kill()
                raise
        return self.addresses

    def stop(self) -> None:
        """End both gracefully, by force when they take too long; can be repeated."""
        if not self.folder.exists():
            return
        with self._alone():
            for server in self.servers:
                server.terminate()
            for server in self.servers:
                server.await_end()

    def status(self) -> list[ServerStatus]:
        addresses = {"kafka": self.addresses.kafka, "mongo": self.addresses.mongo}
        return [
            ServerStatus(
                name=server.name,
                address=addresses[server.name],
                alive=server.alive,
                pid=(pid := server.pid),
                started_at=process.started_at(pid) if pid else None,
            )
            for server in self.servers
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the servers of a folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "stack.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._recall_state()
            yield

    @property
    def _state_file(self) -> Path:
        return self.folder / "stack.json"

    def _recall_state(self) -> None:
        try:
            state: dict[str, dict[str, Any]] = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return
        for server in self.servers:
            server.recall(**state[server.name])
            # A running server is where it is; for the next start the wish counts more than the past.
            if not server.alive:
                server.port = self._wished[server.name] or server.port

    def _write_state(self) -> None:
        state = {server.name: {"pid": server.recorded_pid, "port": server.port} for server in self.servers}
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(json.dumps(state, indent=2) + "\n")
        fresh.replace(self._state_file)
