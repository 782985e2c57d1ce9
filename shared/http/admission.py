"""Who may ask over HTTP, and which bodies are taken: around every service's application, whatever its routes do.

There is no access control yet: whoever reaches the port is trusted. A browser reaches it for every page that it
shows. So a page of another origin is refused, and a request for a name that is none of ours: it may have been bent to
this machine (DNS rebinding).
"""

import re
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.events.language import MAX_VALUE_BYTES
from shared.http.problems import TITLE, problem
from shared.timeouts import hard_timeout

READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What a browser says of a person who typed the address, and of a page that we served.
OWN_SITES = frozenset({"none", "same-origin"})
MEDIA_TYPE = re.compile(r'application/json(\s*;\s*charset\s*=\s*("utf-8"|utf-8))?', re.IGNORECASE)

# Of a body that was stopped, what is still read and dropped.
DROPPED_WITHIN = 1.0
MOST_DROPPED = 4 * 1024 * 1024

UNKNOWN_HOST = "This service has no such name. KARYA_HTTP_NAMES says by which names it is reached."
OTHER_ORIGIN = "A page of another origin may change nothing here."
NOT_JSON = "A body is taken as application/json in UTF-8 alone."
TOO_LARGE = f"A command has at most {MAX_VALUE_BYTES // 1024} KiB."


class Admission:
    """Refuses with a problem before `app` sees the request: 403 for another host or origin. A body that `app` begins
    to read raises HTTPException: 415 if it is no JSON, 413 as soon as it is longer than MAX_VALUE_BYTES.

    `names`: the hosts that this service is called by, besides localhost and every numeric address.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if (why := self._refusal(scope["method"], headers)) is not None:
            await problem(403, TITLE, why)(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            body = _Body(headers, receive, send)
            await self._app(scope, body.receive, body.send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if not all(self._is_ours(host) for host in hosts):
            return UNKNOWN_HOST
        if method in READING:
            return None
        # Programs send neither of these.
        origins = {_place(origin) for origin in headers.getlist("origin")}
        own = origins <= {_place(f"//{host}") for host in hosts}
        return None if own and set(headers.getlist("sec-fetch-site")) <= OWN_SITES else OTHER_ORIGIN

    def _is_ours(self, host: str) -> bool:
        place = _place(f"//{host}")
        if place is None:
            return False
        name = place[0].removesuffix(".")
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_address(name)


def _place(address: str) -> tuple[str, int | None] | None:
    """Host and port of an address (the port None where its scheme says it), or None if it names none. The scheme does
    not count: before a proxy it is another one than behind it."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.hostname is None or parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname, None if port in (80, 443) else port


def _is_address(name: str) -> bool:
    """No name server has a say in it."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class _Body:
    """The body of one request as the application may read it, and the answer to it."""

    def __init__(self, headers: Headers, receive: Receive, send: Send) -> None:
        self._headers = headers
        self._receive = receive
        self._send = send
        self._taken = 0
        self._stopped = False

    async def receive(self) -> Message:
        """The next piece. Raises HTTPException 413 or 415."""
        if not self._taken and int(self._headers.get("content-length", 0)) > MAX_VALUE_BYTES:
            self._stop()
        message = await self._receive()
        if piece := message.get("body"):
            if not self._taken:
                _check_kind(self._headers)
            self._taken += len(piece)
            if self._taken > MAX_VALUE_BYTES:
                self._stop()
        return message

    async def send(self, message: Message) -> None:
        """After the answer to a body that was stopped the rest of it is dropped for a moment: who is cut off while he
        sends may never read why."""
        if self._stopped and message["type"] == "http.response.body":
            await self._send({**message, "more_body": True})
            with suppress(TimeoutError):
                await hard_timeout(DROPPED_WITHIN, self._drop())
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(message)

    def _stop(self) -> NoReturn:
        self._stopped = True
        raise HTTPException(413, TOO_LARGE, {"Connection": "close"})

    async def _drop(self) -> None:
        dropped = 0
        while dropped < MOST_DROPPED and (message := await self._receive()).get("more_body", False):
            dropped += len(message["body"])


def _check_kind(headers: Headers) -> None:
    kinds = headers.getlist("content-type")
    if len(kinds) != 1 or not MEDIA_TYPE.fullmatch(kinds[0].strip()):
        raise HTTPException(415, NOT_JSON, {"Accept": "application/json"})
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, NOT_JSON, {"Accept-Encoding": "identity"})


def _without_body(send: Send) -> Send:
    """An answer to HEAD says of its body how long it is, and has none."""

    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare
