"""Removes secrets that no account needs: those without an event, former ones, and those of closed accounts."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from services.identity.domain.account import Account
from services.identity.store.accounts import ACCOUNTS
from services.identity.store.credentials import Credential
from services.identity.store.secrets import Secrets
from shared.documents import Database
from shared.retry import PASSING

log = structlog.get_logger()

# A request that writes a credential publishes its event within seconds.
ORPHAN_AFTER = timedelta(hours=1)
PAUSE_SECONDS = 600.0


async def keep_up(database: Database, secrets: Secrets, readiness_failures: Callable[[], Sequence[str]]) -> None:
    """Collect now and then, for ever."""
    while True:
        try:
            await secrets.prepare()
            # A key is due on time even if nobody signs in.
            await secrets.keys.current()
            if not readiness_failures():
                await collect(database, secrets, datetime.now(UTC))
        except PASSING as fault:
            # Its text may name a document: only its kind is logged.
            log.warning("secrets_upkeep_failed", fault=type(fault).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def collect(database: Database, secrets: Secrets, now: datetime) -> int:
    """Remove the credentials that are superfluous at `now`. Returns their number. Raises PyMongoError.

    The documents of accounts may be behind, or be made anew at this moment. A credential to which an event refers is
    therefore removed only because of a fact that they know: a later credential, or the closing of the account.
    """
    removed = 0
    for credential in await secrets.credentials.made_before(now - ORPHAN_AFTER):
        document = await database[ACCOUNTS.name].find_one({"_id": credential.subject})
        account = ACCOUNTS.from_document(document) if document is not None else None
        if account is not None and account.closed_at is None and account.credential == credential.id:
            if not credential.referred:
                await secrets.credentials.refer(credential.id)
        elif await _is_superfluous(secrets, credential, account):
            # A person of a provider whose account is closed must not get another one by signing in again.
            is_barred = credential.password is None and account is not None and account.closed_at is not None
            await secrets.credentials.remove(credential, now - ORPHAN_AFTER, keep_login=is_barred)
            removed += 1
    if removed:
        log.info("credentials_removed", count=removed)
    return removed


async def _is_superfluous(secrets: Secrets, credential: Credential, account: Account | None) -> bool:
    if account is not None and account.closed_at is not None:
        return True
    if not credential.referred:
        return True
    if account is None:
        return False
    current = await secrets.credentials.get(account.credential)
    return current is not None and current.made_at > credential.made_at
