"""One server process: start, wait for readiness, stop, kill, and restart over the same data."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil

from deploy.local import process
from shared.errors import KaryaError
from shared.wording import Message

START_SECONDS = 90.0
STOP_SECONDS = 15.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02
PORT_ATTEMPTS = 8
LOG_TAIL_LINES = 25


class StackError(KaryaError):
    """A local server did not start, become ready or end. The message names it and shows its log."""


class ServerKind(Protocol):
    """The specifics of a server: its command, its address, and its readiness check."""

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path:
        """The server's own folder: configuration, data, log."""

    @property
    def marker(self) -> str:
        """An argument of the command that no other server has."""

    def address(self, port: int) -> str:
        """Where clients connect."""

    def command(self, port: int) -> list[str]:
        """Prepare the folder for this port, and return the start command."""

    def not_ready(self, port: int) -> str | None:
        """Probe the listening server once: None when it serves, else the reason."""

    def trouble(self, port: int) -> Message | None:
        """Ask the running server for its health, for at most some three seconds: None if it works, else the
        reason. It changes nothing."""


class Server:
    """A server of the stack. Not safe for two threads at once."""

    def __init__(self, kind: ServerKind, *, port: int, tied: bool, on_change: Callable[[], None]) -> None:
        self.kind = kind
        self.port = port
        self._pid: int | None = None
        self._tied = tied
        self._on_change = on_change
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def recall(self, *, pid: int | None, port: int) -> None:
        """Take over the state of this server that another process has written."""
        if not self.alive:
            self._pid, self._child, self.port = pid, None, port

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def address(self) -> str:
        return self.kind.address(self.port)

    @property
    def log(self) -> Path:
        return self.kind.folder / "server.log"

    @property
    def pid(self) -> int | None:
        """The process id of the running server, None when it does not run."""
        return self._pid if self.alive else None

    @property
    def recorded_pid(self) -> int | None:
        return self._pid

    @property
    def alive(self) -> bool:
        if self._pid is None:
            return False
        if self._child is not None:
            return self._child.poll() is None
        return process.is_ours(self._pid, self.kind.marker)

    def start(self) -> None:
        """Start the server (unless it runs) and wait until it serves. Raises StackError."""
        self.launch()
        self.wait_ready()

    def launch(self) -> bool:
        """Start the server without waiting; False if it runs already. A port in use is replaced by a free one."""
        if self.alive:
            return False
        self.port = process.free_port(self.port)
        self.kind.folder.mkdir(parents=True, exist_ok=True)
        command = self.kind.command(self.port)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._child = process.spawn(command, folder=self.kind.folder, log=self.log, tied=self._tied)
        self._pid = self._child.pid
        self._on_change()
        return True

    def wait_ready(self) -> None:
        """Wait until the server serves. Raises StackError with the end of the log when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        attempts = 1
        failure: str | None = "it has not opened its port"
        while failure is not None:
            if not self.alive:
                if attempts == PORT_ATTEMPTS or not self._lost_its_port():
                    raise self._error("ended while starting")
                attempts += 1
                self.launch()
            if time.monotonic() > deadline:
                raise self._error(f"was not ready after {START_SECONDS:.0f} s: {failure}")
            if self._pid is not None and process.listens(self._pid, self.port):
                failure = self.kind.not_ready(self.port)
            if failure is not None:
                time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server gracefully, and by force after 15 s. No effect when it does not run."""
        self.terminate()
        self.await_end()

    def terminate(self) -> None:
        """Ask the server to end, without waiting."""
        if running := self._running():
            running.terminate()

    def await_end(self) -> int | None:
        """Wait until the server ends, and kill it after 15 s. Raises StackError when even that fails. Returns the
        exit code (negative: the signal that ended it), None if it is unknown."""
        code: int | None = None
        if running := self._running():
            try:
                code = running.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                self.kill()
                return -signal.SIGKILL
        child_code = self._ended()
        return child_code if code is None else code

    def kill(self) -> None:
        """Kill the server at once (SIGKILL), like a power cut."""
        if running := self._running():
            running.kill()
            try:
                running.wait(KILL_SECONDS)
            except psutil.TimeoutExpired:
                raise self._error("did not end, not even by SIGKILL") from None
        self._ended()

    def freeze(self) -> None:
        """Suspend the server (SIGSTOP): it keeps its connections and answers nothing."""
        if running := self._running():
            running.suspend()

    def thaw(self) -> None:
        """Resume the server (SIGCONT), if it runs."""
        if running := self._running():
            running.resume()

    def trouble(self) -> Message | None:
        """Why the server does not work now, or None if it does."""
        pid = self.pid
        if pid is None:
            return Message("it does not run")
        trouble = self.kind.trouble(self.port)
        if trouble is not None and process.is_suspended(pid):
            return Message(
                "its process {process} is suspended (`kill -CONT {process}` resumes it): {trouble}",
                process=pid,
                trouble=trouble,
            )
        return trouble

    def _lost_its_port(self) -> bool:
        """Whether another process took the port between the check and the start."""
        return not process.is_free(self.port) or "address already in use" in self._output().lower()

    def _output(self) -> str:
        """The server's output since its last start."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    def _running(self) -> psutil.Process | None:
        if not self.alive:
            return None
        try:
            return psutil.Process(self._pid)
        except psutil.NoSuchProcess:
            return None

    def _ended(self) -> int | None:
        code = self._child.wait() if self._child is not None else None
        if self._pid is not None:
            self._pid = self._child = None
            self._on_change()
        return code

    def _error(self, failure: str) -> StackError:
        lines = self._output().splitlines()[-LOG_TAIL_LINES:]
        tail = "\n".join(f"  | {line}" for line in lines) or "  (its log is empty)"
        return StackError(f"{self.name} on port {self.port} {failure}. The end of {self.log}:\n{tail}")
