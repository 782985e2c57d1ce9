"""Identity as a client of another OpenID Connect provider: discovery, the exchange of a code, and claims."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from services.identity.api.id_tokens import (
    ASYMMETRIC,
    IdTokenRefused,
    ProviderTrust,
    UnknownProviderKey,
    check_id_token,
)
from services.identity.domain.provider import RoleMapping, claim_of
from services.identity.store.provider_sign_ins import SignInSecrets
from shared.errors import BadSettings
from shared.loopback import is_private_line
from shared.settings import Settings
from shared.wording import Message, WrongValue

log = structlog.get_logger()

ANSWER_WITHIN = 5.0
MOST_BYTES = 512 * 1024
METADATA_SECONDS = 3600.0
KEYS_SECONDS = 300.0
# Tokens with made-up key ids must not flood the provider.
ASK_AGAIN_SECONDS = 5.0
# A provider that did not answer is not asked for so long. Each who waits for it holds a connection of identity.
SILENT_SECONDS = 5.0
DISCOVERY = "/.well-known/openid-configuration"
CALLBACK = "/sessions/provider/callback"


class ProviderAway(Exception):
    """The provider does not answer, or with something that is no answer."""


class ProviderRefused(Exception):
    """The provider refuses the code, or its tokens do not count."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    basic_authentication: bool
    names_issuer: bool


