"""Accounts of a stack of this checkout: made while its services start, and a session for what is played on it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.accounts.session import IDENTITY_SERVICE, WAIT_SECONDS, open_session
from cli.festival.client import ServiceClient
from cli.sample_accounts import SampleAccount
from cli.sessions import STRANGER
from deploy.accounts import seed_accounts
from deploy.local.services import LocalServices
from deploy.local.stack import StackError
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from services.identity.store import ACCOUNTS
from shared.access.rights import Grant
from shared.access.session import SessionFile, StoredSession
from shared.mongo import Mongo
from shared.settings import Settings
from shared.translation import tr

KNOWN_WITHIN = 60.0
LOOK_AGAIN = 0.05


def start_with_accounts(services: LocalServices, settings: Settings, accounts: Sequence[SampleAccount]) -> None:
    """Start the services, and make the accounts meanwhile: hashing their passwords takes as long as a start.

    Ends when identity knows the accounts with their roles. Raises StackError, KafkaError and PyMongoError.
    """
    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(asyncio.run, _make(settings, accounts))
        services.start()
        made = making.result()
    asyncio.run(_wait_until_known(settings, made))


async def _make(settings: Settings, accounts: Sequence[SampleAccount]) -> dict[str, frozenset[HeldRole]]:
    """The roles that each subject has been given."""
    first = [FirstAccount(account.login, account.password, _roles(account)) for account in accounts]
    subjects = await seed_accounts(settings, first)
    return {subjects[account.login]: frozenset(account.roles) for account in first}


async def _wait_until_known(settings: Settings, missing: dict[str, frozenset[HeldRole]]) -> None:
    mongo = Mongo(settings)
    documents = mongo.database("identity")[ACCOUNTS.name]
    clock = asyncio.get_running_loop().time
    end = clock() + KNOWN_WITHIN
    try:
        while missing:
            async for document in documents.find({"_id": {"$in": list(missing)}}):
                account = ACCOUNTS.from_document(document)
                if missing[account.id] <= set(account.roles):
                    del missing[account.id]
            if clock() > end:
                raise StackError(tr("The identity service has not made the sample accounts in time."))
            await asyncio.sleep(LOOK_AGAIN)
    finally:
        await mongo.close()


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
