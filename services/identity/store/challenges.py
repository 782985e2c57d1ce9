"""Challenges for devices: each is good for a minute, for one device, and once."""

import secrets
from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError

from services.identity.store.signing_keys import Keyring
from shared.access.tokens import ALGORITHM
from shared.documents import Database, insert_once

CHALLENGE_LIFETIME = timedelta(seconds=60)
# Unlike that of an access token: no service takes a challenge for one.
_TYPE = "karya-challenge"


class Challenges:
    """Signed challenges. Only those that a device has answered are kept, so that nobody fills the database by asking.
    All methods raise PyMongoError."""

    def __init__(self, database: Database, keys: Keyring) -> None:
        self._used = database["used_challenges"]
        self._keys = keys

    async def prepare(self) -> None:
        """Make the index by which the server removes old challenges."""
        await self._used.create_index("expires_at", expireAfterSeconds=0)

    async def new(self, device: str, now: datetime) -> str:
        """A challenge for this device, whether it is enrolled or not."""
        key = await self._keys.current()
        expires_at = now + CHALLENGE_LIFETIME
        claims = {"sub": device, "exp": expires_at.timestamp(), "jti": secrets.token_urlsafe(18)}
        return jwt.encode({"alg": ALGORITHM, "typ": _TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    async def use(self, challenge: str, device: str, now: datetime) -> bool:
        """Whether this is a challenge for this device that is not too old and was not used before. It is used now."""
        try:
            decoded = jwt.decode(challenge, await self._keys.known(), algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return False
        claims = decoded.claims
        if decoded.header.get("typ") != _TYPE or claims["sub"] != device or claims["exp"] <= now.timestamp():
            return False
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        # A server whose clock is ahead removes a document earlier.
        return await insert_once(self._used, {"_id": claims["jti"], "expires_at": expires_at + CHALLENGE_LIFETIME})
