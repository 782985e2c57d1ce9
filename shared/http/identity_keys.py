"""The public keys of identity, fetched from its address and kept."""

import asyncio
import time

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.http.problems import PageRefused
from shared.wording import Message

log = structlog.get_logger()

FETCH_SECONDS = 2.0
# Unknown keys may come from anybody: identity is not asked more often than this.
ASK_AGAIN_SECONDS = 5.0
# A key that was withdrawn is forgotten after this.
REFRESH_SECONDS = 300.0
RETRY_AFTER = {"Retry-After": "5"}


class IdentityKeys:
    """The keys that identity publishes at `<url>/jwks`. They stay in use while identity is away."""

    def __init__(self, url: str) -> None:
        self._address = f"{url.rstrip('/')}/jwks"
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._answered_at = float("-inf")
        self._asking = asyncio.Lock()

    async def known(self) -> KeySet:
        """The keys at hand, asked for anew every few minutes. Raises PageRefused 503 if there are none yet."""
        if time.monotonic() - self._fetched_at > REFRESH_SECONDS:
            await self._fetch()
        return self._at_hand()

    async def newest(self) -> KeySet:
        """The keys after identity was asked again, unless it was asked a moment ago."""
        await self._fetch()
        return self._at_hand()

    def _at_hand(self) -> KeySet:
        if self._keys is None:
            message = Message("The identity service does not answer, so nobody can be recognised. Try again later.")
            raise PageRefused(503, message, RETRY_AFTER)
        return self._keys

    async def _fetch(self) -> None:
        came_at = time.monotonic()
        async with self._asking:
            if time.monotonic() - self._asked_at < ASK_AGAIN_SECONDS and self._keys is not None:
                return
            # Whoever waited for a question shares its answer: else a crowd would ask an absent identity one by one.
            if self._answered_at >= came_at:
                return
            self._asked_at = time.monotonic()
            try:
                async with httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False) as client:
                    answer = await client.get(self._address)
                self._keys = KeySet.import_key_set(answer.raise_for_status().json())
                self._fetched_at = time.monotonic()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, JoseError) as fault:
                log.warning("signing_keys_not_fetched", address=self._address, fault=repr(fault)[:300])
            finally:
                self._answered_at = time.monotonic()
