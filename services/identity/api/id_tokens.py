"""The check of an ID token, by which another provider says who has signed in there."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

# Signatures by a private key. With another algorithm whoever knows the public keys or the client's secret could sign.
ASYMMETRIC = frozenset(
    {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"}
)
# Clocks of two organisations may differ by this.
LEEWAY_SECONDS = 60
# The token is made at the exchange of the code, which identity asks for itself.
OLDEST = timedelta(minutes=10)
LONGEST_SUBJECT = 255


class IdTokenRefused(Exception):
    """An ID token that does not count."""


class UnknownProviderKey(IdTokenRefused):
    """The token names a key that is not among those at hand: the provider may have a newer one."""


@dataclass(frozen=True, slots=True)
class ProviderTrust:
    """What an ID token must agree with. `algorithms`: those by which the provider says that it signs."""

    issuer: str
    client_id: str
    algorithms: Collection[str]


def _now() -> datetime:
    return datetime.now(UTC)


def check_id_token(
    token: str, keys: KeySet, trust: ProviderTrust, nonce: str, now: Callable[[], datetime] = _now
) -> dict[str, Any]:
    """The claims of the token. Raises IdTokenRefused, and UnknownProviderKey for a key that is not in `keys`."""
    algorithms = sorted(ASYMMETRIC.intersection(trust.algorithms))
    try:
        decoded = jwt.decode(token, keys, algorithms=algorithms)
        moment = now()
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(moment.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": trust.issuer},
            aud={"essential": True, "value": trust.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(decoded.claims)
    except InvalidKeyIdError as fault:
        raise UnknownProviderKey(str(fault)) from None
    except (JoseError, ValueError, TypeError) as fault:
        raise IdTokenRefused(str(fault)) from None
    claims: dict[str, Any] = decoded.claims
    # An access token or a logout token of the same provider is none.
    if str(decoded.header.get("typ", "JWT")).upper() != "JWT":
        raise IdTokenRefused("it is another kind of token")
    if not (0 < len(claims["sub"]) <= LONGEST_SUBJECT and claims["sub"].isascii() and claims["sub"].isprintable()):
        raise IdTokenRefused("its subject is empty, too long or no plain text")
    if claims["iat"] < (moment - OLDEST).timestamp():
        raise IdTokenRefused("it was issued too long ago")
    audience, party = claims["aud"], claims.get("azp")
    if party != trust.client_id and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
        raise IdTokenRefused("it was issued to another client")
    return claims
