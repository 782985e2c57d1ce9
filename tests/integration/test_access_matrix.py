"""Every route of every service, asked by every role with the right and with a wrong scope, over HTTP."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import httpx
import pytest
from joserfc import jwt

from deploy.local.services import OPERATIONS
from ops.service.api import operations
from services.identity.domain.account import Account, HeldRole
from services.identity.store import ACCOUNTS
from shared.access.rights import Grant, Limit
from shared.access.routes import ROUTES, RouteRight
from shared.access.tokens import new_key
from shared.events.identity import Role
from shared.http.server import application
from shared.runtime.plain_service import PlainService
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import ISSUER, KEY, SUBJECT, FixedKeys, bearer, headers_of, token_of, with_access
from tests.support.content_rights import OWN, SAMPLES, Sample, documents
from tests.support.rights import expected

pytestmark = pytest.mark.integration

# The portal knows people by their sessions, and has no right of its own: tests/unit/portal.
SERVICES = sorted(ROUTES.keys() - {"portal"})
OTHERS = {Limit.FACILITY: "LP-WKB", Limit.FESTIVAL: "FRW", Limit.BOOTH: "ODOP.B10"}
NAMES = {
    "facility": "PR-KPG",
    "festival": "ODOP",
    "booth": "ODOP.B1",
    "lot": "PR-KPG-KTI-230418-007-4",
    "entry": "facility/PR-KPG",
    "product": "KTI",
}
# Refused as a body, but only once the caller may do it at all.
WRONG = {"no such field": 1}
KINDS = {
    Role.FACILITY_STAFF: Limit.FACILITY,
    Role.CASHIER: Limit.BOOTH,
    Role.ORGANISER: Limit.FESTIVAL,
    Role.TERMINAL: Limit.FACILITY,
    Role.TILL: Limit.BOOTH,
}


@asynccontextmanager
async def an_api(name: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application of a service that works no lanes, with access control."""
    # More requests come at once than one caller may send.
    without_rates = with_access(settings).model_copy(update={"http_rate": 0, "http_rate_strangers": 0})
    service: Service | PlainService
    if name == OPERATIONS:
        service = PlainService(name, without_rates)
        app = operations(service, FixedKeys())
    else:
        service = Service(name, (), without_rates)
        app = application(service, name, import_module(f"services.{name}.api").routes(service), FixedKeys())
    try:
        if name == "identity":
            # Identity compares a token's roles with those that its account has now.
            roles = tuple(HeldRole(grant.role, grant.scope) for role in Role for grant, _ in grants(role))
            account = Account(SUBJECT, "c1", datetime.now(UTC), roles)
            await service.database[ACCOUNTS.name].insert_one({"_id": SUBJECT, **ACCOUNTS.to_document(account)})
        for collection, found in documents(name).items():
            await service.database[collection].insert_many(found)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            yield client
    finally:
        await service.stop()


