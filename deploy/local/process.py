"""Processes and ports of the machine: starting a server, identifying it, and finding its port."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

LAUNCHER = Path(__file__).with_name("launcher.py")
PORTS_AFTER_PREFERRED = 2000

# A JVM reads options from these variables. A local server must not depend on the caller's shell.
FOREIGN_OPTIONS = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")

# The kernel ties a child to the *thread* that started it, so one permanent thread starts all tied children.
_spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")


def spawn(command: Sequence[str], *, folder: Path, log: Path, tied: bool) -> subprocess.Popen[bytes]:
    """Start a server in its own session, which a terminal's Ctrl-C does not reach. Its output is appended to `log`.

    A `tied` server ends with this process, even when it is killed (Linux only); an untied one stays.
    """
    tie = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())] if tied else []
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_OPTIONS}

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*tie, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    return _spawner.submit(start).result()


def is_ours(pid: int, marker: str) -> bool:
    """Whether `pid` runs with `marker` among its arguments. A later program with the same pid has no such
    argument."""
    try:
        return marker in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def started_at(pid: int) -> float | None:
    """The start time of a process in Unix seconds, None when it has ended."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def variable(pid: int, name: str) -> str | None:
    """An environment variable of a process of ours, None if it lacks it or has ended."""
    try:
        return psutil.Process(pid).environ().get(name)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def is_suspended(pid: int) -> bool:
    """Whether the process is stopped by a signal, as by SIGSTOP or a terminal's Ctrl-Z."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def listens(pid: int, port: int) -> bool:
    """Whether this process listens on `port`, and not another one that took the port first."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port with connections in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def port_of_its_own(preferred: int) -> int:
    """A random port after the preferred one, for a server that ends with this process.

    A server that starts takes the preferred port first, also while another one is down between two starts. Clients of
    the one would then meet the other.
    """
    return preferred + 1 + random.randrange(PORTS_AFTER_PREFERRED)


def free_port(preferred: int, *, besides: Collection[int] = (), free: Callable[[int], bool] = is_free) -> int:
    """The preferred port, or a random free one of the 2,000 after it. Raises OSError when all of them are in use.

    The choice is random, so that stacks that start at the same time rarely collide. It is not the kernel's choice,
    since an outgoing connection may take an ephemeral port while its server restarts.
    """
    candidates = range(preferred + 1, preferred + 1 + PORTS_AFTER_PREFERRED)
    for port in (preferred, *random.sample(candidates, len(candidates))):
        if port not in besides and free(port):
            return port
    raise OSError(f"no free port from {preferred} to {candidates[-1]}")
