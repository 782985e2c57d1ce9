"""A search of each API by its own OpenAPI document finds no fault: no 5xx, and no answer that is not documented.

The search is Schemathesis, over a real server, with and without a token. It is bounded by a number of examples for
each operation, and its seed is fixed: a test must not fail by chance.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import pytest
import uvicorn
from fastapi import APIRouter

from services.festival.store import ENTRIES
from shared.access.rights import RIGHTS, Grant
from shared.events.identity import Role
from shared.http.server import application, listen, server_config
from shared.mongo import Mongo
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, bearer, token_of, with_access
from tests.support.probe import Probe
from tests.support.sown import island_told, products_told
from tests.support.waiting import eventually

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")
SEARCH = str(Path(sys.executable).with_name("schemathesis"))
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
EXAMPLES = 3
WITHIN_SECONDS = 280
# Every role, so that a search with this token gets past access control.
ALL = [
    Grant(Role.ADMINISTRATOR),
    Grant(Role.OPERATOR),
    Grant(Role.AUDITOR),
    Grant(Role.ORGANISER, "*"),
    Grant(Role.FACILITY_STAFF, "PR-KPG"),
    Grant(Role.CASHIER, "ODOP.B1"),
]


@asynccontextmanager
async def serving(name: str, settings: Settings, router: APIRouter | None = None) -> AsyncIterator[str]:
    """The address of a whole service, with access control and without bounds of rates."""
    changes = {"http_rate": 0, "http_rate_strangers": 0}
    processors = import_module(f"services.{name}.handlers").PROCESSORS
    service = Service(name, processors, with_access(settings).model_copy(update=changes))
    app = application(service, name, router or import_module(f"services.{name}.api").routes(service), FixedKeys())
    config = server_config(app, service.settings)
    # A service that does not start would end its process.
    config.lifespan = "off"
    await service.start()
    server = uvicorn.Server(config)
    listening = listen("127.0.0.1", 0)
    # `serve` would take the signals of the tests' process.
    running = asyncio.create_task(server._serve([listening]))
    try:
        await eventually(lambda: server.started, equals=True)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await service.stop()


async def search(address: str, headers: dict[str, str], phases: str, folder: Path) -> tuple[int, str]:
    """The exit code of the search, and what it wrote. What it keeps lies in `folder`."""
    named = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    process = await asyncio.create_subprocess_exec(
        *(SEARCH, "run", f"{address}/openapi.json", "--no-color", "--workers", "1", "--seed", "1"),
        *("--generation-database", "none", "--checks", CHECKS, "--phases", phases),
        *("--max-examples", str(EXAMPLES), "--request-timeout", "20", *named),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        written, _ = await asyncio.wait_for(process.communicate(), WITHIN_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, written.decode()


async def catalogue_told(probe: Probe, mongo: Mongo) -> None:
    """Festival knows a product and an island: before that, 503 is the right answer to its commands."""
    await products_told(probe, "KTI")
    await island_told(probe, "timor")
    entries = mongo.database("festival")[ENTRIES.name]
    await eventually(lambda: entries.count_documents({}), equals=2)


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_SECONDS + 20)
@pytest.mark.parametrize("name", SERVICES)
async def test_a_search_with_a_token_finds_nothing(
    name: str, settings: Settings, probe: Probe, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.commands.MAX_WAIT_SECONDS", 0.05)
    monkeypatch.setattr("services.festival.api.completion.QUIET", 0.0)
    # Made-up names are nobody's place: with limits the search would hear 403 and reach no function of a route.
    monkeypatch.setattr("shared.access.rights._permits", lambda grant, action, _: action in RIGHTS[grant.role])
    async with serving(name, settings) as address:
        if name == "festival":
            await catalogue_told(probe, mongo)
        code, written = await search(address, bearer(token_of(*ALL)), "examples,coverage,fuzzing,stateful", tmp_path)
    assert code == 0, written


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_SECONDS + 20)
@pytest.mark.parametrize("name", SERVICES)
async def test_a_search_by_a_stranger_finds_nothing(name: str, settings: Settings, tmp_path: Path) -> None:
    async with serving(name, settings) as address:
        code, written = await search(address, {}, "examples,fuzzing", tmp_path)
    assert code == 0, written


async def test_a_search_finds_a_fault(settings: Settings, tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/health/quotient")
    async def quotient(divisor: int) -> float:
        return 1 / (divisor - divisor)

    async with serving("inventory", settings, router) as address:
        code, written = await search(address, {}, "fuzzing", tmp_path)
    assert code == 1, written
    assert "Server error" in written
