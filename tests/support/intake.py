"""A gateway whose Kafka and news are lists, for tests of what comes in and goes out over HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import httpx
from fastapi import FastAPI

from services.gateway.api import intake, routes
from services.gateway.domain.held_record import HeldDevice, HeldRecord
from services.gateway.domain.known_device import KnownDevice
from shared.http.server import application
from shared.runtime.service import Appended, Service, Stored
from shared.settings import Settings
from tests.support.callers import FixedKeys


@dataclass
class Log:
    """In place of Kafka: takes `room` records, and then no more. `too_large`: positions that it refuses."""

    room: int = 1_000_000
    too_large: frozenset[int] = frozenset()
    records: list[Appended] = field(default_factory=list)

    async def append_all(self, records: Sequence[Appended]) -> Stored:
        taken = records[: max(0, self.room - len(self.records))]
        self.records += [record for number, record in enumerate(taken) if number not in self.too_large]
        return Stored(len(taken), self.too_large & frozenset(range(len(records))))

    @property
    def ids(self) -> list[str]:
        return [dict(record.headers)["ce_id"].decode() for record in self.records]


@asynccontextmanager
async def an_intake(
    log: Log,
    settings: Settings,
    *devices: KnownDevice,
    held: Sequence[HeldRecord] = (),
    holding: Sequence[HeldDevice] = (),
) -> AsyncIterator[FastAPI]:
    """The application of a gateway that appends to `log`, and knows these devices, these `held` records, and
    how many of `holding` wait."""

    async def known(_service: Service, subjects: Set[str], sources: Set[str]) -> Mapping[str, KnownDevice]:
        return {device.id: device for device in devices if device.id in subjects or device.source in sources}

    async def known_records(_service: Service, ids: Set[str]) -> Mapping[str, intake.HeldState]:
        return {record.id: intake.HeldState(record.status, record.reason) for record in held if record.id in ids}

    async def waiting(_service: Service, ids: Set[str]) -> dict[str, HeldDevice]:
        return {device.id: device for device in holding if device.id in ids}

    service = Service("gateway", (), settings)
    service.append_all = log.append_all  # type: ignore[method-assign]
    try:
        with (
            patch.object(intake, "known_devices", known),
            patch.object(intake, "held_records", known_records),
            patch.object(intake, "held_devices", waiting),
        ):
            yield application(service, "gateway", routes(service), FixedKeys())
    finally:
        await service.mongo.close()


@dataclass
class News:
    """The pages of news: each answer has the items behind the cursor, which is a number here."""

    items: list[dict[str, Any]] = field(default_factory=list)
    page: int = 500

    def answer(self, request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", 0))
        items = self.items[after : after + self.page]
        link = f"{request.url.path}?after={after + len(items)}"
        return httpx.Response(200, json=items, headers={"Link": f'<{link}>; rel="next"'})


@dataclass
class Line(httpx.AsyncBaseTransport):
    """The network between a device and a gateway: the intake of `app`, and `news`. `before` and `after` see each
    request, and may raise. `in_its_place`: what answers instead of the gateway."""

    app: FastAPI
    news: News = field(default_factory=News)
    before: Callable[[httpx.Request], None] = lambda _: None
    after: Callable[[httpx.Request], None] = lambda _: None
    in_its_place: Callable[[httpx.Request], httpx.Response] | None = None
    requests: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.before(request)
        response = await self._answer(request)
        self.after(request)
        return response

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.in_its_place is not None:
            return self.in_its_place(request)
        if request.method == "GET":
            return self.news.answer(request)
        return await httpx.ASGITransport(app=self.app).handle_async_request(request)
