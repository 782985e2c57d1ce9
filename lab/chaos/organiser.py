"""Festival's HTTP API as a stubborn organiser uses it: every request is repeated until some instance answers it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx

from lab.accounts import wait_for_roles
from lab.chaos.tally import Tally
from shared.access.rights import Grant
from shared.access.session import Bearer, TokenSource
from shared.errors import NotAnswered
from shared.events.identity import Role
from shared.events.language import Body
from shared.retry import attempts
from shared.trust import trusted

ANSWER_SECONDS = 6.0
MAX_CONCURRENT = 16

Urls: TypeAlias = Callable[[], list[str]]


class OrganiserClient:
    """Gives commands and reads pages. `urls` returns the addresses of festival's instances at this moment. `account`:
    whose token the requests carry."""

    def __init__(self, urls: Urls, account: TokenSource, rng: random.Random, tally: Tally) -> None:
        self._urls = urls
        self._rng = rng
        self._tally = tally
        self._account = account
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, auth=Bearer(account), verify=trusted())
        self._accepted: set[str] = set()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def close(self) -> None:
        await self._http.aclose()

    async def wait_for_festival(self, festival: str) -> None:
        """Wait until the account runs the festival that it has announced."""
        await wait_for_roles(self._account, Grant(Role.ORGANISER, festival))

    async def command(self, path: str, body: Body | dict[str, Any]) -> bool:
        """Give a command, under one id, until its outcome is known. False if it was refused."""
        headers = {"Idempotency-Key": str(uuid4()), "Prefer": "wait=5"}
        return await self._post(path, body, headers, {200: True, 409: False})

    async def command_once(self, path: str, body: dict[str, Any]) -> None:
        """Give a command until it is accepted, unless the same one was accepted before. Its outcome shows later."""
        id = _command_id(path, body)
        if id in self._accepted:
            return
        async with self._slots:
            await self._post(path, body, {"Idempotency-Key": id}, {200: True, 202: True, 409: False})
        self._accepted.add(id)

    def was_accepted(self, path: str, body: dict[str, Any]) -> bool:
        """Whether `command_once` has given this command."""
        return _command_id(path, body) in self._accepted

    async def page(self, path: str, ready: Callable[[Any], bool] = lambda _: True) -> Any:
        """The page at this path, as soon as it is `ready`."""

        async def get(url: str) -> Any:
            answer = await self._http.get(f"{url}{path}")
            page = answer.json() if answer.status_code == 200 else None
            return page if page is not None and ready(page) else None

        return await self._repeat(get)

    async def _post(
        self, path: str, body: Body | dict[str, Any], headers: dict[str, str], outcomes: dict[int, bool]
    ) -> bool:
        """`outcomes`: by the status codes that end the attempts, whether the command was taken."""
        content = body.model_dump(mode="json") if isinstance(body, Body) else body

        async def post(url: str) -> bool | None:
            answer = await self._http.post(f"{url}{path}", json=content, headers=headers)
            return outcomes.get(answer.status_code)

        self._tally.commands += 1
        return bool(await self._repeat(post))

    async def _repeat(self, ask: Callable[[str], Awaitable[Any]]) -> Any:
        """The first answer that is not None, from any instance."""
        async for _ in attempts(first=0.05, most=0.5):
            urls = self._urls()
            if not urls:
                continue
            try:
                answer = await ask(self._rng.choice(urls))
            except (httpx.TransportError, NotAnswered):
                continue
            if answer is not None:
                return answer
        raise AssertionError("attempts without a bound do not end")


def _command_id(path: str, body: dict[str, Any]) -> str:
    return str(uuid5(NAMESPACE_URL, f"{path} {body}"))
