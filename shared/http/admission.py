"""Admission of HTTP requests and bodies: a middleware around every service's application.

A browser also sends requests for the pages of other sites. Requests from pages of another origin are therefore
refused. So are requests for unknown host names, which an attacker may have pointed to this machine (DNS rebinding).
Who may do what is checked later, by access tokens.
"""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import wording
from shared.events.language import MAX_VALUE_BYTES
from shared.http.problems import TITLE, PageRefused, problem
from shared.timeouts import hard_timeout

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# The `Sec-Fetch-Site` values for a typed address and for a page of this service.
TRUSTED_SITES = frozenset({"none", "same-origin"})
_CHARSET = r'(\s*;\s*charset\s*=\s*("utf-8"|utf-8))?'

# Limits for the rest of a rejected body, which is read and dropped.
DRAIN_SECONDS = 1.0
MAX_DRAINED_BYTES = 4 * 1024 * 1024

UNKNOWN_HOST = wording.Message(
    "This service does not have this host name. KARYA_HTTP_NAMES lists the names that it has."
)
OTHER_ORIGIN = wording.Message("A page of another origin can't change anything here.")
NOT_JSON = wording.Message("The body must be application/json in UTF-8.")
TOO_LARGE = wording.Message("A command has at most {most} KiB.", most=MAX_VALUE_BYTES // 1024)
MAX_RECORDS_BYTES = 4 * 1024 * 1024
NO_RECORDS = wording.Message("The body must be application/cloudevents-batch+json in UTF-8, as it is or with gzip.")
TOO_MANY_BYTES = wording.Message(
    "One request has at most {most} MiB, also after it is unpacked. Send the records in several.",
    most=MAX_RECORDS_BYTES // 1024 // 1024,
)


@dataclass(frozen=True, slots=True)
class BodyRule:
    """The bodies that a route takes: at most `most` bytes of one media type, in one of the content `encodings`."""

    media_type: str
    most: int
    wrong_kind: wording.Message
    too_large: wording.Message
    encodings: tuple[str, ...] = ("identity",)

    def takes(self, media_types: Collection[str]) -> bool:
        """Whether this is the route's one media type."""
        pattern = re.escape(self.media_type) + _CHARSET
        return len(media_types) == 1 and all(
            re.fullmatch(pattern, name.strip(), re.IGNORECASE) is not None for name in media_types
        )


COMMANDS = BodyRule("application/json", MAX_VALUE_BYTES, NOT_JSON, TOO_LARGE)
# The routes whose bodies are no commands. The function of such a route unpacks what is compressed.
OTHERS: Mapping[str, BodyRule] = {
    "POST /intake": BodyRule(
        "application/cloudevents-batch+json", MAX_RECORDS_BYTES, NO_RECORDS, TOO_MANY_BYTES, ("identity", "gzip")
    ),
}


def body_rule(method: str, path: str) -> BodyRule:
    """The bodies that a route of an API takes."""
    return OTHERS.get(f"{method} {path}", COMMANDS)


class Admission:
    """A middleware that refuses requests before `app` sees them: 403 for another host or origin.

    A body raises PageRefused while `app` reads it: 415 if the route does not take its kind, 413 as soon as it is
    larger than the route takes. `names`: this service's host names, besides localhost and all numeric addresses.
    `rules`: the bodies that each method and path take.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str], rules: Callable[[str, str], BodyRule] = body_rule
    ) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if (refusal := self._refusal(scope["method"], headers)) is not None:
            await problem(403, TITLE, refusal)(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            rule = self._rules(scope["method"], scope["path"])
            body = _Body(rule, headers, receive, send)
            await self._app(scope, body.receive, body.send)

    def _refusal(self, method: str, headers: Headers) -> wording.Message | None:
        hosts = headers.getlist("host")
        if not all(self._is_own_host(host) for host in hosts):
            return UNKNOWN_HOST
        if method in SAFE_METHODS:
            return None
        # Only browsers send these two headers.
        origins = {_host_and_port(origin) for origin in headers.getlist("origin")}
        same_origin = origins <= {_host_and_port(f"//{host}") for host in hosts}
        return None if same_origin and set(headers.getlist("sec-fetch-site")) <= TRUSTED_SITES else OTHER_ORIGIN

    def _is_own_host(self, host: str) -> bool:
        host_and_port = _host_and_port(f"//{host}")
        if host_and_port is None:
            return False
        name = host_and_port[0].removesuffix(".")
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_address(name)


def _host_and_port(address: str) -> tuple[str, int | None] | None:
    """The host and port of an address, or None if the address names no host.

    The port is None for a scheme's default. The scheme itself is ignored, because it differs before and behind a
    proxy.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.hostname is None or parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname, None if port in (80, 443) else port


def _is_address(name: str) -> bool:
    """Whether the name is a numeric address, which no name server can redirect."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class _Body:
    """The body of one request, limited while the application reads it, and the response to it."""

    def __init__(self, rule: BodyRule, headers: Headers, receive: Receive, send: Send) -> None:
        self._rule = rule
        self._headers = headers
        self._receive = receive
        self._send = send
        self._received_bytes = 0
        self._rejected = False

    async def receive(self) -> Message:
        """The next chunk. Raises PageRefused 413 or 415."""
        if not self._received_bytes and int(self._headers.get("content-length", 0)) > self._rule.most:
            self._reject()
        message = await self._receive()
        if chunk := message.get("body"):
            if not self._received_bytes:
                _check_media_type(self._rule, self._headers)
            self._received_bytes += len(chunk)
            if self._received_bytes > self._rule.most:
                self._reject()
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the response. After a rejected body, read and drop the rest for a moment.

        A client that is cut off while it sends may never read the response.
        """
        if self._rejected and message["type"] == "http.response.body":
            await self._send({**message, "more_body": True})
            with suppress(TimeoutError):
                await hard_timeout(DRAIN_SECONDS, self._drain())
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(message)

    def _reject(self) -> NoReturn:
        self._rejected = True
        raise PageRefused(413, self._rule.too_large, {"Connection": "close"})

    async def _drain(self) -> None:
        drained = 0
        while drained < MAX_DRAINED_BYTES and (message := await self._receive()).get("more_body", False):
            drained += len(message["body"])


def _check_media_type(rule: BodyRule, headers: Headers) -> None:
    if not rule.takes(headers.getlist("content-type")):
        raise PageRefused(415, rule.wrong_kind, {"Accept": rule.media_type})
    if headers.get("content-encoding", "identity").lower() not in rule.encodings:
        raise PageRefused(415, rule.wrong_kind, {"Accept-Encoding": ", ".join(rule.encodings)})


def _without_body(send: Send) -> Send:
    """A `send` for responses to HEAD: the headers tell the length, and the body is empty."""

    async def send_without_body(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body
