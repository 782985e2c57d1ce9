"""OpenID Connect providers for tests: a real one in a process of its own, and the browser of a person there."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from shared.settings import AccessControl, Settings
from tests.support.people import ISSUER
from tests.support.waiting import eventually

CLIENT_ID = "karya-identity"
CLIENT_SECRET = "a secret of this test"
NODE_FILES = Path(__file__).parent / "oidc_provider"
MADE = Path(__file__).parents[2] / ".karya" / "test-providers"
LOOPBACK = "http://127.0.0.1:5555/signed-in"
CALLBACK = f"{ISSUER}/sessions/provider/callback"
STARTS_WITHIN = 30.0


def with_provider(settings: Settings, issuer: str, **changes: Any) -> Settings:
    """The settings with access control and this provider, whose `groups` decide about roles."""
    fields = {
        "access": AccessControl.TOKENS,
        "identity_issuer": ISSUER,
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_roles_claim": "groups",
        "oidc_roles": "admins=administrator, odop=organiser:ODOP, kupang=facility-staff:LP-KPG",
    }
    return settings.model_copy(update={**fields, **changes})


@asynccontextmanager
async def real_provider(log: Path, *people: Mapping[str, Any]) -> AsyncIterator[str]:
    """The issuer of a provider that knows these people by their claims. It listens until the block ends."""
    port = _free_port()
    known = [word for person in people for word in ("--user-claims", json.dumps(person))]
    words = ("-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *known)
    async with _running(log, port, sys.executable, *words) as issuer:
        yield issuer


@asynccontextmanager
async def node_provider(log: Path, people: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[str]:
    """The issuer of a provider in JavaScript, which demands PKCE. Skips the test where it can't be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node with npm here to run the provider oidc-provider")
    folder = await asyncio.to_thread(_installed, npm)
    port = _free_port()
    words = (str(port), CLIENT_ID, CLIENT_SECRET, CALLBACK, json.dumps(people))
    async with _running(log, port, node, str(folder / "provider.mjs"), *words) as issuer:
        yield issuer


def _installed(npm: str) -> Path:
    """The folder with the provider, installed once for each state of its files."""
    files = sorted(NODE_FILES.iterdir())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = MADE / f"oidc-provider-{digest}"
    if not folder.exists():
        fresh = MADE / f"{folder.name}.{uuid4().hex}"
        fresh.mkdir(parents=True)
        for file in files:
            shutil.copy(file, fresh)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=90, check=False)
        if done.returncode:
            shutil.rmtree(fresh)
            pytest.skip(f"npm can't install the provider oidc-provider: {done.stderr.strip()[-300:]}")
        fresh.rename(folder)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def _running(log: Path, port: int, *command: str) -> AsyncIterator[str]:
    """The issuer of the provider that this command starts."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"}
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output, env=environment)
    issuer = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _answers(issuer), equals=True, within=STARTS_WITHIN)
        yield issuer
    finally:
        child.kill()
        await child.wait()


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

    async def consent_in_forms(self, away: httpx.Response, sub: str, *, declines: bool = False) -> httpx.Response:
        """The same at the provider in JavaScript, which asks for a login and then for a consent."""
        answer = away
        for _ in range(8):
            if answer.status_code == 303:
                place = urljoin(str(answer.url), answer.headers["location"])
                if place.startswith(CALLBACK):
                    return answer
                answer = await self._browser.get(place)
            elif declines:
                answer = await self._browser.get(f"{answer.url}/abort")
            else:
                place, prompt = (_attribute(answer.text, name) for name in ("action", "value"))
                form = {"prompt": prompt, "login": sub, "password": "any"}
                answer = await self._browser.post(urljoin(str(answer.url), place), data=form)
        raise AssertionError(f"the provider did not send the browser back: {answer.status_code} {answer.text[-500:]}")

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


def _attribute(page: str, name: str) -> str:
    """The first attribute of this name in the form of a page."""
    form = re.search(rf'<form.*?\b{name}="([^"]+)"', page, re.DOTALL)
    assert form is not None, page[-500:]
    return form[1]


def told(answer: httpx.Response) -> dict[str, Any]:
    """What a redirect to the client's loopback address tells it."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{LOOPBACK}?")
    assert answer.headers["cache-control"] == "no-store"
    return query_of(answer)


