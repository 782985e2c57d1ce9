"""Access tokens as RFC 9068 describes them: JSON Web Tokens of identity, which every service checks by itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet

from shared.access.rights import Action, Grant, Limit, may
from shared.events.identity import ANY_SUBJECT
from shared.wording import Message

# The one algorithm. A token's header never chooses another.
ALGORITHM = "ES256"
CURVE = "P-256"
TYPE = "at+jwt"
AUDIENCE = "karya"
LIFETIME = timedelta(minutes=5)
# Clocks of two machines may differ by this.
LEEWAY_SECONDS = 5


class TokenRefused(Exception):
    """A token that is not valid here. `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.english)
        self.message = message


class UnknownSigningKey(TokenRefused):
    """The token names a key that is not among those at hand: identity may have a newer one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gives a request. `subject` None: access control is off, and everything is permitted."""

    subject: str | None
    grants: tuple[Grant, ...] = ()

    def may(self, action: Action, place: Mapping[Limit, str]) -> bool:
        """Whether the caller has the right to this action at this place."""
        return self.subject is None or may(self.grants, action, place)


ANYBODY = Caller(None)


def _now() -> datetime:
    return datetime.now(UTC)


def new_key(id: str) -> ECKey:
    """A new private key for signatures."""
    return ECKey.generate_key(CURVE, {"kid": id, "use": "sig", "alg": ALGORITHM})


def issue(key: ECKey, *, issuer: str, subject: str, grants: Iterable[Grant], client: str, now: datetime) -> str:
    """A token for `subject`, an account or a device, that is valid for LIFETIME from `now`."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": subject,
        "client_id": client,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": str(uuid4()),
        "roles": [str(grant) for grant in grants],
    }
    return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def check(token: str, keys: KeySet, *, issuer: str, now: Callable[[], datetime] = _now) -> Caller:
    """The caller that a token names. Raises TokenRefused, and UnknownSigningKey for a key that is not in `keys`."""
    try:
        decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
        if decoded.header.get("typ") != TYPE:
            raise TokenRefused(Message("This is no access token."))
        claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        claims.validate(decoded.claims)
    except InvalidKeyIdError:
        raise UnknownSigningKey(Message("The token is signed by a key that is not known here.")) from None
    except ExpiredTokenError:
        raise TokenRefused(Message("The token has expired. Sign in again.")) from None
    except (JoseError, ValueError):
        raise TokenRefused(Message("The token is not valid here.")) from None
    subject, roles = decoded.claims["sub"], decoded.claims.get("roles")
    if not isinstance(subject, str) or not ANY_SUBJECT.fullmatch(subject) or not isinstance(roles, list):
        raise TokenRefused(Message("The token is not valid here."))
    grants = [Grant.parse(role) for role in roles if isinstance(role, str)]
    # A role that is not known here gives no right here.
    return Caller(subject, tuple(grant for grant in grants if grant is not None))
