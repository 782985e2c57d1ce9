"""A search of each API by its own OpenAPI document finds no fault: no 5xx, and no answer that is not documented.

The search is Schemathesis, over a real server, with and without a token. Examples and time are bounded, and the seed
is fixed: a test must not fail by chance. `--search-examples 50` tries more of each operation.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
import uvicorn
from fastapi import APIRouter

from services.festival.store import ENTRIES
from services.identity.domain.account import Account, HeldRole
from services.identity.store import ACCOUNTS, SECRETS, Secrets
from shared.access.rights import RIGHTS, Grant
from shared.events.identity import Role
from shared.http.server import application, listen, server_config
from shared.mongo import Mongo
from shared.runtime.arrival import ARRIVED
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, bearer, token_of, with_access
from tests.support.probe import Probe
from tests.support.sown import island_told, products_told
from tests.support.waiting import eventually

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway")
SEARCH = str(Path(sys.executable).with_name("schemathesis"))
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
# Of one test. The search itself ends sooner, unless very many examples are asked for.
LONGEST_SECONDS = 3600
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
    if name == "identity":
        # A chore of the service does so.
        await Secrets(service.mongo.database(SECRETS)).prepare()
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


@dataclass(frozen=True, slots=True)
class Search:
    """A search with so many examples of each operation. What it keeps lies in `folder`."""

    examples: int
    folder: Path

    async def __call__(self, address: str, headers: dict[str, str], phases: str) -> tuple[int, str]:
        """The exit code of the search, and what it wrote. Raises TimeoutError."""
        named = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
        process = await asyncio.create_subprocess_exec(
            *(SEARCH, "run", f"{address}/openapi.json", "--no-color", "--workers", "1", "--seed", "1"),
            *("--generation-database", "none", "--checks", CHECKS, "--phases", phases),
            *("--max-examples", str(self.examples), "--request-timeout", "20", *named),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            written, _ = await asyncio.wait_for(process.communicate(), 200 + 20 * self.examples)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, written.decode()


@pytest.fixture
def search(request: pytest.FixtureRequest, tmp_path: Path) -> Search:
    return Search(request.config.getoption("--search-examples"), tmp_path)


async def account_stored(mongo: Mongo) -> None:
    """The caller's account, which identity looks at."""
    account = Account(SUBJECT, "c1", datetime.now(UTC), tuple(HeldRole(grant.role, grant.scope) for grant in ALL))
    document = {"_id": SUBJECT, ARRIVED: "00-0000000001", **ACCOUNTS.to_document(account)}
    await mongo.database("identity")[ACCOUNTS.name].insert_one(document)


async def catalogue_told(probe: Probe, mongo: Mongo) -> None:
    """Festival knows a product and an island: before that, 503 is the right answer to its commands."""
    await products_told(probe, "KTI")
    await island_told(probe, "timor")
    entries = mongo.database("festival")[ENTRIES.name]
    await eventually(lambda: entries.count_documents({}), equals=2)


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS)
@pytest.mark.parametrize("name", SERVICES)
async def test_a_search_with_a_token_finds_nothing(
    name: str, settings: Settings, probe: Probe, mongo: Mongo, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.commands.MAX_WAIT_SECONDS", 0.05)
    monkeypatch.setattr("services.festival.api.completion.QUIET", 0.0)
    # Made-up names are nobody's place: with limits the search would hear 403 and reach no function of a route.
    monkeypatch.setattr("shared.access.rights._permits", lambda grant, action, _: action in RIGHTS[grant.role])
    async with serving(name, settings) as address:
        if name == "festival":
            await catalogue_told(probe, mongo)
        if name == "identity":
            await account_stored(mongo)
        code, written = await search(address, bearer(token_of(*ALL)), "examples,coverage,fuzzing,stateful")
    assert code == 0, written


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS)
@pytest.mark.parametrize("name", SERVICES)
async def test_a_search_by_a_stranger_finds_nothing(name: str, settings: Settings, search: Search) -> None:
    async with serving(name, settings) as address:
        code, written = await search(address, {}, "examples,fuzzing")
    assert code == 0, written


async def test_a_search_finds_a_fault(settings: Settings, search: Search) -> None:
    router = APIRouter()

    @router.get("/health/quotient")
    async def quotient(divisor: int) -> float:
        return 1 / (divisor - divisor)

    async with serving("inventory", settings, router) as address:
        code, written = await search(address, {}, "fuzzing")
    assert code == 1, written
    assert "Server error" in written
