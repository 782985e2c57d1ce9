"""The page about HTTP names every endpoint of the six services and of operations, and none that is not there."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from ops.service.api import routes
from ops.service.runs import Runs
from shared.runtime.service import Service
from shared.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "http.md"
SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway", "operations")


def documented(service: str) -> set[str]:
    """`GET /lots` and so on, from the service's table."""
    table = PAGE.read_text().split(f"| {service} | |\n", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", table, re.MULTILINE))


async def served_paths(name: str) -> set[str]:
    router: APIRouter
    service = Service(name, (), Settings())
    try:
        if name == "operations":
            router = routes(Runs(Settings()))
        else:
            router = import_module(f"services.{name}.api").routes(service)
    finally:
        await service.mongo.close()
    app = FastAPI()
    app.include_router(router)
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.parametrize("service", SERVICES)
async def test_the_page_names_every_endpoint(service: str) -> None:
    endpoints = await served_paths(service)
    assert endpoints
    assert documented(service) == endpoints
