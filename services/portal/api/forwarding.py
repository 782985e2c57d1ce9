"""Requests of tills and terminals, passed on to other services under the portal's own origin.

The service that gets a request checks the device's token, and counts its requests.
"""

from collections.abc import AsyncIterator, Mapping

import httpx
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.portal.api.people import address_of
from shared.http.problems import PageRefused, problem
from shared.settings import Settings
from shared.wording import Message

log = structlog.get_logger()

# An empty page of news may wait for half a minute.
ANSWER_WITHIN = 45.0
ASKED = ("authorization", "content-type", "content-encoding", "accept", "prefer", "traceparent")
ANSWERED = (
    "cache-control",
    "content-type",
    "content-encoding",
    "retry-after",
    "www-authenticate",
    "ratelimit",
    "ratelimit-policy",
)
AWAY = Message("The {service} service does not answer. Please try again in a moment.")
ROUTES: Mapping[str, tuple[str, ...]] = {
    "gateway": (
        "POST /intake",
        "GET /facilities/{facility}/news",
        "GET /booths/{booth}/news",
    ),
    "identity": (
        "GET /.well-known/oauth-authorization-server",
        "POST /device-codes/{code}/device",
        "POST /device-challenges",
        "POST /device-tokens",
    ),
    "production": ("GET /catalogue",),
    "sales": ("GET /booths/{booth}/devices",),
}


class DeviceForwarding:
    """The services that devices reach through the portal."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls = {
            "gateway": settings.gateway_url,
            "identity": settings.identity_url,
            "production": settings.production_url,
            "sales": settings.sales_url,
        }
        # Devices that wait for news must not keep the records of others back.
        limits = httpx.Limits(max_connections=settings.http_connections, max_keepalive_connections=100)
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, transport=transport, limits=limits)

    async def close(self) -> None:
        await self._client.aclose()

    async def forward(self, request: Request, service: str) -> Response:
        """The service's answer, as it comes. Raises PageRefused 503 if the service is not known here."""
        if not (base := self._urls[service].rstrip("/")):
            raise PageRefused(503, Message(AWAY.template, service=service))
        # As it came: a name with a special character must not become another path.
        came = request.scope["raw_path"].decode("ascii").partition("?")[0]
        if not came.startswith(f"/{service}/") or {".", ".."} & set(request.scope["path"].split("/")):
            raise PageRefused(404, Message("There is no such page here."))
        path = came.removeprefix(f"/{service}")
        headers = {name: value for name in ASKED if (value := request.headers.get(name)) is not None}
        # Without it the client would ask for its own choice of encodings.
        headers["accept-encoding"] = request.headers.get("accept-encoding", "identity")
        headers["x-forwarded-for"] = address_of(request)
        content = request.stream() if request.method == "POST" else None
        address = httpx.URL(f"{base}{path}", query=request.url.query.encode() or None)
        passed_on = self._client.build_request(request.method, address, headers=headers, content=content)
        try:
            answer = await self._client.send(passed_on, stream=True)
        except httpx.HTTPError as fault:
            log.warning("forwarding_failed", to=service, fault=repr(fault)[:300])
            return problem(503, Message("The request was not passed on"), Message(AWAY.template, service=service))
        return StreamingResponse(_content(answer), answer.status_code, _headers(answer, service))


def routes(forwarding: DeviceForwarding) -> APIRouter:
    """The router of what is passed on."""
    router = APIRouter()

    for service, names in ROUTES.items():
        for name in names:
            method, path = name.split()
            _add(router, forwarding, service, method, path)

    return router


def _add(router: APIRouter, forwarding: DeviceForwarding, service: str, method: str, path: str) -> None:
    async def passed_on(request: Request) -> Response:
        return await forwarding.forward(request, service)

    router.add_api_route(f"/{service}{path}", passed_on, methods=[method])


def _headers(answer: httpx.Response, service: str) -> dict[str, str]:
    headers = {name: value for name in ANSWERED if (value := answer.headers.get(name)) is not None}
    # The address of the next page is a path of the service.
    if link := answer.headers.get("link"):
        headers["link"] = link.replace("</", f"</{service}/")
    return headers


async def _content(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
