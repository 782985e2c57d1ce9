"""Bounds of HTTP connections: how many there are, and how long a client may take over a request and its answer.

Without them a few clients that send a byte now and then would hold every connection (slowloris).
"""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from shared.http.answer_headers import SECURITY
from shared.http.problems import TITLE, problem
from shared.patches import check_version
from shared.wording import Message

# The class below overrides methods of uvicorn that are not part of its documented interface.
check_version("uvicorn", "0.54.")

log = structlog.get_logger()

NOT_HTTP = Message("This is no HTTP request that the service can read, or its head is too large.")
TOO_SLOW = Message("The request did not arrive in time.")
TOO_MANY_CONNECTIONS = Message("The service has too many connections. Please try again later.")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of the connections of one process."""

    connections: int = 500
    # An access token of an account with the most roles is 20 KiB.
    head_bytes: int = 32 * 1024
    # From the first moment of a connection, or from the former answer on it.
    head_seconds: float = 10.0
    # A body of any size gets so long, and one second more for so many of its bytes. A poor mobile network is faster.
    body_seconds: float = 30.0
    bytes_per_second: int = 500
    # A body of any size and speed gets no longer. The largest one, of 4 MiB, needs 14 KB a second.
    most_body_seconds: float = 300.0
    # A body that has come for so long may have to make room for another connection.
    spared_seconds: float = 5.0
    # An answer must be read within it, or at that speed.
    answer_seconds: float = 30.0
    # Longer than clients keep an idle connection (httpx, and so our own: 5 s). If both ended it after the same time,
    # a request could meet the close, and its client could not know whether it was done.
    idle_seconds: int = 9


class _Wait(Enum):
    """What a connection waits for from its client."""

    HEAD = "head"
    BODY = "body"


def bounded_protocol(bounds: Bounds) -> type[H11Protocol]:
    """uvicorn's protocol for a connection, with these bounds. All connections of the class count together."""
    waiting: dict[_Connection, None] = {}

    class BoundedConnection(_Connection):
        def __init__(self, *args: Any, **named: Any) -> None:
            self._bounds = bounds
            self._waiting = waiting
            super().__init__(*args, **named)

    return BoundedConnection


class _RequestReader(h11.Connection):
    """Reads requests as h11 does, and refuses heads of more than `head_bytes` and those whose end is not certain."""

    def __init__(self, head_bytes: int) -> None:
        super().__init__(h11.SERVER, head_bytes)
        self._head_bytes = head_bytes

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._check(event)
        return event

    def _check(self, request: h11.Request) -> None:
        # h11 bounds only a head that has not ended yet.
        lines = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.headers)
        if len(request.method) + len(request.target) + lines > self._head_bytes:
            raise h11.RemoteProtocolError("the head is too large")
        # A proxy may take the one for the body's end, and this server the other (RFC 9112, 6.1).
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in request.headers}:
            raise h11.RemoteProtocolError("the body has two ends")