class Provider:
    """The provider of the settings. All methods raise ProviderAway if it does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self.roles = _mapping(settings)
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self._scopes = " ".join(dict.fromkeys(("openid", *settings.oidc_scopes.split())))
        self._callback = f"{settings.issuer}{CALLBACK}"
        if not is_private_line(self.issuer):
            raise BadSettings(Message("KARYA_OIDC_ISSUER: an address begins with https://."))
        self._metadata: Metadata | None = None
        self._metadata_at = float("-inf")
        self._keys: KeySet | None = None
        self._keys_at = float("-inf")
        self._asking = asyncio.Lock()
        self._silent_until = float("-inf")

    async def authorization_url(self, state: str, secrets: SignInSecrets) -> str:
        """Where a browser goes to sign in."""
        metadata = await self._known()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": secrets.callback or self._callback,
                "scope": self._scopes,
                "state": state,
                "nonce": secrets.nonce,
                "code_challenge": secrets.challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{metadata.authorization_endpoint}{'&' if '?' in metadata.authorization_endpoint else '?'}{query}"

    async def claims(self, code: str, issuer: str | None, secrets: SignInSecrets) -> Mapping[str, Any]:
        """The claims of whoever has signed in, by the code and the issuer of the callback. Raises ProviderRefused."""
        metadata = await self._known()
        # Of a callback that belongs to another provider (RFC 9207).
        if issuer != self.issuer and (issuer is not None or metadata.names_issuer):
            raise ProviderRefused("the callback is of another issuer")
        tokens = await self._exchange(metadata, code, secrets)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise ProviderRefused("there is no ID token")
        claims = await self._checked(metadata, id_token, secrets.nonce)
        lacks_roles = bool(self.roles.claim) and claim_of(claims, self.roles.claim) is None
        if not lacks_roles or metadata.userinfo_endpoint is None or not isinstance(access_token, str):
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        user = await self._ask("GET", metadata.userinfo_endpoint, headers=headers)
        if user.get("sub") != claims["sub"]:
            raise ProviderRefused("the user info is of somebody else")
        return {**user, **claims}

    async def _checked(self, metadata: Metadata, token: str, nonce: str) -> dict[str, Any]:
        trust = ProviderTrust(self.issuer, self._client_id, metadata.algorithms)
        try:
            try:
                return check_id_token(token, await self._known_keys(metadata), trust, nonce)
            except UnknownProviderKey:
                keys = await self._known_keys(metadata, within=ASK_AGAIN_SECONDS)
                return check_id_token(token, keys, trust, nonce)
        except IdTokenRefused as refused:
            raise ProviderRefused(str(refused)) from None

    async def _exchange(self, metadata: Metadata, code: str, secrets: SignInSecrets) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": secrets.callback or self._callback,
            "code_verifier": secrets.verifier,
        }
        authentication: httpx.BasicAuth | None = None
        if self._client_secret and metadata.basic_authentication:
            # Both parts are encoded as a form's are (RFC 6749, 2.3.1).
            parts = (urlencode({"": part})[1:] for part in (self._client_id, self._client_secret))
            authentication = httpx.BasicAuth(*parts)
        else:
            form["client_id"] = self._client_id
            if self._client_secret:
                form["client_secret"] = self._client_secret
        return await self._ask("POST", metadata.token_endpoint, data=form, auth=authentication)

    async def _known(self) -> Metadata:
        """What the provider says of itself. While it does not answer, what it said before."""
        known = self._metadata
        if known is not None and (self._is_fresh() or self._asking.locked()):
            return known
        async with self._asking:
            if self._metadata is None or not self._is_fresh():
                try:
                    fields = await self._ask("GET", f"{self.issuer.rstrip('/')}{DISCOVERY}")
                except ProviderAway as away:
                    if self._metadata is None:
                        raise
                    log.warning("provider_away", reason=str(away)[:300])
                    return self._metadata
                self._metadata = self._read_metadata(fields)
                self._metadata_at = time.monotonic()
            return self._metadata

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._metadata_at <= METADATA_SECONDS

    def _read_metadata(self, fields: Mapping[str, Any]) -> Metadata:
        if fields.get("issuer") != self.issuer:
            raise ProviderAway(f"it names {fields.get('issuer')!r} as its issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = {name: str(fields.get(name, "")) for name in names}
        userinfo = fields.get("userinfo_endpoint")
        for address in (*addresses.values(), *([userinfo] if userinfo is not None else [])):
            if not is_private_line(str(address)):
                raise ProviderAway(f"{address!r} is no address with TLS")
        algorithms = ASYMMETRIC.intersection(_texts(fields.get("id_token_signing_alg_values_supported")))
        if not algorithms:
            raise ProviderAway("it signs by no algorithm with a private key")
        # The default of the standard, if the provider does not say.
        methods = _texts(fields.get("token_endpoint_auth_methods_supported")) or ["client_secret_basic"]
        return Metadata(
            **addresses,
            userinfo_endpoint=str(userinfo) if userinfo is not None else None,
            algorithms=algorithms,
            basic_authentication="client_secret_basic" in methods,
            names_issuer=fields.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _known_keys(self, metadata: Metadata, within: float = KEYS_SECONDS) -> KeySet:
        async with self._asking:
            if self._keys is None or time.monotonic() - self._keys_at > within:
                self._keys = _public_keys(await self._ask("GET", metadata.jwks_uri))
                self._keys_at = time.monotonic()
            return self._keys

    async def _ask(self, method: str, address: str, **request: Any) -> Mapping[str, Any]:
        """The JSON object that the provider answers. Raises ProviderRefused for an answer of 400 to 403."""
        if time.monotonic() < self._silent_until:
            raise ProviderAway("it did not answer a moment ago")
        try:
            async with (
                # In all: the client's own timeout begins anew with each byte.
                asyncio.timeout(ANSWER_WITHIN),
                httpx.AsyncClient(timeout=ANSWER_WITHIN, headers={"Accept": "application/json"}) as client,
                client.stream(method, address, **request) as answer,
            ):
                raw = b""
                async for part in answer.aiter_bytes():
                    raw += part
                    if len(raw) > MOST_BYTES:
                        raise ProviderAway("its answer is too large")
            if 400 <= answer.status_code <= 403:
                raise ProviderRefused(f"it answers with status {answer.status_code}")
            fields = httpx.Response(answer.status_code, content=raw, request=answer.request).raise_for_status().json()
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
            if isinstance(fault, TimeoutError | httpx.TimeoutException | httpx.NetworkError):
                self._silent_until = time.monotonic() + SILENT_SECONDS
            # Without what was sent: that has a secret and a code.
            raise ProviderAway(type(fault).__name__) from None
        if not isinstance(fields, dict):
            raise ProviderAway("its answer is no JSON object")
        return fields


def provider_of(settings: Settings) -> Provider | None:
    """The provider of the settings, or None if there is none. Raises BadSettings."""
    return Provider(settings) if settings.oidc_issuer else None


def _mapping(settings: Settings) -> RoleMapping:
    try:
        return RoleMapping.parse(settings.oidc_roles_claim.strip(), settings.oidc_roles)
    except WrongValue as wrong:
        raise BadSettings(Message("{field}: {reason}", field="KARYA_OIDC_ROLES", reason=wrong.message)) from None


def _public_keys(fields: Mapping[str, Any]) -> KeySet:
    """The provider's keys for signatures. Raises ProviderAway if there are none."""
    kinds: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    keys: list[Key] = []
    for key in fields.get("keys") or ():
        # A kind that is not known here, such as one for post-quantum signatures, is no fault of the others.
        if isinstance(key, dict) and (kind := kinds.get(str(key.get("kty")))) and key.get("use", "sig") == "sig":
            try:
                keys.append(kind.import_key(key))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    if not keys:
        raise ProviderAway("it publishes no key")
    return KeySet(keys)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
