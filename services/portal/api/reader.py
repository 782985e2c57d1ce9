"""The language of each request: the one that the reader has chosen, else the browser's, else Indonesian."""

from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.translation import Language, reading_in

COOKIE = "karya-language"
COOKIE_SECONDS = 365 * 24 * 3600


class ReaderLanguage:
    """A middleware: everything that answers a request is in the reader's language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with reading_in(language_for(HTTPConnection(scope))):
            await self._app(scope, receive, send)


def language_for(request: HTTPConnection) -> Language:
    """The reader's language."""
    chosen = request.cookies.get(COOKIE)
    return Language(chosen) if chosen in set(Language) else accepted(request.headers)


def accepted(headers: Headers) -> Language:
    """The first of our languages that the browser accepts (RFC 9110), else Indonesian."""
    ranges = sorted(_ranges(headers.get("accept-language", "")), key=lambda weighted: -weighted[0])
    for _, name in ranges:
        primary = name.partition("-")[0]
        if primary in set(Language):
            return Language(primary)
    return Language.INDONESIAN


def _ranges(header: str) -> Iterator[tuple[float, str]]:
    for item in header.lower().split(","):
        name, _, weight = item.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if name and quality > 0:
            yield quality, name.strip()
