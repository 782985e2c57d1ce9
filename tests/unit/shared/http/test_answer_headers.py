"""Every answer tells a browser what it may do with it, also an answer to a bug."""

from collections.abc import AsyncIterator
from importlib import import_module

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from shared.http.answer_headers import HTTPS_ONLY, SECURITY
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, with_access

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    settings = with_access(Settings(mongo="mongodb://127.0.0.1:1/"))
    service = Service("inventory", (), settings)
    app = application(service, "Karya", import_module("services.inventory.api").routes(service), FixedKeys())

    @app.get("/health/bug")
    async def bug() -> None:
        raise ZeroDivisionError("a secret of the code")

    @app.get("/health/gone")
    async def gone() -> None:
        raise ClientDisconnect

    yield app
    await service.mongo.close()


def a_client(app: FastAPI, base_url: str = "http://localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base_url)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/health/live", {}, 200),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/docs/docs.js", {}, 200),
        ("GET", "/lots/X", {}, 401),
        ("GET", "/nowhere", {}, 404),
        ("PUT", "/lots/X", {}, 405),
        ("OPTIONS", "/lots/X", {}, 204),
        ("HEAD", "/lots/X", {}, 401),
        ("GET", "/lots/X", {"Host": "evil.example"}, 403),
        ("GET", "/health/bug", {}, 500),
    ],
)
async def test_every_answer_has_them(
    method: str, path: str, headers: dict[str, str], status: int, app: FastAPI
) -> None:
    async with a_client(app) as api:
        answer = await api.request(method, path, headers=headers)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURITY} == dict(SECURITY)
    assert "strict-transport-security" not in answer.headers


async def test_only_https_is_promised_for_later(app: FastAPI) -> None:
    async with a_client(app, "https://localhost") as api:
        answer = await api.get("/health/live")
    assert {name: answer.headers.get(name) for name in HTTPS_ONLY} == dict(HTTPS_ONLY)


async def test_a_page_for_people_keeps_its_own_policy(app: FastAPI) -> None:
    async with a_client(app) as api:
        answer = await api.get("/docs")
    assert answer.headers.get_list("content-security-policy") != [SECURITY["Content-Security-Policy"]]
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_bug_is_told_to_the_log_alone(app: FastAPI) -> None:
    async with a_client(app) as api:
        answer = await api.get("/health/bug")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 500
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


async def test_a_client_that_goes_away_is_no_bug(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as api:
        assert (await api.get("/health/gone")).status_code == 400
