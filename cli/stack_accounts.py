"""Accounts of a stack of this checkout: made while its services start, and a session for what is played on it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.accounts.session import IDENTITY_SERVICE, WAIT_SECONDS, open_session
from cli.festival.client import ServiceClient
from cli.sample_accounts import SampleAccount
from cli.sessions import STRANGER
from deploy.accounts import seed_accounts, wait_until_worked
from deploy.local.services import LocalServices
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from shared.access.rights import Grant
from shared.access.session import SessionFile, StoredSession
from shared.settings import Settings


def start_with_accounts(services: LocalServices, settings: Settings, accounts: Sequence[SampleAccount]) -> None:
    """Start the services, and make the accounts meanwhile: hashing their passwords takes as long as a start.

    Ends when identity has worked their commands. Raises StackError, NotAnswered, KafkaError and PyMongoError.
    """
    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(asyncio.run, _make(settings, accounts))
        services.start()
        made = making.result()
    asyncio.run(wait_until_worked(settings, made))


async def _make(settings: Settings, accounts: Sequence[SampleAccount]) -> frozenset[str]:
    """The keys of the commands by which the accounts are made."""
    first = [FirstAccount(account.login, account.password, _roles(account)) for account in accounts]
    return await seed_accounts(settings, first)


def sign_in(identity: str, account: SampleAccount, file: Path) -> StoredSession:
    """A session of this account, kept in `file`. Raises NotAnswered."""
    with ServiceClient(identity, WAIT_SECONDS, IDENTITY_SERVICE, STRANGER) as api:
        session = open_session(api, identity, account.login, account.password)
    kept = SessionFile(file)
    kept.write(session)
    return StoredSession(kept, identity)


def _roles(account: SampleAccount) -> tuple[HeldRole, ...]:
    grants = [Grant.parse(role) for role in account.roles]
    return tuple(HeldRole(grant.role, grant.scope) for grant in grants if grant is not None)
