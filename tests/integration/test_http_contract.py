"""What OpenAPI says of the six services is what they answer, whatever is asked of them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import httpx
import pytest

from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings

pytestmark = pytest.mark.integration

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"
BODIES = [
    *(b"", b"{", b"[]", b'"text"', b"\xff", b"{}", b'{"no such field": 1}', b'{"a":1,"a":2}', b'{"a":NaN}'),
    *(b'{"festival":"ODOP","festival":"ODOP"}', b"9" * 5000, b"[" * 5000, b" " * (256 * 1024 + 1)),
]
ODD_HEADERS = [
    {"Content-Type": "text/plain"},
    {"Host": "evil.example"},
    {"Origin": "https://evil.example"},
    {"Idempotency-Key": "a b"},
]


@asynccontextmanager
async def an_api(name: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application of a service that works no lanes."""
    service = Service(name, (), settings)
    app = application(service, f"Karya {name}", import_module(f"services.{name}.api").routes(service))
    try:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            yield client
    finally:
        await service.stop()


def addresses(path: str, operation: dict[str, Any]) -> Iterator[str]:
    """The path with ids that nobody has, and wrong values for every parameter of the query."""
    names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
    for id in ("X", "a.b-c", "%1B%5B", "9" * 300):
        yield path.format(**dict.fromkeys(names, id))
    plain = path.format(**dict.fromkeys(names, "X"))
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield from (
                f"{plain}?{parameter['name']}={value}" for value in ("", "-1", "9" * 30, "x%00y", "%F0%9F%8D%B0")
            )


def check(answer: httpx.Response, operations: list[dict[str, Any]]) -> None:
    """The answer is one that the document knows of one of these operations."""
    operations_of_path = [
        documented
        for operation in operations
        for status, documented in operation["responses"].items()
        if int(status) == answer.status_code
    ]
    about = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:200]}"
    assert operations_of_path, about
    kind = answer.headers["content-type"]
    assert any(kind in documented["content"] for documented in operations_of_path), about
    assert (kind == PROBLEM) == (answer.status_code >= 400), about
    if kind == PROBLEM:
        assert answer.json()["status"] == answer.status_code
        assert {"type", "title", "detail"} <= answer.json().keys()
    for name in operations_of_path[0].get("headers", ()):
        assert name in answer.headers


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_answers_as_its_document_says(name: str, settings: Settings) -> None:
    async with an_api(name, settings) as api:
        document = (await api.get("/openapi.json")).json()
        statuses = set()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                for address in addresses(path, operation):
                    for body in BODIES if method == "post" else [None]:
                        answer = await api.request(method, address, content=body, headers=JSON if body else {})
                        check(answer, [operation])
                        statuses.add(answer.status_code)
                    for odd in ODD_HEADERS:
                        check(await api.request(method, address, content=b"{}", headers={**JSON, **odd}), [operation])
        # A place of which nothing is known has no news yet.
        assert ({404, 503} if name != "gateway" else {200, 415, 422}) <= statuses
        assert name != "festival" or {202, 413, 422} <= statuses


@pytest.mark.parametrize("name", SERVICES)
async def test_every_path_says_which_methods_it_takes(name: str, settings: Settings) -> None:
    async with an_api(name, settings) as api:
        document = (await api.get("/openapi.json")).json()
        for path, operations in document["paths"].items():
            address = next(addresses(path, next(iter(operations.values()))))
            methods = (
                {method.upper() for method in operations} | {"OPTIONS"} | ({"HEAD"} if "get" in operations else set())
            )
            options = await api.options(address)
            assert (options.status_code, options.content) == (204, b"")
            assert set(options.headers["allow"].split(", ")) == methods
            for method in {*METHODS, "HEAD"} - methods:
                refused = await api.request(method, address)
                assert refused.status_code == 405, f"{method} {address}"
                assert set(refused.headers["allow"].split(", ")) == methods
                if method != "HEAD":
                    check(refused, list(operations.values()))
            if "get" in operations:
                whole, head = await api.get(address), await api.head(address)
                assert (head.status_code, head.content) == (whole.status_code, b"")
        for unknown in ("/nowhere", "/lots/", "/festivals/", "//"):
            assert (await api.options(unknown)).status_code == 404
            lost = await api.get(unknown)
            assert (lost.status_code, lost.headers["content-type"]) == (404, PROBLEM)


@pytest.mark.parametrize("name", SERVICES)
async def test_without_the_database_reads_answer_as_documented(name: str, settings: Settings) -> None:
    async with an_api(name, settings.model_copy(update={"mongo": "mongodb://127.0.0.1:1/"})) as api:
        document = (await api.get("/openapi.json")).json()
        [(path, operations)] = [
            (path, of)
            for path, of in document["paths"].items()
            if path in ("/lots/{lot}", "/stock", "/booths", "/accounts", "/booths/{booth}/news")
        ][:1]
        answer = await api.get(path.format(lot="PR-KPG-KTI-230418-007-4", booth="ODOP.B1"))
        assert answer.status_code == 503
        check(answer, [operations["get"]])
