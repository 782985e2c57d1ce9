"""Callers of HTTP APIs in tests: access tokens with chosen roles, and the keys that services check them by."""

from collections.abc import Iterable
from datetime import UTC, datetime

from joserfc.jwk import ECKey, KeySet

from shared.access.rights import Grant
from shared.access.tokens import issue, new_key
from shared.settings import AccessControl, Settings

ISSUER = "http://identity.test"
SUBJECT = "s-abcdefghijklmnop"
KEY = new_key("test")


class FixedKeys:
    """The public half of `KEY`, which never changes."""

    def __init__(self) -> None:
        self._keys = KeySet([ECKey.import_key(KEY.as_dict(private=False))])

    async def known(self) -> KeySet:
        return self._keys

    async def newest(self) -> KeySet:
        return self._keys


def with_access(settings: Settings) -> Settings:
    """The settings with access control turned on."""
    return settings.model_copy(update={"access": AccessControl.TOKENS, "identity_issuer": ISSUER})


def token_of(*grants: Grant, now: datetime | None = None, key: ECKey = KEY, subject: str = SUBJECT) -> str:
    """An access token with these roles."""
    return issue(key, issuer=ISSUER, subject=subject, grants=grants, client="test", now=now or datetime.now(UTC))


def bearer(token: str) -> dict[str, str]:
    """The header that carries the token."""
    return {"Authorization": f"Bearer {token}"}


def headers_of(grants: Iterable[Grant], subject: str = SUBJECT) -> dict[str, str]:
    """The header of a caller with these roles."""
    return bearer(token_of(*grants, subject=subject))
