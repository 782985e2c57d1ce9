"""The portal without servers: its documents in memory, and services that a test controls."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
import uvicorn
from fastapi import FastAPI
from pymongo.errors import DuplicateKeyError

from services.identity.store.provider_sign_ins import challenge_of
from services.portal.api import portal
from services.portal.clients.identity import METADATA
from services.portal.store import PublicStream
from shared.access.rights import Grant
from shared.http.server import server_config
from shared.runtime.plain_service import PlainService
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, token_of, with_access
from tests.support.waiting import eventually

PORTAL = "http://127.0.0.1:8007"
PASSWORD = "sepuluh kata acak"
PROVIDER = "https://provider.test"
_COMPARISONS = {"$gt": lambda value, other: value > other, "$lte": lambda value, other: value <= other}

FESTIVAL = {
    "festival": "ODOP",
    "name": "One Day <One>",
    "place": "Kupang",
    "zone": "Asia/Makassar",
    "first_day": "2026-04-18",
    "last_day": "2026-04-20",
    "status": "open",
    "sums": None,
}


def pages_of(festival: dict[str, Any]) -> dict[str, Any]:
    """What the festival service answers of a festival that was just announced."""
    place = f"festival/festivals/{festival['festival']}"
    missing = {"template": "Close the festival when the last sale was made.", "values": {}, "message": "…"}
    return {
        "festival/festivals": [festival],
        place: festival,
        f"{place}/booths": [],
        f"{place}/requests": [],
        f"{place}/shipments": [],
        f"{place}/transfers": [],
        "sales/disputes": [],
        "sales/sell-through": [],
        "sales/booths": [],
        "sales/strays": [],
        f"{place}/missing": {"missing": [{"what": "not_closed", "blocks": True, **missing}]},
    }


class Documents:
    """A collection in memory, as far as sessions need one."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, Any]] = {}

    async def create_index(self, *_: object, **__: object) -> None:
        """Nothing is removed by itself here."""

    async def insert_one(self, document: dict[str, Any]) -> None:
        if document["_id"] in self.all:
            raise DuplicateKeyError(document["_id"])
        self.all[document["_id"]] = deepcopy(document)

    def find(self, query: Mapping[str, Any]) -> "Documents":
        """A cursor: the documents of the query."""
        found = Documents()
        found.all = {id: document for id, document in self.all.items() if _fits(document, query)}
        return found

    def sort(self, field: str, _order: int) -> "Documents":
        self.all = dict(sorted(self.all.items(), key=lambda item: item[1][field]))
        return self

    async def to_list(self, _length: None) -> list[dict[str, Any]]:
        return deepcopy(list(self.all.values()))

    async def find_one(self, query: Mapping[str, Any]) -> dict[str, Any] | None:
        found = next((document for document in self.all.values() if _fits(document, query)), None)
        return deepcopy(found)

    async def find_one_and_update(self, query: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any] | None:
        former = await self.find_one(query)
        if former is not None:
            self.all[former["_id"]] |= update["$set"]
        return former

    async def update_one(self, query: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        await self.find_one_and_update(query, update)

    async def delete_one(self, query: Mapping[str, Any]) -> None:
        if (former := await self.find_one(query)) is not None:
            del self.all[former["_id"]]


def _fits(document: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    for name, wanted in query.items():
        if isinstance(wanted, dict):
            if not all(_COMPARISONS[sign](document[name], other) for sign, other in wanted.items()):
                return False
        elif document.get(name) != wanted:
            return False
    return True


class OtherServices:
    """The services that the portal asks, by the names of their hosts. A person signs in as `organiser`.

    `pages`: what a GET of a service answers, by `service/path`. `then`: the pages that a POST changes, by its path.
    `asked`: every request, with its token. `queries`: the latest of each page. `strangers`: the address that each
    request without a token named.
    `lifetime`: of the next access token. `away`: the services that do not answer.
    `methods`: how people sign in. `begun`: the challenges of sign-ins at the provider, by their states.
    `sign_in_error`: why identity gives no session for the next one.
    """

    def __init__(self, *grants: Grant) -> None:
        self.grants = grants
        self.pages: dict[str, Any] = {}
        self.outcomes: dict[str, httpx.Response] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.then: dict[str, dict[str, Any]] = {}
        self.queries: dict[str, str] = {}
        self.commands: list[tuple[str, Any, str | None]] = []
        self.addresses: list[str | None] = []
        self.strangers: dict[str, str | None] = {}
        self.lifetime = timedelta(minutes=5)
        self.away: set[str] = set()
        self.refresh_token = ""
        self.refreshes = 0
        self.ended = 0
        self.access_token = ""
        self.stream = PublicStream()
        self.stream.mark_whole()
        self.methods = ["password"]
        self.begun: dict[str, str] = {}
        self.callbacks: list[str] = []
        self.provider = PROVIDER
        self.sign_in_error = ""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answer(request)
        # As it comes over HTTP: not read yet.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        service = request.url.host.partition(".")[0]
        if service in self.away:
            raise httpx.ConnectError("nothing listens there")
        path = unquote(request.url.path)
        body = await request.aread()
        if service == "identity" and request.method == "POST" and path.startswith("/sessions"):
            self.addresses.append(request.headers.get("x-forwarded-for"))
            return self._sessions(path, json.loads(body))
        if service == "identity" and path == METADATA:
            provider = "Balai" if "provider" in self.methods else None
            return httpx.Response(200, json={"sign_in_methods_supported": self.methods, "sign_in_provider": provider})
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or None
        name = f"{service}{path}"
        self.asked.append((name, token))
        self.queries[name] = request.url.query.decode()
        if token is None:
            self.strangers[name] = request.headers.get("x-forwarded-for")
        if request.method == "POST":
            self.commands.append((name, body, request.headers.get("idempotency-key")))
            self.pages |= self.then.get(name, {})
            return self.outcomes.get(name, httpx.Response(200, json={}))
        page = self.pages.get(name)
        if page is None:
            return httpx.Response(404, json={"detail": "unknown", "template": "unknown", "values": {}})
        return page if isinstance(page, httpx.Response) else httpx.Response(200, json=page)

    def _sessions(self, path: str, body: Mapping[str, str]) -> httpx.Response:
        if path == "/sessions/provider/begin":
            return self._begin(body)
        if path == "/sessions/provider/finish":
            challenge = self.begun.pop(body["state"], "")
            if challenge != challenge_of(body["code_verifier"]):
                return httpx.Response(403, json={"reason": "unknown_sign_in"})
            if self.sign_in_error or body.get("error"):
                return httpx.Response(403, json={"reason": self.sign_in_error or body["error"]})
        elif path == "/sessions":
            if body["password"] != PASSWORD:
                template = "The login or the password is wrong, or the account is closed."
                return httpx.Response(401, json={"detail": template, "template": template, "values": {}})
        elif body["refresh_token"] != self.refresh_token:
            # As identity does: an old token ends the session.
            self.refresh_token = ""
            return httpx.Response(401, json={})
        elif path == "/sessions/end":
            self.refresh_token = ""
            self.ended += 1
            return httpx.Response(204)
        else:
            self.refreshes += 1
        self.refresh_token = f"refresh-{self.refreshes}-{len(self.addresses)}"
        issued_at = datetime.now(UTC) - timedelta(minutes=5) + self.lifetime
        self.access_token = token_of(*self.grants, now=issued_at)
        return httpx.Response(
            200,
            json={
                "access_token": self.access_token,
                "token_type": "Bearer",
                "expires_in": self.lifetime.total_seconds(),
                "refresh_token": self.refresh_token,
                "subject": SUBJECT,
            },
        )

    def _begin(self, body: Mapping[str, str]) -> httpx.Response:
        """As identity does for a portal that it knows."""
        if self.sign_in_error:
            return httpx.Response(403, json={"reason": self.sign_in_error})
        self.callbacks.append(body["redirect_uri"])
        state = f"state-{len(self.callbacks)}"
        self.begun[state] = body["code_challenge"]
        query = urlencode({"state": state, "redirect_uri": body["redirect_uri"]})
        return httpx.Response(200, json={"address": f"{self.provider}/authorize?{query}"})


def an_application(
    others: OtherServices, documents: Documents | None = None, **settings: Any
) -> tuple[FastAPI, PlainService]:
    """The portal's application among these services. `settings`: others than usual."""
    names = ("production", "inventory", "festival", "sales", "identity", "gateway", "operations")
    urls = {f"{name}_url": f"http://{name}.test" for name in names}
    service = PlainService("portal", with_access(Settings(**urls)).model_copy(update=settings))
    service.database = {  # type: ignore[assignment]
        "sessions": documents or Documents(),
        "statements": Documents(),
        "pulse": Documents(),
    }
    return portal(service, FixedKeys(), httpx.MockTransport(others.answer), others.stream), service


@asynccontextmanager
async def a_portal(
    others: OtherServices, documents: Documents | None = None, base: str = PORTAL, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the portal, without a session."""
    app, service = an_application(others, documents, **settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=base) as browser:
            browser.headers["Accept-Language"] = "en"
            yield browser
    finally:
        await service.stop()


@asynccontextmanager
async def served_portal(others: OtherServices, **settings: Any) -> AsyncIterator[str]:
    """The address of a portal that a real browser can reach."""
    app, service = an_application(others, **settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(server_config(app, service.settings))
        serving = asyncio.create_task(server._serve([listening]))
        try:
            await eventually(lambda: server.started, equals=True, within=20)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def seen_of(page: str, which: int = 0) -> dict[str, str]:
    """What the page's form says that its reader has seen, for the form to send. `which`: of several forms."""
    return {"seen": re.findall(r'name="seen" value="([^"]*)"', page)[which]}


async def sign_in(browser: httpx.AsyncClient, password: str = PASSWORD, next: str = "/") -> httpx.Response:
    form = {"login": "organiser", "password": password, "next": next}
    return await browser.post("/sign-in", data=form)
