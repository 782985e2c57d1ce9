"""The tokens of a session, as every way to sign in answers with them."""

from datetime import UTC, datetime

from fastapi import Response
from pydantic import BaseModel

from services.identity.api.callers import grants_of
from services.identity.domain.account import Account
from services.identity.store import Secrets
from services.identity.store.credentials import Credential
from shared.access.tokens import LIFETIME, issue
from shared.settings import Settings
from shared.wording import Message

CLIENT = "karya"
# A browser or proxy must keep no token.
NOT_KEPT = {"Cache-Control": "no-store"}
NO_PASSWORDS = Message("Nobody signs in with a password here. Sign in at the provider: `karya login --provider`.")


class TokenPage(BaseModel):
    """An access token for `expires_in` seconds, and the refresh token for the next one."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    subject: str


async def token_page(
    secrets: Secrets, issuer: str, response: Response, account: Account, refresh_token: str
) -> TokenPage:
    """The page with a new access token of the account. Raises PyMongoError."""
    response.headers.update(NOT_KEPT)
    token = issue(
        await secrets.keys.current(),
        issuer=issuer,
        subject=account.id,
        grants=grants_of(account),
        client=CLIENT,
        now=datetime.now(UTC),
    )
    return TokenPage(
        access_token=token,
        token_type="Bearer",
        expires_in=int(LIFETIME.total_seconds()),
        refresh_token=refresh_token,
        subject=account.id,
    )


def may_sign_in(settings: Settings, credential: Credential) -> bool:
    """Whether the way by which this credential signs in is open still."""
    if credential.password is not None:
        return settings.passwords
    return bool(settings.oidc_issuer) and credential.login.startswith(f"{settings.oidc_issuer} ")
