"""A server that faults kill and start again, also when they overlap."""

import asyncio
from typing import Protocol


class Killed(Protocol):
    """What an outage needs of a server."""

    @property
    def name(self) -> str: ...

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Outage:
    """It is started again once the last of the faults that killed it is over. A kill waits until a start that is
    under way has come to its end: killed in the middle, the start would report a server that can't start."""

    def __init__(self, server: Killed) -> None:
        self._server = server
        self._one = asyncio.Lock()
        self._faults = 0

    async def begin(self) -> None:
        """Kill the server, if it lives."""
        async with self._one:
            self._faults += 1
            await asyncio.to_thread(self._server.kill)

    async def end(self) -> None:
        """This fault is over; raises StackError when the server does not start."""
        async with self._one:
            self._faults -= 1
            if not self._faults:
                await asyncio.to_thread(self._server.start)
