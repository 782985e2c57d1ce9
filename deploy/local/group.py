"""A group of servers over one folder, started and stopped together, with its state in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import process
from deploy.local.server import Server, ServerKind
from shared import file_locks
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The state of one server; `pid` and `started_at` (Unix seconds) are None when it does not run."""

    name: str
    address: str
    alive: bool
    pid: int | None
    started_at: float | None


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A server to run, with its `preferred` port and the port `wished` by a person, if any."""

    kind: ServerKind
    preferred: int
    wished: int | None = None


class Group:
    """Servers whose process ids and ports are kept in `<folder>/<name>.json`, so that one process can start them and
    another can stop them. A port that is in use is replaced by a free one nearby. A folder keeps its ports over
    restarts. `tied` servers end with this process, even when it is killed (on Linux)."""

    def __init__(self, folder: Path, name: str, specs: Sequence[ServerSpec], *, tied: bool) -> None:
        self._folder = folder
        self._name = name
        self._wished = {spec.kind.name: spec.wished for spec in specs}
        self.servers = tuple(
            Server(spec.kind, port=spec.wished or spec.preferred, tied=tied, on_change=self._write_state)
            for spec in specs
        )
        self._recall_state()

    def start(self) -> None:
        """Start the servers that do not run, and wait until all of them serve. When one fails, the servers started
        here are stopped, and StackError names the failure."""
        with self._locked():
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
        """Stop all servers gracefully, and by force after a timeout. Safe to repeat."""
        if not self._folder.exists():
            return
        with self._locked():
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

    def troubles(self) -> dict[str, Message | None]:
        """Why each server does not work now; None for one that does. All are asked at the same time."""
        with ThreadPoolExecutor(len(self.servers)) as threads:
            troubles = list(threads.map(Server.trouble, self.servers))
        return {server.name: trouble for server, trouble in zip(self.servers, troubles, strict=True)}

    def restart(self, name: str) -> None:
        """Stop one server, by force after a timeout, start it again and wait until it serves. Raises StackError."""
        with self._locked():
            [server] = [server for server in self.servers if server.name == name]
            # A suspended process would never see that it is asked to end.
            server.thaw()
            server.stop()
            server.start()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A lock, under which one process at a time starts or stops the servers of a folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{self._name}.lock").open("w") as lock:
            file_locks.lock(lock)
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
            # A former version may not have had this server.
            if server.name in state:
                server.recall(**state[server.name])
            # A running server keeps its port. At the next start a wished port has priority over the last one.
            if not server.alive:
                server.port = self._wished[server.name] or server.port

    def _write_state(self) -> None:
        state = {server.name: {"pid": server.recorded_pid, "port": server.port} for server in self.servers}
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(json.dumps(state, indent=2) + "\n")
        fresh.replace(self._state_file)
