"""Sessions of people who have signed in at the provider, whichever client they come from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from fastapi import Response

from services.identity.api.callers import Accounts
from services.identity.api.provider_accounts import ProviderAccounts, SignInFailed
from services.identity.api.provider_client import Provider, ProviderAway, ProviderRefused
from services.identity.api.sessions import SESSION_OVER
from services.identity.api.tokens import TokenPage, token_page
from services.identity.store import Secrets
from services.identity.store.provider_sign_ins import ClientRequest, SignedIn, SignInSecrets
from shared.access.provider_sign_in import SignInError
from shared.http.access import CHALLENGE
from shared.http.commands import Commands
from shared.http.problems import PageRefused
from shared.settings import Settings
from shared.wording import Message

log = structlog.get_logger()

NO_PROVIDER = Message("No other provider is set up here. Sign in with your login and password.")


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What the provider sends with a browser: a code, its issuer if it names itself, or an error."""

    code: str = field(repr=False)
    issuer: str | None
    error: str


class ProviderSessions:
    """The way out to the provider, and from its answer to a session. Methods raise PageRefused 404 without one, and
    PyMongoError."""

    def __init__(
        self, settings: Settings, provider: Provider | None, secrets: Secrets, accounts: Accounts, commands: Commands
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._secrets = secrets
        self._accounts = accounts
        self._people = ProviderAccounts(secrets, accounts, commands)

    @property
    def provider(self) -> Provider:
        """The provider. Raises PageRefused 404."""
        if self._provider is None:
            raise PageRefused(404, NO_PROVIDER)
        return self._provider

    async def begin(self, client: ClientRequest, callback: str = "") -> str:
        """The address at the provider for a client's browser. Raises SignInFailed."""
        provider = self.provider
        state, bound = await self._secrets.provider_sign_ins.begin(client, datetime.now(UTC), callback)
        try:
            return await provider.authorization_url(state, bound)
        except (ProviderAway, ProviderRefused) as fault:
            log.warning("provider_away", reason=str(fault)[:300])
            raise SignInFailed(SignInError.PROVIDER_AWAY) from None

    async def person(self, answer: ProviderAnswer, bound: SignInSecrets) -> SignedIn:
        """The account of the person whom the answer is about. Raises SignInFailed."""
        if answer.error:
            log.info("provider_sign_in_refused", error=answer.error[:100])
            denied = answer.error == SignInError.ACCESS_DENIED
            raise SignInFailed(SignInError.ACCESS_DENIED if denied else SignInError.PROVIDER_REFUSED)
        provider = self.provider
        try:
            claims = await provider.claims(answer.code, answer.issuer, bound)
        except ProviderRefused as refused:
            log.warning("provider_sign_in_refused", reason=str(refused)[:300])
            raise SignInFailed(SignInError.PROVIDER_REFUSED) from None
        except ProviderAway as away:
            log.warning("provider_away", reason=str(away)[:300])
            raise SignInFailed(SignInError.PROVIDER_AWAY) from None
        return await self._people.signed_in(provider, claims)

    async def open(self, person: SignedIn, response: Response) -> TokenPage:
        """A new session. Raises PageRefused 401 if the account was closed meanwhile."""
        now = datetime.now(UTC)
        account = await self._accounts.find(person.subject)
        if account is None or account.closed_at is not None or account.credential != person.credential:
            raise PageRefused(401, SESSION_OVER, CHALLENGE)
        longest = timedelta(hours=self._settings.oidc_session_hours)
        refresh_token = await self._secrets.sessions.begin(account.id, person.credential, now, now + longest)
        return await token_page(self._secrets, self._settings.issuer, response, account, refresh_token)
