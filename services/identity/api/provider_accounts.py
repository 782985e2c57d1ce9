"""The accounts of people who sign in at another provider: found or opened, with the roles of their claims."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from services.identity.api.callers import Accounts
from services.identity.api.provider_client import Provider
from services.identity.api.sessions import WAIT
from services.identity.domain.account import Account, HeldRole
from services.identity.domain.provider import RoleChanges, role_changes
from services.identity.store import Secrets
from services.identity.store.credentials import Credential, new_credential_id, new_subject, provider_login
from services.identity.store.provider_sign_ins import SignedIn
from shared.access.provider_sign_in import SignInError
from shared.access.rights import Grant
from shared.events.identity import GrantRole, OpenAccount, WithdrawRole
from shared.events.language import Body
from shared.http.commands import Commands

log = structlog.get_logger()

LONGEST_NAME = 80


class SignInFailed(Exception):
    """A sign-in at the provider gives no session."""

    def __init__(self, error: SignInError) -> None:
        super().__init__(error.value)
        self.error = error


class ProviderAccounts:
    """Accounts by issuer and subject. All methods raise SignInFailed and PyMongoError."""

    def __init__(self, secrets: Secrets, accounts: Accounts, commands: Commands) -> None:
        self._credentials = secrets.credentials
        self._accounts = accounts
        self._commands = commands

    async def signed_in(self, provider: Provider, claims: Mapping[str, Any]) -> SignedIn:
        """The account of a person with these claims. What they say of its roles is done."""
        wanted, name = provider.roles.of(claims), name_of(claims)
        login = provider_login(provider.issuer, claims["sub"])
        subject = await self._credentials.subject_of(login)
        account = await self._accounts.find(subject) if subject is not None else None
        if account is None:
            if provider.roles.claim and not wanted:
                raise SignInFailed(SignInError.NO_ROLE)
            account = await self._opened(login, name)
        credential = await self._credentials.get(account.credential)
        if account.closed_at is not None or credential is None or credential.login != login:
            raise SignInFailed(SignInError.ACCOUNT_CLOSED)
        given_before = [_held(role) for role in credential.given_roles]
        # What was given stays noted until it is withdrawn: the next sign-in mends what fails on the way.
        await self._credentials.note_provider(credential.id, name, _texts({*given_before, *wanted}))
        await self._change(account.id, role_changes(account.roles, given_before, wanted, provider.roles))
        await self._credentials.note_provider(credential.id, name, _texts(wanted))
        return SignedIn(account.id, credential.id)

    async def _opened(self, login: str, name: str) -> Account:
        """A new account. Repeated and simultaneous sign-ins give the same one."""
        now = datetime.now(UTC)
        credential = Credential(new_credential_id(), new_subject(), login, name, None, now)
        if not await self._credentials.add(credential):
            # Its event is on the way, or was never published. Noted before it is given again, it is not collected.
            former = await self._credentials.first_of(login)
            if former is None:
                raise SignInFailed(SignInError.ACCOUNT_CLOSED)
            credential = former
            await self._credentials.refer(credential.id)
        await self._give(OpenAccount(subject=credential.subject, credential=credential.id), f"{credential.id}.open")
        await self._credentials.refer(credential.id)
        account = await self._accounts.find(credential.subject)
        assert account is not None, "its command is done"
        return account

    async def _change(self, subject: str, changes: RoleChanges) -> None:
        for held in changes.withdrawn:
            await self._give(WithdrawRole(subject=subject, role=held.role, scope=held.scope))
        for held in changes.granted:
            await self._give(GrantRole(subject=subject, role=held.role, scope=held.scope))

    async def _give(self, body: Body, id: str | None = None) -> None:
        """Give a command, and wait until it is done."""
        answer = await self._commands.append(body, WAIT, id, None)
        if answer.status_code != 200:
            log.warning("provider_command_failed", command=type(body).__name__, status=answer.status_code)
            raise SignInFailed(SignInError.TRY_AGAIN)


def name_of(claims: Mapping[str, Any]) -> str:
    """The name of a person for administrators, as the provider tells it."""
    names = (claims.get(claim) for claim in ("name", "preferred_username"))
    shown = ("".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME] for name in names if isinstance(name, str))
    return next(filter(None, shown), "-")


def _texts(roles: Iterable[HeldRole]) -> list[str]:
    return sorted(str(Grant(role.role, role.scope)) for role in roles)


def _held(text: str) -> HeldRole:
    grant = Grant.parse(text)
    assert grant is not None, "it was written here"
    return HeldRole(grant.role, grant.scope)