def requests(document: dict[str, Any], name: str) -> Iterator[tuple[RouteRight, httpx.Request]]:
    """A request for each route, at places of the own scope: in its path, its query or its body."""
    operations = {
        f"{method.upper()} {path}": (path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    private = {row for row, right in ROUTES[name].items() if right.action is not None}
    assert private <= operations.keys(), "a route that is left out of the document is left out of the matrix"
    for row, right in ROUTES[name].items():
        if row in operations:
            path, operation = operations[row]
            filled = re.sub(r"\{(\w+)\}", lambda match: NAMES.get(match[1], "X1"), path)
            in_query = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
            query = {name: NAMES[name] for name in ("facility", "festival") if name in in_query}
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            body = {name: NAMES[name] for name in schema.get("properties", {}) if name in NAMES} | WRONG
            method = row.partition(" ")[0]
            yield (
                right,
                httpx.Request(
                    method,
                    f"http://localhost{filled}",
                    params=query,
                    content=json.dumps(body) if method == "POST" else None,
                    headers={"Content-Type": "application/json"} if method == "POST" else None,
                ),
            )


def grants(role: Role) -> Iterator[tuple[Grant, bool]]:
    """The role with its scope of the request's place, and of another place; and whether it is the own one."""
    kind = KINDS.get(role)
    if kind is None:
        yield Grant(role, "karya.public.sales.v1" if role is Role.SUBSCRIBER else None), True
    else:
        yield Grant(role, OWN[kind]), True
        yield Grant(role, OTHERS[kind]), False
        yield Grant(role, None), False


def is_named(request: httpx.Request, name: str) -> bool:
    """Whether the request names this facility, festival or booth: a limited role may not ask for everything."""
    return name in f"{request.url} {request.content.decode()}"


async def answer(api: httpx.AsyncClient, request: httpx.Request, headers: dict[str, str]) -> httpx.Response:
    request.headers.pop("authorization", None)
    request.headers.update(headers)
    return await api.send(request)


@pytest.mark.parametrize("name", SERVICES)
async def test_each_role_may_do_what_the_table_says_and_nothing_else(name: str, settings: Settings) -> None:
    rights = expected()
    asked = 0
    async with an_api(name, settings) as api:
        document = (await api.get("/openapi.json")).json()
        for right, request in requests(document, name):
            if right.action is None:
                assert (await answer(api, request, {})).status_code not in (401, 403), request.url
                continue
            for role in Role:
                for grant, own in grants(role):
                    permitted = any(
                        limit is None or right.checked_later or (own and is_named(request, OWN[limit]))
                        for action, limit in rights[role].items()
                        if action in (right.action, *right.others)
                    )
                    status = (await answer(api, request, headers_of([grant]))).status_code
                    about = f"{request.method} {request.url} as {grant}: {status}"
                    assert status != 401, about
                    assert (status != 403) == permitted, about
                    asked += 1
    assert asked >= 12


def is_refused(response: httpx.Response) -> bool:
    """Whether the caller has no right to this. The intake says so of each record."""
    if response.status_code == 200 and isinstance(records := response.json(), list):
        return any(record.get("reason") == "no_right" for record in records)
    return response.status_code == 403


def filled_in(sample: Sample) -> httpx.Request:
    method, _, path = sample.row.partition(" ")
    kind = "application/cloudevents-batch+json" if sample.row == "POST /intake" else "application/json"
    content = None if sample.body is None else json.dumps(sample.body)
    url = f"http://localhost{path.format(**sample.names)}"
    return httpx.Request(method, url, content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize("name", sorted({sample.service for sample in SAMPLES}))
async def test_what_a_request_says_limits_each_role_to_its_own_place(name: str, settings: Settings) -> None:
    async with an_api(name, settings) as api:
        for sample in SAMPLES:
            for role in Role if sample.service == name else ():
                for grant, own in grants(role):
                    response = await answer(api, filled_in(sample), headers_of([grant]))
                    about = f"{sample.row} {sample.body} as {grant}: {response.status_code} {response.text[:200]}"
                    assert is_refused(response) == (not own or role not in sample.permitted), about
                    assert response.status_code < 500, about


def test_every_route_that_needs_more_than_its_row_has_a_sample() -> None:
    open_rows = {
        (name, row)
        for name, rows in ROUTES.items()
        for row, right in rows.items()
        if right.checked_later or right.others
    }
    assert open_rows == {(sample.service, sample.row) for sample in SAMPLES}


@pytest.mark.parametrize("name", SERVICES)
async def test_no_route_is_open_without_a_valid_token(name: str, settings: Settings) -> None:
    every = [Grant(role, OWN[KINDS[role]] if role in KINDS else None) for role in Role]
    claims = {"iss": ISSUER, "aud": "karya", "sub": SUBJECT, "exp": 2**40, "iat": 0, "roles": [str(g) for g in every]}
    unsigned = jwt.encode({"alg": "none", "typ": "at+jwt", "kid": "test"}, claims, KEY, algorithms=["none"])
    faults = {
        "no token": {},
        "an expired token": bearer(token_of(*every, now=datetime.now(UTC) - timedelta(minutes=6))),
        "alg=none": bearer(unsigned),
        "a key of somebody else": bearer(token_of(*every, key=new_key("test"))),
        "an unknown key": bearer(token_of(*every, key=new_key("other"))),
        "basic": {"Authorization": "Basic YTpi"},
        "an empty token": {"Authorization": "Bearer "},
    }
    async with an_api(name, settings) as api:
        document = (await api.get("/openapi.json")).json()
        for right, request in requests(document, name):
            if right.action is None:
                continue
            for fault, headers in faults.items():
                refused = await answer(api, request, headers)
                assert refused.status_code == 401, f"{request.method} {request.url} with {fault}"
                assert refused.headers["www-authenticate"].startswith("Bearer")
                assert refused.headers["content-type"] == "application/problem+json"


async def test_a_route_without_a_row_is_refused_to_everybody(settings: Settings) -> None:
    service = Service("sales", (), with_access(settings))
    router = import_module("services.sales.api").routes(service)

    @router.get("/everything")
    async def everything() -> str:
        return "all of it"

    app = application(service, "sales", router, FixedKeys())
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as api:
            for role in Role:
                assert (await api.get("/everything", headers=headers_of([Grant(role)]))).status_code == 403
    finally:
        await service.stop()


async def test_a_list_needs_the_filter_of_a_limited_role(settings: Settings) -> None:
    staff, auditor = headers_of([Grant(Role.FACILITY_STAFF, "PR-KPG")]), headers_of([Grant(Role.AUDITOR)])
    async with an_api("inventory", settings) as api:
        assert (await api.get("/lots", headers=staff)).status_code == 403
        # The page takes the last of two.
        assert (await api.get("/lots?facility=PR-KPG&facility=LP-WKB", headers=staff)).status_code == 403
        assert (await api.get("/lots?facility=PR-KPG", headers=staff)).status_code != 403
        assert (await api.get("/lots", headers=auditor)).status_code != 403
