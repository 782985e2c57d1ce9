"""Pages and commands of the other services."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
import structlog

from services.portal.domain.answers import HealthRow
from shared.causes import cause_of
from shared.http.problems import PageRefused
from shared.settings import Settings
from shared.wording import Message, message_of

log = structlog.get_logger()

ANSWER_WITHIN = 20.0
WAIT_SECONDS = 10
HEALTH_SECONDS = 3.0
PAGE = 500
NOT_FOUND = 404
# It works no records of its own.
OPERATIONS = "operations"
AWAY_STATUS = 503
WRONG_FORM = Message("The address or the form is not as this page needs it.")
Row: TypeAlias = dict[str, Any]


class SignedOut(Exception):
    """A service does not take the token: the session has ended meanwhile."""


class OutcomeUnknown(Exception):
    """Nobody knows yet what became of a command. `is_taken`: its service has it; else it may not have arrived."""

    def __init__(self, service: str, *, is_taken: bool) -> None:
        super().__init__(service)
        self.service = service
        self.is_taken = is_taken


@dataclass(frozen=True, slots=True)
class GivenCommand:
    """What became of a command. `refusal`: why nothing was changed; `field`: what it is about."""

    refusal: Message | None = None
    field: str | None = None
    reason: str | None = None


class Services:
    """The other services by their names. `token`: the person's, or None where access control is off.

    Every method raises PageRefused as the service refused, 503 if it does not answer, and SignedOut.
    """

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls = {
            "production": settings.production_url,
            "inventory": settings.inventory_url,
            "festival": settings.festival_url,
            "sales": settings.sales_url,
            "identity": settings.identity_url,
            "gateway": settings.gateway_url,
            "operations": settings.operations_url,
        }
        # A service that does not answer must not keep pages from the others.
        limits = httpx.Limits(max_connections=settings.http_connections, max_keepalive_connections=100)
        self._client = httpx.AsyncClient(
            timeout=ANSWER_WITHIN + WAIT_SECONDS, trust_env=False, transport=transport, limits=limits
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def close(self) -> None:
        await self._client.aclose()

    async def page(self, token: str | None, service: str, *place: str, **query: str | Sequence[str]) -> Any:
        """The page at this place, e.g. `"festival", "festivals", "ODOP"`."""
        return _content(service, await self._get(token, service, _path(place), query))

    async def find(self, token: str | None, service: str, *place: str, **query: str) -> Any | None:
        """The page at this place, or None if there is none."""
        answer = await self._get(token, service, _path(place), query)
        return None if answer.status_code == NOT_FOUND else _content(service, answer)

    async def rows(self, token: str | None, service: str, /, *place: str, **query: str) -> list[Row]:
        """Every row of a list that comes in pages."""
        path, parameters = _path(place), {**query, "limit": str(PAGE)}
        rows: list[Row] = []
        while True:
            answer = await self._get(token, service, path, parameters)
            page: list[Row] = _content(service, answer)
            rows += page
            if len(page) < PAGE:
                return rows
            path, parameters = answer.links["next"]["url"], {}

    async def part(
        self, token: str | None, service: str, *place: str, after: str, limit: int, **query: str
    ) -> tuple[list[Row], str | None]:
        """A part of a list that comes in pages, and what to ask for next; None if that was the last part."""
        answer = await self._get(token, service, _path(place), {**query, "limit": str(limit), "after": after})
        rows: list[Row] = _content(service, answer)
        if len(rows) < limit:
            return rows, None
        return rows, httpx.URL(answer.links["next"]["url"]).params["after"]

    async def command(
        self, token: str | None, service: str, *place: str, body: Mapping[str, Any], id: str
    ) -> GivenCommand:
        """Give a command under this id, so that it counts once, and wait for its outcome. Raises OutcomeUnknown where
        other methods raise 503, and after the wait."""
        if not (id.isascii() and id.isprintable()):
            raise PageRefused(422, WRONG_FORM)
        headers = {**_bearer(token), "Idempotency-Key": id, "Prefer": f"wait={WAIT_SECONDS}"}
        try:
            answer = await self._client.post(f"{self._base(service)}{_path(place)}", json=body, headers=headers)
        except httpx.HTTPError as fault:
            _log_silence(service, fault)
            raise OutcomeUnknown(service, is_taken=False) from None
        match answer.status_code:
            case 200 | 201 | 204:
                return GivenCommand()
            case 202:
                raise OutcomeUnknown(service, is_taken=True)
            case 409:
                problem = _problem(answer)
                return GivenCommand(_sentence(problem), problem.get("field"), problem.get("reason"))
            case 422 if errors := _problem(answer).get("errors"):
                return GivenCommand(_sentences(errors), errors[0]["field"])
        if answer.is_server_error:
            _log_silence(service, RuntimeError(answer.status_code))
            raise OutcomeUnknown(service, is_taken=False)
        raise _refusal(service, answer)

    async def ask(
        self, token: str | None, service: str, *place: str, body: Mapping[str, Any], address: str = ""
    ) -> Row | GivenCommand:
        """The answer to a request that is no command, or its refusal. `address`: of somebody without a token, by
        which the service counts requests."""
        headers = {**_bearer(token), **({"X-Forwarded-For": address} if address else {})}
        try:
            answer = await self._client.post(f"{self._base(service)}{_path(place)}", json=body, headers=headers)
        except httpx.HTTPError as fault:
            raise _away(service, fault) from None
        if answer.is_success:
            return _problem(answer)
        if answer.status_code in (404, 409, 422):
            problem = _problem(answer)
            errors = problem.get("errors")
            return GivenCommand(_sentences(errors) if errors else _sentence(problem), problem.get("field"))
        raise _refusal(service, answer)

    async def health(self) -> list[HealthRow]:
        """The health of each service, all asked at the same time."""
        return list(await asyncio.gather(*(self._health(service) for service in self._urls)))

    async def backlogs(self, token: str | None) -> list[Row]:
        """What each service has still to work; one that does not answer is left out."""
        found = await self.of_each(token, set(self._urls) - {OPERATIONS}, "backlog")
        return [page for page in found.values() if page is not None]

    async def of_each(
        self, token: str | None, services: Collection[str], *place: str, **query: str
    ) -> dict[str, Any | None]:
        """The page at this place of each of these services, all asked at the same time; None of one that does not
        answer."""
        names = [name for name in self._urls if name in services]
        found = await asyncio.gather(*(self._page_unless_away(token, name, place, query) for name in names))
        return dict(zip(names, found, strict=True))

    async def _page_unless_away(
        self, token: str | None, service: str, place: Sequence[str], query: Mapping[str, str]
    ) -> Any | None:
        try:
            return await self.page(token, service, *place, **query)
        except PageRefused as refused:
            if refused.status_code != AWAY_STATUS:
                raise
            return None

    async def _health(self, service: str) -> HealthRow:
        try:
            address = f"{self._base(service)}/health/ready"
            answer = await self._client.get(address, timeout=HEALTH_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return HealthRow(service, "down", str(cause_of(fault)))
        if answer.is_success:
            return HealthRow(service, "works", None)
        return HealthRow(service, "in trouble", str(_problem(answer).get("detail", "")))

    def _base(self, service: str) -> str:
        return self._urls[service].rstrip("/")

    async def _get(
        self, token: str | None, service: str, path: str, query: Mapping[str, str | Sequence[str]]
    ) -> httpx.Response:
        try:
            return await self._client.get(f"{self._base(service)}{path}", params=query, headers=_bearer(token))
        except httpx.HTTPError as fault:
            raise _away(service, fault) from None


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token is not None else {}


def _path(place: Sequence[str]) -> str:
    """The path of the place. Raises PageRefused for a part that would lead to another place."""
    if {"", ".", ".."} & set(place):
        raise PageRefused(NOT_FOUND, Message("There is no such page here."))
    return "/" + "/".join(quote(part, safe="") for part in place)


def _content(service: str, answer: httpx.Response) -> Any:
    if answer.status_code != httpx.codes.OK:
        raise _refusal(service, answer)
    try:
        return answer.json()
    except ValueError as fault:
        raise _away(service, fault) from None


def _refusal(service: str, answer: httpx.Response) -> Exception:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return SignedOut()
    if answer.is_server_error:
        return _away(service, RuntimeError(answer.status_code))
    return PageRefused(answer.status_code, _sentence(_problem(answer)))


def _away(service: str, fault: Exception) -> PageRefused:
    _log_silence(service, fault)
    return PageRefused(
        AWAY_STATUS, Message("The {service} service does not answer. Please try again in a moment.", service=service)
    )


def _log_silence(service: str, fault: Exception) -> None:
    log.warning("service_request_failed", asked=service, fault=repr(fault)[:300])


def _problem(answer: httpx.Response) -> Row:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _sentences(errors: Sequence[Row]) -> Message:
    first, *others = errors
    message = Message("{field}: {message}", field=str(first["field"]), message=_sentence(first))
    return Message("{first}; {others}", first=message, others=_sentences(others)) if others else message


def _sentence(row: Mapping[str, Any]) -> Message:
    """The message of a service, which can be shown in every language if it has a template."""
    if template := row.get("template"):
        return message_of(template, row.get("values") or {})
    return Message("{text}", text=str(row.get("detail") or row.get("message") or ""))
