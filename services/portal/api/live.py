"""GET /live: tells a browser when something about a festival has changed, so that its pages show it.

A browser has one such connection for all of its tabs. The id of an event has the state of each festival, so that a
connection that was cut goes on without a gap: a change meanwhile is told at once.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.portal.api.festivals import may_read
from services.portal.api.organiser import Organiser
from services.portal.api.people import Person, Visited
from services.portal.clients import SignedOut
from services.portal.clients.services import AWAY_STATUS, NOT_FOUND
from shared.http.problems import PageRefused
from shared.wording import Message

log = structlog.get_logger()

# How often the services are asked, once for all readers of a festival.
LOOK_SECONDS = 2.0
# Proxies end a connection on which nothing comes.
HEARTBEAT_SECONDS = 15.0
# Shorter than a token lives. The browser connects again by itself, and its session is looked at anew.
CONNECTION_SECONDS = 120.0
MOST_FESTIVALS = 20
# A browser has one for all of its tabs. Without a bound one account could hold every connection of the portal.
MOST_CONNECTIONS = 20
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
NO_RIGHT = Message("Your account may not follow this festival.")
TOO_MANY = Message("Your account follows festivals in too many browsers.")


class LiveStates:
    """The states of festivals, as short texts that differ when something has changed."""

    def __init__(self, organiser: Organiser) -> None:
        self._organiser = organiser
        self._states: dict[str, tuple[float, str]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._away: dict[str, tuple[float, PageRefused]] = {}

    async def state(self, person: Person, festival: str) -> str:
        """The state of the festival, for somebody who may read it. Raises PageRefused and SignedOut."""
        clock = asyncio.get_running_loop().time
        async with self._asking.setdefault(festival, asyncio.Lock()):
            asked_at, state = self._states.get(festival, (float("-inf"), ""))
            if clock() - asked_at < LOOK_SECONDS:
                return state
            # Whoever waited for a service that is away shares its silence: else they would wait one by one.
            if festival in self._away and clock() - self._away[festival][0] < LOOK_SECONDS:
                raise self._away[festival][1]
            try:
                state = await self._ask(person, festival)
            except PageRefused as refused:
                if refused.status_code == AWAY_STATUS:
                    self._away[festival] = (clock(), refused)
                elif refused.status_code == NOT_FOUND:
                    self._asking.pop(festival, None)
                raise
            self._away.pop(festival, None)
            self._states[festival] = (clock(), state)
            return state

    async def _ask(self, person: Person, festival: str) -> str:
        row = await self._organiser.festival(person, festival)
        progress = await self._organiser.progress(person, row)
        return hashlib.sha256(repr(progress).encode()).hexdigest()[:12]


def routes(organiser: Organiser, stopping: asyncio.Event) -> APIRouter:
    """The router of live updates. They end when the service is `stopping`."""
    router = APIRouter()
    states = LiveStates(organiser)
    connections: Counter[str] = Counter()

    @router.get("/live")
    async def live(
        request: Request,
        person: Visited,
        festival: Annotated[list[str], Query(max_length=MOST_FESTIVALS)],
        last: str = "",
    ) -> Response:
        if not all(may_read(person, name) for name in festival):
            raise PageRefused(403, NO_RIGHT)
        # Without access control nobody is told from others.
        account = person.caller.subject or ""
        if account and connections[account] >= MOST_CONNECTIONS:
            raise PageRefused(429, TOO_MANY)
        known = known_states(request.headers.get("last-event-id") or last)
        events = _events(request, states, person, festival, known, stopping)
        return _CountedStream(events, connections, account)

    return router


class _CountedStream(StreamingResponse):
    """A connection that counts for its account from its answer to its end."""

    def __init__(self, events: AsyncIterator[str], connections: Counter[str], account: str) -> None:
        super().__init__(events, media_type="text/event-stream", headers=HEADERS)
        self._connections, self._account = connections, account
        connections[account] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._connections[self._account] -= 1
            if not self._connections[self._account]:
                del self._connections[self._account]


async def _events(
    request: Request,
    states: LiveStates,
    person: Person,
    festivals: list[str],
    known: Mapping[str, str],
    stopping: asyncio.Event,
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    began = told_at = clock()
    current = {name: known[name] for name in festivals if name in known}
    yield "retry: 2000\n\n"
    while clock() - began < CONNECTION_SECONDS and not stopping.is_set() and not await request.is_disconnected():
        for name in festivals:
            try:
                state = await states.state(person, name)
            except SignedOut:
                # The token has expired, or the session has ended. The browser connects again with what it has then.
                return
            except PageRefused as fault:
                # A service that is away comes back.
                log.info("live_state_unknown", festival=name, fault=type(fault).__name__)
                continue
            if current.get(name) != state:
                kind = "changed" if name in current else "state"
                current[name] = state
                told_at = clock()
                yield f"id: {written_states(current)}\nevent: {kind}\ndata: {json.dumps(name)}\n\n"
        if clock() - told_at > HEARTBEAT_SECONDS:
            told_at = clock()
            yield ": still here\n\n"
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)


def written_states(states: Mapping[str, str]) -> str:
    """`ODOP:1f2e,RAYA:9c0d`, the id of an event."""
    return ",".join(f"{name}:{state}" for name, state in sorted(states.items()))


def known_states(text: str) -> dict[str, str]:
    """The states of an event's id; whatever is no state is left out."""
    pairs = (item.partition(":") for item in text.split(","))
    return {name: state for name, colon, state in pairs if colon and name and state}