class _Connection(H11Protocol):
    # None until the first request.
    cycle: RequestResponseCycle | None  # type: ignore[assignment]
    _bounds: Bounds
    # Those that wait for their client, the longest wait first.
    _waiting: "dict[_Connection, None]"

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.conn = _RequestReader(self._bounds.head_bytes)
        self._waits_for: _Wait | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._body_began_at = 0.0
        self._body_bytes = 0
        self._answer_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections and not self._make_room():
            log.warning("connection_refused", connections=len(self.connections))
            self._refuse(503, TOO_MANY_CONNECTIONS)
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self._waits_for is _Wait.BODY:
            self._body_bytes += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_for(None)
        self._end_answer_deadline()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_answer_deadline()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._end_answer_deadline()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - a sentence of ours takes its place
        self._refuse(400, NOT_HTTP)

    def _watch(self) -> None:
        """Set the deadline for what the client has to do next."""
        if self.transport.is_closing():
            self._wait_for(None)
            # What was written last goes out before a connection closes, if the client reads it.
            self._begin_answer_deadline()
            return
        match self.conn.their_state:
            case h11.IDLE:
                self._wait_for(_Wait.HEAD)
            case h11.SEND_BODY:
                self._wait_for(_Wait.BODY)
            case _:
                self._wait_for(None)

    def _wait_for(self, wait: _Wait | None) -> None:
        if wait is self._waits_for:
            return
        self._waits_for = wait
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._waiting.pop(self, None)
        if wait is not None:
            self._waiting[self] = None
        match wait:
            case _Wait.HEAD:
                self._deadline = self.loop.call_later(self._bounds.head_seconds, self._end_if_late)
            case _Wait.BODY:
                self._body_began_at, self._body_bytes = self.loop.time(), 0
                self._deadline = self.loop.call_later(self._bounds.body_seconds, self._end_if_late)

    def _end_if_late(self) -> None:
        if self._waits_for is _Wait.BODY and (remaining := self._body_seconds_left()) > 0:
            self._deadline = self.loop.call_later(remaining, self._end_if_late)
            return
        self._refuse(408, TOO_SLOW)

    def _body_seconds_left(self) -> float:
        if self.flow.read_paused:
            # The service itself has not read what came.
            return self._bounds.body_seconds
        paced = self._bounds.body_seconds + self._body_bytes / self._bounds.bytes_per_second
        return self._body_began_at + min(paced, self._bounds.most_body_seconds) - self.loop.time()

    def _make_room(self) -> bool:
        """Close the connection that has waited for a request the longest, or else the one whose body is slowest."""
        heads = (other for other in self._waiting if other._waits_for is _Wait.HEAD)
        closed = next(heads, None) or min(
            (other for other in self._waiting if other._is_slow()), key=_Connection._body_pace, default=None
        )
        if closed is None:
            return False
        closed._refuse(408, TOO_SLOW)
        return True

    def _is_slow(self) -> bool:
        """Whether its body has come for so long that another connection may have its place."""
        if self._waits_for is not _Wait.BODY or self.flow.read_paused:
            return False
        return self.loop.time() - self._body_began_at >= self._bounds.spared_seconds

    def _body_pace(self) -> float:
        """The bytes a second of its body so far."""
        return self._body_bytes / (self.loop.time() - self._body_began_at)

    def _refuse(self, status: int, message: Message) -> None:
        """End the connection, with problem details if the client can still read them."""
        if self.cycle is not None and not self.cycle.response_complete:
            # The application learns that the client is gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not self.transport.is_closing():
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and self._has_sent():
                self.transport.write(self._answer(status, message))
            self.transport.close()
        self._watch()

    def _has_sent(self) -> bool:
        """Whether the client has sent any part of a request. Else it expects no answer."""
        return self.conn.their_state is not h11.IDLE or bool(self.conn.trailing_data[0])

    def _answer(self, status: int, message: Message) -> bytes:
        response = problem(status, TITLE, message, {"Connection": "close", **SECURITY})
        events = (
            h11.Response(status_code=status, headers=response.raw_headers),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        )
        return b"".join(self.conn.send(event) or b"" for event in events)

    def _begin_answer_deadline(self) -> None:
        if self._answer_deadline is None:
            unread = self.transport.get_write_buffer_size()
            self._answer_deadline = self.loop.call_later(self._bounds.answer_seconds, self._end_if_unread, unread)

    def _end_if_unread(self, former: int) -> None:
        self._answer_deadline = None
        read = former - self.transport.get_write_buffer_size()
        if read < self._bounds.answer_seconds * self._bounds.bytes_per_second:
            self.transport.abort()
        else:
            self._begin_answer_deadline()

    def _end_answer_deadline(self) -> None:
        if self._answer_deadline is not None:
            self._answer_deadline.cancel()
            self._answer_deadline = None
