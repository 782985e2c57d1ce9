"""Who hears why a service is not well: callers on its machine, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from shared.http.health import NOT_TOLD
from shared.http.server import application
from shared.loopback import is_loopback
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, with_access

CAUSE = "MongoDB does not answer: 10.0.0.7:27017: connection refused"


@asynccontextmanager
async def asked_from(host: str) -> AsyncIterator[httpx.AsyncClient]:
    service = Service("sales", (), with_access(Settings()))
    for name in ("liveness_failures", "startup_failures", "readiness_failures"):
        setattr(service, name, lambda: [CAUSE])
    app = application(service, "sales", APIRouter(), FixedKeys())
    transport = httpx.ASGITransport(app=app, client=(host, 50_000))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client
    finally:
        await service.mongo.close()


async def details(host: str, **options: Any) -> set[str]:
    async with asked_from(host) as client:
        answers = [await client.get(f"/health/{page}", **options) for page in ("live", "started", "ready")]
    assert {answer.status_code for answer in answers} == {503}
    return {answer.json()["detail"] for answer in answers}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
async def test_a_caller_on_the_machine_hears_the_causes(host: str) -> None:
    assert await details(host) == {CAUSE}


@pytest.mark.parametrize("host", ["192.0.2.7", "172.17.0.1", "2001:db8::1", "unix"])
async def test_a_stranger_hears_that_there_are_causes(host: str) -> None:
    assert await details(host) == {NOT_TOLD.english}


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
async def test_a_proxy_on_the_machine_makes_nobody_local(header: str) -> None:
    assert await details("127.0.0.1", headers={header: "127.0.0.1"}) == {NOT_TOLD.english}


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "karya.example", "127.0.0.1.example", "localhost."]
)
def test_what_others_may_have_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
