"""Clients that are slow, silent or many hold no connection: a real server, and sockets of bad clients."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.http.connections import Bounds
from shared.http.server import server_config
from shared.settings import Settings
from tests.support.waiting import eventually

SHORT = Bounds(
    head_bytes=1000,
    head_seconds=0.3,
    body_seconds=0.3,
    bytes_per_second=1000,
    spared_seconds=0.1,
    answer_seconds=0.3,
    idle_seconds=1,
)
BEGUN = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
LONG_ANSWER = 20_000_000
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LATE = 3.0


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Service:
    """A server and what its application has seen."""

    def __init__(self, bounds: Bounds) -> None:
        self.bodies: list[bytes] = []
        self.waiting = 0
        self.go_on = asyncio.Event()
        app = Starlette(
            routes=[
                Route("/", self._hello),
                Route("/body", self._body, methods=["POST"]),
                Route("/wait", self._wait),
                Route("/long", self._long),
            ]
        )
        self.server = _Server(server_config(app, Settings(), bounds))
        self.port = 0

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    async def _hello(self, _: Request) -> Response:
        return PlainTextResponse("hello")

    async def _body(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return PlainTextResponse("taken")

    async def _wait(self, _: Request) -> Response:
        self.waiting += 1
        await self.go_on.wait()
        return PlainTextResponse("waited")

    async def _long(self, _: Request) -> Response:
        return PlainTextResponse("x" * LONG_ANSWER)


@asynccontextmanager
async def serving(bounds: Bounds) -> AsyncIterator[Service]:
    service = Service(bounds)
    listening = socket.create_server(("127.0.0.1", 0))
    service.port = listening.getsockname()[1]
    running = asyncio.create_task(service.server.serve(sockets=[listening]))
    await eventually(lambda: service.server.started, equals=True)
    try:
        yield service
    finally:
        service.go_on.set()
        service.server.should_exit = True
        await running


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """All that the server sends until it closes the connection."""
    received = b""
    # A client that still sends is told of it by a reset, after it could read the answer.
    with suppress(ConnectionResetError):
        while piece := await asyncio.wait_for(reader.read(65536), LATE):
            received += piece
    return received


async def trickle(writer: asyncio.StreamWriter, data: bytes, pause: float) -> None:
    with suppress(OSError):
        for number in range(len(data)):
            writer.write(data[number : number + 1])
            await writer.drain()
            await asyncio.sleep(pause)


def check_problem(answer: bytes, status: int) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"content-type: application/problem+json" in head.lower()
    assert b"x-content-type-options: nosniff" in head.lower()
    assert b"connection: close" in head.lower()
    assert json.loads(body)["status"] == status


async def test_a_head_that_comes_byte_by_byte_is_waited_for_no_longer_than_its_bound() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        began = time.monotonic()
        sending = asyncio.create_task(trickle(writer, b"GET / HTTP/1.1\r\nX: " + b"x" * 100, 0.05))
        check_problem(await until_closed(reader), 408)
        assert time.monotonic() - began < 2
        sending.cancel()


async def test_a_second_request_has_the_same_bound() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(ASK)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"GET ")
        check_problem(await until_closed(reader), 408)


async def test_a_connection_without_a_request_ends_without_an_answer() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, _):
        assert await until_closed(reader) == b""
        assert service.connections == 0


async def test_a_body_that_comes_byte_by_byte_is_waited_for_no_longer_than_its_bound() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        sending = asyncio.create_task(trickle(writer, b"x" * 100, 0.05))
        check_problem(await until_closed(reader), 408)
        assert service.bodies == [], "the application was told that the client is gone"
        sending.cancel()


async def test_a_body_over_a_poor_line_is_taken() -> None:
    async with serving(replace(SHORT, bytes_per_second=100)) as service, connected(service) as (reader, writer):
        writer.write(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n")
        for _ in range(10):
            writer.write(b"x" * 20)
            await asyncio.sleep(0.1)
        assert (await reader.readuntil(b"taken")).startswith(b"HTTP/1.1 200 ")
        assert service.bodies == [b"x" * 200]


async def test_a_body_ends_after_its_longest_time_however_well_it_comes() -> None:
    bounds = replace(SHORT, bytes_per_second=1, most_body_seconds=0.6)
    async with serving(bounds) as service, connected(service) as (reader, writer):
        writer.write(BEGUN)
        sending = asyncio.create_task(trickle(writer, b"x" * 1000, 0.01))
        began = time.monotonic()
        check_problem(await until_closed(reader), 408)
        assert 0.5 < time.monotonic() - began < 2
        assert service.bodies == []
        sending.cancel()


async def test_a_request_that_the_service_takes_its_time_for_is_not_late() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(0.8)
        service.go_on.set()
        assert (await reader.readuntil(b"waited")).startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_is_too_large_or_is_no_http_is_refused_with_a_problem() -> None:
    begun = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2000
    for request in (begun, begun + b"\r\n\r\n", b"\x16\x03\x01 no http\r\n\r\n"):
        async with serving(SHORT) as service, connected(service) as (reader, writer):
            writer.write(request)
            check_problem(await until_closed(reader), 400)


async def test_a_body_with_two_ends_is_refused_and_what_follows_is_no_request() -> None:
    head = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(head + b"0\r\n\r\n" + ASK)
        check_problem(await until_closed(reader), 400)
        assert service.bodies == []


def test_a_client_gives_an_idle_connection_up_before_the_service_does() -> None:
    kept_by_clients = httpx.Limits().keepalive_expiry
    assert kept_by_clients is not None
    # A busy process may take its connection a while after it looked at the clock.
    assert Bounds().idle_seconds >= kept_by_clients + 3
    # Else the deadline of the next head would end it.
    assert Bounds().idle_seconds < Bounds().head_seconds


async def test_beyond_the_most_connections_the_one_that_is_idle_the_longest_ends() -> None:
    async with (
        serving(replace(SHORT, connections=3, head_seconds=LATE)) as service,
        connected(service) as first,
        connected(service),
        connected(service),
        connected(service) as (reader, writer),
    ):
        writer.write(ASK)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        assert await until_closed(first[0]) == b""
        assert service.connections <= 3


async def test_beyond_the_most_connections_the_slowest_body_ends() -> None:
    bounds = replace(SHORT, connections=3, body_seconds=LATE)
    async with (
        serving(bounds) as service,
        connected(service) as fast,
        connected(service) as slow,
        connected(service) as medium,
    ):
        for _, writer in (fast, slow, medium):
            writer.write(BEGUN)
        await asyncio.sleep(bounds.spared_seconds)
        for (_, writer), begun in ((fast, 900), (slow, 1), (medium, 100)):
            writer.write(b"x" * begun)
        await asyncio.sleep(bounds.spared_seconds)
        async with connected(service) as (reader, writer):
            writer.write(ASK)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
            check_problem(await until_closed(slow[0]), 408)
        for (reader, writer), missing in ((fast, 100), (medium, 900)):
            writer.write(b"x" * missing)
            assert (await reader.readuntil(b"taken")).startswith(b"HTTP/1.1 200 ")


async def test_a_body_that_has_just_begun_makes_no_room() -> None:
    async with (
        serving(replace(SHORT, connections=1, body_seconds=LATE, spared_seconds=LATE)) as service,
        connected(service) as (reader, writer),
    ):
        writer.write(BEGUN)
        await eventually(lambda: service.connections, equals=1)
        async with connected(service) as (other, _):
            assert await until_closed(other) == b""
        writer.write(b"x" * 1000)
        assert (await reader.readuntil(b"taken")).startswith(b"HTTP/1.1 200 ")


async def test_beyond_the_most_connections_no_request_at_work_ends() -> None:
    async with (
        serving(replace(SHORT, connections=2)) as service,
        connected(service) as first,
        connected(service) as second,
    ):
        for _, writer in (first, second):
            writer.write(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await eventually(lambda: service.waiting, equals=2)
        async with connected(service) as (reader, _):
            assert await until_closed(reader) == b""
        service.go_on.set()
        for reader, _ in (first, second):
            assert (await reader.readuntil(b"waited")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
async def test_an_answer_that_nobody_reads_is_given_up(closing: bytes) -> None:
    async with serving(SHORT) as service, connected(service) as (_, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: localhost\r\n" + closing + b"\r\n")
        await eventually(lambda: service.connections, equals=1)
        await eventually(lambda: service.connections, equals=0, within=LATE)


async def test_an_answer_that_is_read_slowly_comes_whole() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = 0
        while piece := await asyncio.wait_for(reader.read(2_000_000), LATE):
            received += len(piece)
            await asyncio.sleep(0.02)
        assert received > LONG_ANSWER


async def test_the_server_does_not_tell_its_name() -> None:
    async with serving(SHORT) as service, connected(service) as (reader, writer):
        writer.write(ASK)
        assert b"\r\nserver:" not in (await reader.readuntil(b"hello")).lower()
