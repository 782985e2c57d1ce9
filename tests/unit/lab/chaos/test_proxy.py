"""The proxy on loopback: what it does to bytes in each of its states."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lab.chaos.proxy import LinkState, Proxy

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def an_echo() -> AsyncIterator[int]:
    """A server that says back each line; its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def a_line() -> AsyncIterator[tuple[Proxy, Wire]]:
    async with an_echo() as port, Proxy(port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield proxy, (reader, writer)
        finally:
            writer.close()


async def echo_of(wire: Wire, word: bytes) -> bytes:
    reader, writer = wire
    writer.write(word + b"\n")
    return (await reader.readline()).rstrip()


async def test_an_open_line_forwards() -> None:
    async with a_line() as (_, wire):
        assert await echo_of(wire, b"one") == b"one"


async def test_a_slow_line_forwards_too() -> None:
    async with a_line() as (proxy, wire):
        proxy.set_state(LinkState.SLOW, delay=0.01)
        assert await echo_of(wire, b"one") == b"one"


async def test_what_a_stalled_line_holds_back_comes_when_it_opens() -> None:
    async with a_line() as (proxy, wire):
        proxy.set_state(LinkState.STALLED)
        waiting = asyncio.create_task(echo_of(wire, b"one"))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        proxy.set_state(LinkState.OPEN)
        assert await waiting == b"one"


async def test_a_half_open_line_swallows_answers() -> None:
    async with a_line() as (proxy, wire):
        assert await echo_of(wire, b"one") == b"one"
        proxy.set_state(LinkState.HALF_OPEN)
        waiting = asyncio.create_task(echo_of(wire, b"two"))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        proxy.set_state(LinkState.OPEN)
        wire[1].write(b"three\n")
        assert await waiting == b"three", "what was swallowed is gone"


async def test_a_cut_resets_every_connection_and_new_ones_are_taken() -> None:
    async with an_echo() as port, Proxy(port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await echo_of((reader, writer), b"one") == b"one"
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        again = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await echo_of(again, b"two") == b"two"
        again[1].close()


async def test_each_connection_goes_where_the_service_is_then() -> None:
    ports: list[int | None] = [None]
    async with an_echo() as port, Proxy(lambda: ports[-1]) as proxy:
        reader, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        ports.append(port)
        assert await echo_of(await asyncio.open_connection("127.0.0.1", proxy.port), b"there") == b"there"


async def test_a_server_that_is_away_is_a_refused_connection() -> None:
    async with an_echo() as port:
        pass
    async with Proxy(port) as proxy:
        reader, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises(ConnectionResetError):
            await reader.readline()
