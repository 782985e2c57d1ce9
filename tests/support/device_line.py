"""The line between a browser and the portal, which can be cut, and the phone at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext

from lab.chaos.proxy import Proxy
from shared import envelope
from shared.events.language import Body
from tests.support.browser import Watched
from tests.support.device_services import DeviceServices
from tests.support.portal import served_portal

# What the console says while the line is cut.
CUT = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "status of 503")


class Line:
    """The line between the browser and the portal at `port`, which can be cut. Its own address stays the same."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._listen = 0
        self._proxy: Proxy | None = None

    async def mend(self) -> None:
        self._proxy = Proxy(self.port, listen=self._listen)
        await self._proxy.__aenter__()
        self._listen = self._proxy.port

    async def cut(self) -> None:
        if self._proxy is not None:
            await self._proxy.__aexit__()
            self._proxy = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._listen}"

    @property
    def till(self) -> str:
        return f"{self.origin}/apps/till/"

    @property
    def terminal(self) -> str:
        return f"{self.origin}/apps/terminal/"


@asynccontextmanager
async def a_line(services: DeviceServices) -> AsyncIterator[Line]:
    async with served_portal(services) as address:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        try:
            yield line
        finally:
            await line.cut()
    for record in services.records:
        assert envelope.encode(record.body) == record.value, "the bytes are those of any other device"


def bodies(services: DeviceServices, kind: type[Body] = Body) -> list[Any]:
    return [record.body for record in services.stored if isinstance(record.body, kind)]


@asynccontextmanager
async def a_phone(chromium: Browser, language: str = "en", width: int = 360) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 740})
    try:
        yield context
    finally:
        await context.close()


def without_the_cut(watch: Watched) -> list[str]:
    """The complaints of the page, but for those about the line."""
    return [complaint for complaint in watch.complaints if not any(part in complaint for part in CUT)]
