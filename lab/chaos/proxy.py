"""A TCP proxy before a server or a service. Its connections can be cut, stalled, slowed or left half open."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Self

CHUNK = 64 * 1024


class LinkState(StrEnum):
    """The proxy's treatment of bytes. `STALLED`: no byte passes, connections stay. `HALF_OPEN`: the server's bytes
    are dropped. `SLOW`: each chunk waits. A cut is an event, not a state."""

    OPEN = "open"
    STALLED = "stalled"
    SLOW = "slow"
    HALF_OPEN = "half open"


class Proxy:
    """Listens on its own loopback port and forwards to `port`, or to what that returns for each connection (None:
    nobody is there). As a context manager it opens and closes."""

    def __init__(self, port: int | Callable[[], int | None], *, listen: int = 0) -> None:
        self._target = port if callable(port) else lambda: port
        self._listen = listen
        self._server: asyncio.Server | None = None
        self._state = LinkState.OPEN
        self._delay = 0.0
        self._passes = asyncio.Event()
        self._passes.set()
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._forwarding: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._listen)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.set_state(LinkState.OPEN)
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._forwarding, return_exceptions=True)

    @property
    def port(self) -> int:
        assert self._server is not None, "the proxy is not open"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def set_state(self, state: LinkState, delay: float = 0.0) -> None:
        """Change what happens to bytes from now on; `delay` in seconds for SLOW."""
        self._state, self._delay = state, delay
        if state is LinkState.STALLED:
            self._passes.clear()
        else:
            self._passes.set()

    def cut(self) -> int:
        """Reset every connection (RST, as a router that has lost its state). Returns how many there were."""
        count = len(self._pairs)
        for pair in list(self._pairs):
            for writer in pair:
                _reset(writer)
        return count

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._target()
        try:
            if target is None:
                raise ConnectionRefusedError
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, server_writer)
        self._pairs.add(pair)
        task = asyncio.current_task()
        assert task is not None, "a connection is accepted in a task of its own"
        self._forwarding.add(task)
        try:
            await asyncio.gather(
                self._forward(reader, server_writer, from_server=False),
                self._forward(server_reader, writer, from_server=True),
            )
        finally:
            self._pairs.discard(pair)
            self._forwarding.discard(task)
            for open_writer in pair:
                _reset(open_writer)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._passes.wait()
                if self._state is LinkState.HALF_OPEN and from_server:
                    continue
                if self._state is LinkState.SLOW:
                    await asyncio.sleep(self._delay)
                writer.write(chunk)
                await writer.drain()
        # One side has closed: close the other one too, as a direct connection would.
        with suppress(OSError, RuntimeError):
            if writer.can_write_eof():
                writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
