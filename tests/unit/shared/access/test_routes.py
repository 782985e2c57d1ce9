"""Every route of every service has a row, and every row a route. A route without a row is refused to everybody."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from ops.service.api import operations
from services.portal.api import portal
from shared.access.routes import ROUTES
from shared.http.server import application
from shared.runtime.plain_service import PlainService
from shared.runtime.service import Service
from shared.settings import Settings

SERVICES = sorted(ROUTES)


def served(app: FastAPI) -> Iterator[str]:
    """`GET /lots` and so on; `?` for what is no route of one path and method."""
    for context in iter_route_contexts(app.routes):
        for method in (context.methods or {"?"}) - {"HEAD"}:
            yield f"{method} {getattr(context.route, 'path_format', '?')}"


PLAIN = {"portal": portal, "operations": operations}


@asynccontextmanager
async def a_plain_application(name: str) -> AsyncIterator[FastAPI]:
    service = PlainService(name, Settings())
    try:
        yield PLAIN[name](service)
    finally:
        await service.stop()


@asynccontextmanager
async def an_application(name: str) -> AsyncIterator[FastAPI]:
    if name in PLAIN:
        async with a_plain_application(name) as app:
            yield app
        return
    service = Service(name, (), Settings())
    try:
        yield application(service, name, import_module(f"services.{name}.api").routes(service))
    finally:
        await service.mongo.close()


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_has_a_row_and_every_row_a_route(name: str) -> None:
    async with an_application(name) as app:
        assert set(served(app)) == set(ROUTES[name])


async def test_a_route_that_nobody_thought_of_is_seen() -> None:
    async with an_application("sales") as app:
        app.add_api_route("/everything", lambda: None)
        assert set(served(app)) - set(ROUTES["sales"]) == {"GET /everything"}
