"""OpenID Connect providers for tests: a real one in a process of its own, and the browser of a person there."""

import asyncio
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from shared.settings import AccessControl, Settings
from tests.support.people import ISSUER
from tests.support.waiting import eventually

CLIENT_ID = "karya-identity"
LOOPBACK = "http://127.0.0.1:5555/signed-in"
CALLBACK = f"{ISSUER}/sessions/provider/callback"
STARTS_WITHIN = 30.0


def with_provider(settings: Settings, issuer: str, **changes: Any) -> Settings:
    """The settings with access control and this provider, whose `groups` decide about roles."""
    fields = {
        "access": AccessControl.TOKENS,
        "identity_url": ISSUER,
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": "a secret of this test",
        "oidc_roles_claim": "groups",
        "oidc_roles": "admins=administrator, odop=organiser:ODOP, kupang=facility-staff:LP-KPG",
    }
    return settings.model_copy(update={**fields, **changes})


@asynccontextmanager
async def real_provider(log: Path, *people: Mapping[str, Any]) -> AsyncIterator[str]:
    """The issuer of a provider that knows these people by their claims. It listens until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    known = [word for person in people for word in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *known]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"}
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    issuer = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _answers(issuer), equals=True, within=STARTS_WITHIN)
        yield issuer
    finally:
        child.terminate()
        try:
            await asyncio.to_thread(child.wait, 10)
        except subprocess.TimeoutExpired:
            child.kill()


async def _answers(issuer: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(f"{issuer}/.well-known/openid-configuration")).status_code == 200
    except httpx.TransportError:
        return False


class SignIn:
    """One sign-in of a client at identity, whose browser follows no redirect by itself."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self.state = secrets.token_urlsafe(16)
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        self._browser = httpx.AsyncClient(timeout=60)

    async def __aenter__(self) -> "SignIn":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.aclose()

    async def begin(self, **changes: str) -> httpx.Response:
        """The answer that sends the browser to the provider."""
        query = {"redirect_uri": LOOPBACK, "state": self.state, "code_challenge": self.challenge, **changes}
        return await self._browser.get(f"{self._identity}/sessions/provider", params=query)

    async def consent(self, away: httpx.Response, sub: str) -> httpx.Response:
        """The answer by which the provider sends this person's browser back."""
        assert away.status_code == 303, away.text
        return await self._browser.post(away.headers["location"], data={"sub": sub})

    async def back(self, location: str) -> httpx.Response:
        """Identity's answer at its callback, wherever identity says that it is."""
        assert location.startswith(CALLBACK), location
        return await self._browser.get(location.replace(ISSUER, self._identity, 1))

    async def redeem(self, code: str, verifier: str | None = None) -> httpx.Response:
        """The session of a code that came to the loopback address."""
        body = {"code": code, "code_verifier": verifier or self.verifier}
        return await self._browser.post(f"{self._identity}/sessions/provider", json=body)

    async def whole(self, sub: str) -> dict[str, Any]:
        """What the client is told in the end, after every step in order."""
        returned = await self.consent(await self.begin(), sub)
        return told(await self.back(returned.headers["location"]))


def told(answer: httpx.Response) -> dict[str, Any]:
    """What a redirect to the client's loopback address tells it."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{LOOPBACK}?")
    assert answer.headers["cache-control"] == "no-store"
    return query_of(answer)


def query_of(answer: httpx.Response) -> dict[str, Any]:
    """The query of the address that an answer redirects to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
