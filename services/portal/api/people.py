"""Who asks: the session of a request's cookie, and the access token that stands for the person."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.requests import HTTPConnection

from services.portal.clients import Identity, IdentityAway, IdentitySession
from services.portal.store import PortalSession, PortalSessions
from shared.access.rights import Grant
from shared.access.tokens import Caller
from shared.events.identity import Role
from shared.http.access import SigningKeys, caller_by_token, caller_of
from shared.http.problems import PageRefused
from shared.loopback import is_loopback
from shared.wording import Message

# Browsers send such a cookie to this host alone, and over HTTPS alone.
SECURE_COOKIE = "__Host-karya"
# A token is renewed if it expires within this: a page may ask several services, one after the other.
MARGIN = timedelta(seconds=45)
LOOK_AGAIN_SECONDS = 0.1
LOOK_AGAIN_TIMES = 100
SIGN_IN = Message("Sign in first.")
AWAY = Message("The identity service does not answer, so that your session can't be renewed. Please try again later.")


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks for a page. Without a session access control is off."""

    caller: Caller
    session: PortalSession | None = None

    @property
    def token(self) -> str | None:
        return self.session.tokens.access if self.session is not None else None

    @property
    def name(self) -> str | None:
        return self.session.name if self.session is not None else None

    def scopes(self, role: Role) -> list[str]:
        """The places for which the person has this role."""
        return [grant.scope for grant in self.caller.grants if grant.role is role and grant.scope is not None]

    def has(self, *roles: Role) -> bool:
        """Whether the person has one of the roles, wherever; everybody has where access control is off."""
        return self.caller.subject is None or any(grant.role in roles for grant in self.caller.grants)

    @property
    def grants(self) -> tuple[Grant, ...]:
        return self.caller.grants


class People:
    """The sessions of all who have signed in."""

    def __init__(self, sessions: PortalSessions, identity: Identity, keys: SigningKeys, issuer: str) -> None:
        self._sessions = sessions
        self._identity = identity
        self._keys = keys
        self._issuer = issuer

    async def caller(self, request: Request) -> Caller:
        """The caller of a request by its cookie. Raises PageRefused 401 without a session, and 503 if identity is
        needed and away."""
        session = await self.session(request)
        if session is None:
            raise PageRefused(401, SIGN_IN)
        if session.tokens.expires_at - datetime.now(UTC) < MARGIN:
            session = await self._renewed(session, address_of(request))
        caller = await caller_by_token(session.tokens.access, self._keys, self._issuer)
        request.state.session = session
        return caller

    async def session(self, request: Request) -> PortalSession | None:
        """The session of a request's cookie, as it is kept."""
        cookie = request.cookies.get(cookie_name(request))
        return await self._sessions.find(cookie, datetime.now(UTC)) if cookie else None

    async def begin(self, request: Request, response: Response, signed_in: IdentitySession) -> None:
        """Keep a new session, and give its cookie to the browser. The session before it ends."""
        former = await self.session(request)
        cookie = await self._sessions.begin(signed_in.subject, signed_in.name, signed_in.tokens, datetime.now(UTC))
        if former is not None:
            await self._end(former, address_of(request))
        response.set_cookie(
            cookie_name(request), cookie, path="/", secure=is_https(request), httponly=True, samesite="lax"
        )

    async def end(self, request: Request, response: Response) -> None:
        """End the session here and at identity, and take the cookie back."""
        session = await self.session(request)
        if session is not None:
            await self._end(session, address_of(request))
        response.delete_cookie(
            cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="lax"
        )

    async def renew(self, person: Person, request: Request) -> Person:
        """The person with the roles that the account has now."""
        if person.session is None:
            return person
        session = await self._renewed(person.session, address_of(request))
        caller = await caller_by_token(session.tokens.access, self._keys, self._issuer)
        return Person(caller, session)

    async def _end(self, session: PortalSession, address: str) -> None:
        await self._sessions.end(session)
        try:
            await self._identity.end(session.tokens, address)
        except IdentityAway:
            # Nobody has the refresh token any more, and identity forgets it after days without use.
            return

    async def _renewed(self, session: PortalSession, address: str) -> PortalSession:
        """The session with new tokens, renewed by this request or by another one at the same time."""
        for _ in range(LOOK_AGAIN_TIMES):
            if await self._sessions.claim_renewal(session, datetime.now(UTC)):
                return await self._renew(session, address)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            latest = await self._sessions.again(session)
            if latest is None:
                raise PageRefused(401, SIGN_IN)
            if latest.tokens.refresh != session.tokens.refresh:
                return latest
        raise PageRefused(503, AWAY)

    async def _renew(self, session: PortalSession, address: str) -> PortalSession:
        try:
            tokens = await self._identity.refresh(session.tokens, address)
        except IdentityAway:
            await self._sessions.release(session, datetime.now(UTC))
            if session.tokens.expires_at > datetime.now(UTC):
                return session
            raise PageRefused(503, AWAY) from None
        if tokens is None:
            await self._sessions.end(session)
            raise PageRefused(401, SIGN_IN)
        return await self._sessions.renew(session, tokens, datetime.now(UTC))


def person_of(request: Request) -> Person:
    """The person of a request that access control has let through."""
    return Person(caller_of(request), getattr(request.state, "session", None))


Visited = Annotated[Person, Depends(person_of)]


def is_https(request: HTTPConnection) -> bool:
    return request.url.scheme == "https"


def may_sign_in(request: HTTPConnection) -> bool:
    """Whether a password and a cookie would be safe on their way: over HTTPS, or on this machine."""
    host = request.url.hostname or ""
    return is_https(request) or is_loopback(host) or host.endswith(".localhost")


def cookie_name(request: HTTPConnection) -> str:
    """The cookie's name. Without HTTPS it has the port, as cookies of all ports of a host are mixed."""
    return SECURE_COOKIE if is_https(request) else f"karya-{request.url.port or 80}"


def address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client is not None else ""
