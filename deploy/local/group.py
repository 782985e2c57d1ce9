"""Servers that belong together over one folder: started, stopped and remembered as one."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import process
from deploy.local.server import Kind, Server


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server as seen now; `pid` and `started_at` (Unix seconds) are None when it does not run."""

    name: str
    address: str
    alive: bool
    pid: int | None
    started_at: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server and the port it should have: `wished` by a person, else the `preferred` one."""

    kind: Kind
    preferred: int
    wished: int | None = None


class Group:
    """Servers whose state (process ids, ports) is kept in `<folder>/<name>.json`, so that one process can start
    them and another stop them. Ports are wishes: a taken one is exchanged for a free one nearby, and a folder
    keeps its ports over restarts. `tied` servers die with this process, however that ends (on Linux)."""

    def __init__(self, folder: Path, name: str, wanted: Sequence[Wanted], *, tied: bool) -> None:
        self._folder = folder
        self._name = name
        self._wished = {one.kind.name: one.wished for one in wanted}
        self.servers = tuple(
            Server(one.kind, port=one.wished or one.preferred, tied=tied, changed=self._write_state) for one in wanted
        )
        self._recall_state()

    def start(self) -> None:
        """Start what does not run yet and wait until all of it serves. When one fails, those started here are
        ended and StackError tells which failed and why."""
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

    def stop(self) -> None:
        """End all gracefully, by force those that take too long; can be repeated."""
        if not self._folder.exists():
            return
        with self._alone():
            for server in self.servers:
                server.terminate()
            for server in self.servers:
                server.await_end()

    def status(self) -> list[ServerStatus]:
        return [
            ServerStatus(
                name=server.name,
                address=server.address,
                alive=server.alive,
                pid=(pid := server.pid),
                started_at=process.started_at(pid) if pid else None,
            )
            for server in self.servers
        ]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the servers of a folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{self._name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._recall_state()
            yield

    @property
    def _state_file(self) -> Path:
        return self._folder / f"{self._name}.json"

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