def query_of(answer: httpx.Response) -> dict[str, Any]:
    """The query of the address that an answer redirects to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@cache
def _rsa_key() -> RSAKey:
    """One for all providers: it takes a tenth of a second to find one."""
    return RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})


class ForgingProvider:
    """A provider that a test controls. It takes any code that it has given, and answers with the next forgery.

    `metadata` and `user_info`: members that differ. `forge`: the ID token for the claims that an honest one would
    have. `asked`: the form and the `Authorization` of each request for a token.
    """

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.rsa = _rsa_key()
        self.metadata: dict[str, Any] = {}
        self.user_info: dict[str, Any] | None = None
        self.forge: Callable[[dict[str, Any]], str | None] = self.signed
        self.asked: list[tuple[dict[str, str], str | None]] = []
        self.keys_asked = 0
        self._codes: dict[str, tuple[str, str]] = {}
        forging = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(forging.page(self.path, self.headers.get("Authorization")))

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(raw).items()}
                forging.asked.append((form, self.headers.get("Authorization")))
                self.reply(forging.tokens(form))

            def reply(self, page: dict[str, Any] | None) -> None:
                raw = json.dumps(page or {"error": "invalid_grant"}).encode()
                self.send_response(200 if page is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def code(self, away: Mapping[str, Any]) -> str:
        """A code for the sign-in that was sent away with this query."""
        code = secrets.token_urlsafe(8)
        assert away["code_challenge_method"] == "S256"
        self._codes[code] = (away["nonce"], away["code_challenge"])
        return code

    def page(self, path: str, authorization: str | None) -> dict[str, Any] | None:
        match path:
            case "/.well-known/openid-configuration":
                return {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/jwks",
                    "userinfo_endpoint": f"{self.issuer}/me",
                    "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
                    **self.metadata,
                }
            case "/jwks":
                self.keys_asked += 1
                post_quantum = {"kty": "AKP", "kid": "k0", "alg": "ML-DSA-44", "pub": "AA"}
                return {"keys": [post_quantum, *KeySet([self.key, self.rsa]).as_dict(private=False)["keys"]]}
            case "/me" if authorization == "Bearer an access token":
                return self.user_info
        return None

    def tokens(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        nonce, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return None
        return {"access_token": "an access token", "token_type": "Bearer", "id_token": self.forge(self.claims(nonce))}

    def claims(self, nonce: str) -> dict[str, Any]:
        """The claims of an honest ID token."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "rina-42", "iat": now, "exp": now + 300}
        return {**claims, "nonce": nonce, "groups": ["odop"], "name": "Rina"}

    def signed(self, claims: dict[str, Any], header: Mapping[str, Any] | None = None, key: Any = None) -> str:
        """The token as the provider signs it, or by another header and key."""
        used = {"alg": "ES256", "kid": "k1", **(header or {})}
        return jwt.encode(used, claims, key or self.key, algorithms=[used["alg"]])

    def changed(self, **changes: Any) -> Callable[[dict[str, Any]], str]:
        """A well signed token with other claims. None leaves a claim out."""

        def forge(claims: dict[str, Any]) -> str:
            return self.signed({n: value for n, value in {**claims, **changes}.items() if value is not None})

        return forge

    def forgeries(self) -> dict[str, Callable[[dict[str, Any]], str | None]]:
        """What must be refused, each for one reason."""
        now = int(time.time())
        public = self.rsa.as_pem(private=False)
        stranger = ECKey.generate_key("P-256", {"kid": "k1"})

        def unsigned(claims: dict[str, Any]) -> str:
            return self.signed(claims, {"alg": "none"})

        def by_public_key(claims: dict[str, Any]) -> str:
            # joserfc refuses such a secret, so that it is signed as an attacker would.
            return hs256({"alg": "HS256", "kid": "k2"}, claims, public)

        def by_secret(claims: dict[str, Any]) -> str:
            return hs256({"alg": "HS256"}, claims, CLIENT_SECRET.encode())

        def without_signature(claims: dict[str, Any]) -> str:
            return f"{self.signed(claims).rpartition('.')[0]}."

        def its_own_key(claims: dict[str, Any]) -> str:
            return self.signed(claims, {"jwk": stranger.as_dict(private=False)}, stranger)

        return {
            "no ID token": lambda _: None,
            "no token at all": lambda _: "a.b.c",
            "alg=none": unsigned,
            "no signature": without_signature,
            "HS256 with the public key": by_public_key,
            "HS256 with the client's secret": by_secret,
            "a key of somebody else": lambda claims: self.signed(claims, key=stranger),
            "a key of somebody else in the header": its_own_key,
            "an unknown key": lambda claims: self.signed(claims, {"kid": "k9"}),
            "an access token": lambda claims: self.signed(claims, {"typ": "at+jwt"}),
            "a logout token": lambda claims: self.signed(claims, {"typ": "logout+jwt"}),
            "another issuer": self.changed(iss="http://127.0.0.1:1"),
            "an issuer that begins alike": self.changed(iss=f"{self.issuer}/"),
            "no issuer": self.changed(iss=None),
            "another audience": self.changed(aud="another client"),
            "no audience": self.changed(aud=None),
            "an audience among others without a party": self.changed(aud=[CLIENT_ID, "another client"]),
            "another party": self.changed(azp="another client"),
            "another nonce": self.changed(nonce="x" * 43),
            "an empty nonce": self.changed(nonce=""),
            "no nonce": self.changed(nonce=None),
            "expired": self.changed(iat=now - 400, exp=now - 100),
            "no expiry": self.changed(exp=None),
            "issued long ago": self.changed(iat=now - 3600),
            "issued tomorrow": self.changed(iat=now + 86400, exp=now + 90000),
            "no subject": self.changed(sub=None),
            "an empty subject": self.changed(sub=""),
            "a subject that is no text": self.changed(sub=["rina-42"]),
            "a subject that is too long": self.changed(sub="x" * 256),
            "a subject with a line break": self.changed(sub="rina-42\nx"),
        }


def hs256(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """A token by HMAC, with any secret."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    mac = hmac.new(secret, ".".join(parts).encode(), "sha256").digest()
    return ".".join((*parts, urlsafe_b64encode(mac).decode().rstrip("=")))


@contextmanager
def forging_provider() -> Iterator[ForgingProvider]:
    """A provider that a test controls; it answers until the block ends."""
    provider = ForgingProvider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()
        thread.join()
