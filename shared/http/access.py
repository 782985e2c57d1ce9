"""Access control of HTTP: every request names its caller by a token, and needs the right that its route needs.

A route without a row in `shared.access.routes` is refused to everybody.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol

from fastapi import Request
from fastapi.routing import APIRoute
from joserfc.jwk import KeySet
from pydantic_core import from_json

from shared.access.rights import RIGHTS, Action, Limit
from shared.access.routes import ROUTES, RouteRight
from shared.access.tokens import ANYBODY, Caller, TokenRefused, UnknownSigningKey, check
from shared.events import lot_number
from shared.events.catalogue import EntryKind, code_of, kind_of
from shared.http.problems import PageRefused
from shared.http.rates import Rates
from shared.settings import AccessControl, Settings
from shared.wording import Message

_SCHEME = "bearer"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="karya"'}
INVALID_TOKEN = {"WWW-Authenticate": 'Bearer realm="karya", error="invalid_token"'}
NO_SCOPE = {"WWW-Authenticate": 'Bearer realm="karya", error="insufficient_scope"'}
NO_TOKEN = Message("Sign in first: `karya login`. A program sends its access token as `Authorization: Bearer`.")
HEALTH = "/health/"
NO_RIGHT = Message("Your account may not do this. An organiser or administrator can grant the role that it needs.")


class SigningKeys(Protocol):
    """The public keys of identity."""

    async def known(self) -> KeySet:
        """The keys at hand. Raises PageRefused 503 if there are none yet."""

    async def newest(self) -> KeySet:
        """The keys after identity was asked again, if that has not just been done."""


def access_control(
    service: str, settings: Settings, keys: SigningKeys, rates: Rates
) -> Callable[[Request], Awaitable[None]]:
    """A dependency of every route of this service. It raises PageRefused: 401 without a valid token, 403 without the
    right, and 429 for a caller with too many requests. Health has no such bound, nor has open access."""
    routes = ROUTES.get(service, {})

    async def authorize(request: Request) -> None:
        route = request.scope["route"]
        # A mounted application or a file has no row: nothing of a service is served so.
        path = route.path_format if isinstance(route, APIRoute) else ""
        right = routes.get(f"{request.method} {path}")
        if path.startswith(HEALTH):
            return
        if settings.access is AccessControl.OPEN:
            request.state.caller = ANYBODY
            return
        if right is not None and right.action is None:
            rates.count_stranger(request)
            return
        try:
            caller = await _caller(request, keys, settings.issuer)
        except PageRefused as refused:
            # After the token, not before it: strangers must not use up what callers behind the same proxy have.
            if refused.status_code == 401:
                rates.count_stranger(request)
            raise
        assert caller.subject is not None, "a token names its subject"
        rates.count_account(request, caller.subject)
        if right is None or not await _is_permitted(request, right, caller):
            raise PageRefused(403, NO_RIGHT, NO_SCOPE)
        request.state.caller = caller

    return authorize


def caller_of(request: Request) -> Caller:
    """The caller of a request that access control has let through."""
    caller: Caller = request.state.caller
    return caller


def require(request: Request, action: Action, place: Mapping[Limit, str]) -> None:
    """Raise PageRefused 403 unless the caller may do this at this place, which the page itself had to read."""
    if not caller_of(request).may(action, place):
        raise PageRefused(403, NO_RIGHT, NO_SCOPE)


async def _caller(request: Request, keys: SigningKeys, issuer: str) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token:
        raise PageRefused(401, NO_TOKEN, CHALLENGE)
    try:
        try:
            return check(token, await keys.known(), issuer=issuer)
        except UnknownSigningKey:
            return check(token, await keys.newest(), issuer=issuer)
    except TokenRefused as refused:
        raise PageRefused(401, refused.message, INVALID_TOKEN) from None


async def _is_permitted(request: Request, right: RouteRight, caller: Caller) -> bool:
    assert right.action is not None
    actions = {right.action, *right.others}
    if right.checked_later:
        return any(actions & RIGHTS[grant.role].keys() for grant in caller.grants)
    place = dict(_place(await _named(request)))
    return any(caller.may(action, place) for action in actions)


async def _named(request: Request) -> Mapping[str, Any]:
    """What the request names in its path and its body, or of a page in its path and its query.

    A page reads no body and a command no query, so neither may say where the caller is. A command whose body differs
    from its path is refused later, and so is one that names a field twice.
    """
    if request.method != "POST":
        return {**request.query_params, **request.path_params}
    try:
        body = from_json(await request.body() or b"{}", allow_inf_nan=False)
    except ValueError:
        body = {}  # refused with a sentence of its own, if the path alone permits it
    return {**(body if isinstance(body, dict) else {}), **request.path_params}


def facility_limit(lot: str) -> Mapping[Limit, str]:
    """The facility whose goods the lot of this number is; empty for what is no lot number."""
    number = lot_number.parse(lot)
    return {} if number is None else {Limit.FACILITY: number.facility}


def _place(named: Mapping[str, Any]) -> Iterator[tuple[Limit, str]]:
    """The limiting fields that the request names. A booth's id begins with its festival's."""
    texts = {name: value for name, value in named.items() if isinstance(value, str)}
    facilities = set(_facilities(texts))
    # Of two that differ neither limits: what is not read must not stand for what is.
    if len(facilities) == 1 and (facility := facilities.pop()) is not None:
        yield Limit.FACILITY, facility
    booth = texts.get("booth")
    festival = texts.get("festival")
    if booth is not None and (festival is None or booth.startswith(f"{festival}.")):
        yield Limit.BOOTH, booth
        yield Limit.FESTIVAL, booth.partition(".")[0]
    elif festival is not None:
        yield Limit.FESTIVAL, festival


def _facilities(texts: Mapping[str, str]) -> Iterator[str | None]:
    """The facilities that the request names, each by itself, its lot or its entry; None for what is nobody's."""
    if facility := texts.get("facility"):
        yield facility
    if (lot := texts.get("lot")) is not None:
        yield facility_limit(lot).get(Limit.FACILITY)
    if (entry := texts.get("entry")) is not None:
        yield code_of(entry) if kind_of(entry) == EntryKind.FACILITY else None
