"""A server that faults kill and start again, also when they overlap."""

import asyncio
from typing import Protocol


class KillableServer(Protocol):
    """The part of a server that an outage uses."""

    @property
    def name(self) -> str: ...

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Outage:
    """Kills a server, and starts it again after the last fault that killed it.

    A kill waits until a running start has finished: a server killed in the middle of its start would be reported as
    one that can't start.
    """

    def __init__(self, server: KillableServer) -> None:
        self._server = server
        self._lock = asyncio.Lock()
        self._faults = 0

    async def begin(self) -> None:
        """Kill the server, if it is alive."""
        async with self._lock:
            self._faults += 1
            await asyncio.to_thread(self._server.kill)

    async def end(self) -> None:
        """End one fault. Raises StackError when the server does not start."""
        async with self._lock:
            self._faults -= 1
            if not self._faults:
                await asyncio.to_thread(self._server.start)
