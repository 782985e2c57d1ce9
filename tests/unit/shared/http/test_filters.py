"""A query parameter that a page does not have is refused, in every service: a mistyped filter is never ignored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import httpx
import pytest

from shared.http.filters import OTHERS_CHOOSE
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings

pytestmark = pytest.mark.unit

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")


@asynccontextmanager
async def an_api(name: str) -> AsyncIterator[httpx.AsyncClient]:
    service = Service(name, (), Settings(kafka="localhost:1", mongo="mongodb://localhost:1"))
    app = application(service, f"Karya {name}", import_module(f"services.{name}.api").routes(service))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=10) as client:
        yield client


async def pages_of(client: httpx.AsyncClient) -> list[tuple[str, dict[str, Any]]]:
    document = (await client.get("/openapi.json")).json()
    return [(path, operations["get"]) for path, operations in document["paths"].items() if "get" in operations]


@pytest.mark.parametrize("service", SERVICES)
async def test_no_page_ignores_a_parameter_that_it_does_not_have(service: str) -> None:
    async with an_api(service) as client:
        pages = await pages_of(client)
        assert len(pages) > 3
        for path, operation in pages:
            parameters = operation.get("parameters", ())
            ids = dict.fromkeys((entry["name"] for entry in parameters if entry["in"] == "path"), "X")
            parameters_known = sorted(entry["name"] for entry in parameters if entry["in"] == "query")
            if path in OTHERS_CHOOSE:
                continue
            answer = await client.get(path.replace(":path", "").format(**ids), params={"facilty": "LP-KPG"})
            assert answer.status_code == 422, path
            [error] = answer.json()["errors"]
            assert error["field"] == "query.facilty"
            assert all(name in error["message"] for name in parameters_known)
            assert "422" in operation["responses"]


async def test_the_known_parameters_are_named() -> None:
    async with an_api("inventory") as client:
        answer = await client.get("/lots", params={"facility": "LP-KPG", "produkt": "KTI", "Limit": "5"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["query.Limit", "query.produkt"]
    assert answer.json()["errors"][0]["message"].endswith("It has after, facility, limit, product.")


async def test_a_filter_with_a_value_that_no_festival_has_is_refused() -> None:
    async with an_api("festival") as client:
        answer = await client.get("/festivals", params={"status": "opne"})
    assert answer.status_code == 422
    assert "closing" in answer.json()["errors"][0]["message"]
