"""Accounts that are made without a caller: the first ones of a stack, and the reset of one by whoever runs it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from aiokafka import AIOKafkaProducer

from deploy.seed import SOURCE
from services.identity import seed
from services.identity.domain.account import HeldRole, command_key
from services.identity.domain.sign_in import login_of
from services.identity.seed import FirstAccount, SeedCommand
from services.identity.store import ACCOUNT_COMMANDS, ACCOUNTS, SECRETS, Secrets
from shared import envelope
from shared.errors import NotAnswered, WrongEntry
from shared.events.identity import IDENTITY_COMMANDS, Role
from shared.kafka import partition_for, producer, stop_producer, topic_name
from shared.mongo import Database, Mongo
from shared.retry import attempts
from shared.settings import Settings
from shared.wording import Message

IDENTITY = "identity"
RESET_LIFETIME = timedelta(hours=24)
# The first password is random, and nobody is told it. The code lets the owner choose another one.
UNKNOWN_PASSWORD_BYTES = 32
WORKED_WITHIN = 60.0
LOOK_AGAIN = 0.05
ADMINISTRATORS_THERE = Message(
    "There is an administrator already: {logins}. They give others the role by `karya accounts invite "
    "administrator`. If the password is lost: `karya accounts first {login} --reset`."
)


@dataclass(frozen=True, slots=True)
class PasswordCode:
    """A code with which the owner of an account chooses a password, once."""

    subject: str
    code: str = field(repr=False)
    expires_at: datetime


async def seed_accounts(
    settings: Settings, accounts: Iterable[FirstAccount], actor: str | None = None
) -> frozenset[str]:
    """Make these accounts, with the topics there already. Returns the keys of their commands (`command_key`).

    `actor`: the operator who asked for it, if one did.
    Safe to repeat: an account that is there keeps its password, and a command that was worked is not given again. The
    accounts can be used as soon as identity has worked all commands. Raises WrongEntry, KafkaError and PyMongoError.
    """
    mongo, client = Mongo(settings), producer(settings)
    secrets = Secrets(mongo.database(SECRETS))
    worked = mongo.database(IDENTITY)[ACCOUNT_COMMANDS.name]
    keys: list[str] = []
    try:
        await client.start()
        for account in accounts:
            credential = await seed.keep(secrets, account, datetime.now(UTC))
            for command in seed.commands(credential, account.roles):
                keys.append(command_key(command.body.subject, command.id))
                if await worked.find_one({"_id": keys[-1]}) is None:
                    await _give(settings, client, command, actor)
            await secrets.credentials.refer(credential.id)
    finally:
        await stop_producer(client)
        await mongo.close()
    return frozenset(keys)


async def wait_until_worked(settings: Settings, commands: frozenset[str]) -> None:
    """Wait for the outcomes of the commands. What became of the accounts since then is their owners' affair.

    Raises NotAnswered if identity does not run, and PyMongoError.
    """
    mongo = Mongo(settings)
    documents = mongo.database(IDENTITY)[ACCOUNT_COMMANDS.name]
    try:
        async for _ in attempts(within=WORKED_WITHIN, most=LOOK_AGAIN):
            if await documents.count_documents({"_id": {"$in": sorted(commands)}}) == len(commands):
                return
    finally:
        await mongo.close()
    raise NotAnswered(Message("The identity service has not made the accounts in time. Start it, and try again."))


async def make_first(settings: Settings, login: str, name: str = "", *, actor: str | None = None) -> PasswordCode:
    """Make an account with the role administrator, if there is no administrator, and a code for its password.

    `actor`: the operator who asks for it. Safe to repeat until the code was used; each time the former code is good
    no longer. Raises WrongEntry where somebody has the role or the login, NotAnswered if identity does not run,
    KafkaError and PyMongoError.
    """
    mongo = Mongo(settings)
    try:
        secrets, accounts = Secrets(mongo.database(SECRETS)), mongo.database(IDENTITY)[ACCOUNTS.name]
        subject = await secrets.credentials.subject_of(login_of(login))
        administrators = [
            ACCOUNTS.from_document(document)
            async for document in accounts.find({"roles.role": Role.ADMINISTRATOR.value, "closed_at": None})
        ]
        others = [account for account in administrators if account.id != subject]
        if others or (administrators and not await secrets.resets.is_open(administrators[0].id)):
            known = await secrets.credentials.many([account.credential for account in administrators])
            names = [
                known[account.credential].login if account.credential in known else account.id
                for account in administrators
            ]
            raise WrongEntry(Message(ADMINISTRATORS_THERE.template, logins=", ".join(names), login=names[0]))
        if subject is not None and not await _is_unused(secrets, mongo.database(IDENTITY), subject):
            raise WrongEntry(
                Message(
                    "The login {login} has an account already. Choose another login for the administrator.",
                    login=login,
                )
            )
        account = FirstAccount(login, token_urlsafe(UNKNOWN_PASSWORD_BYTES), (HeldRole(Role.ADMINISTRATOR),), name)
        keys = await seed_accounts(settings, [account], actor)
        subject = await secrets.credentials.subject_of(login_of(login))
        assert subject is not None, "it was made just now"
        # The code is made before the wait. If the wait fails, the open code shows the next try an unused account.
        code = await _new_code(secrets, subject)
        await wait_until_worked(settings, keys)
        made = await accounts.find_one({"_id": subject})
        if made is None or HeldRole(Role.ADMINISTRATOR) not in ACCOUNTS.from_document(made).roles:
            raise WrongEntry(
                Message("The account {login} is closed, or has lost this role. Choose another login.", login=login)
            )
        return code
    finally:
        await mongo.close()


async def _is_unused(secrets: Secrets, database: Database, subject: str) -> bool:
    """Whether the account is not made yet, or is closed, or was made here and waits for its first password."""
    document = await database[ACCOUNTS.name].find_one({"_id": subject, "closed_at": None})
    if document is None:
        return True
    others = set(ACCOUNTS.from_document(document).roles) - {HeldRole(Role.ADMINISTRATOR)}
    return not others and await secrets.resets.is_open(subject)


async def reset_code(settings: Settings, account: str) -> PasswordCode:
    """A code for a new password of the open account with this login or subject. Raises WrongEntry and PyMongoError.

    It needs the database only, so that it also helps when no administrator can sign in any more.
    """
    mongo = Mongo(settings)
    try:
        secrets, accounts = Secrets(mongo.database(SECRETS)), mongo.database(IDENTITY)[ACCOUNTS.name]
        subject = await secrets.credentials.subject_of(login_of(account)) or account.strip()
        document = await accounts.find_one({"_id": subject, "closed_at": None})
        if document is None:
            raise WrongEntry(Message("There is no account {account}, or it is closed.", account=account))
        credential = await secrets.credentials.get(document["credential"])
        if credential is not None and credential.password is None:
            raise WrongEntry(Message("The owner of {account} signs in at the provider.", account=account))
        return await _new_code(secrets, subject)
    finally:
        await mongo.close()


async def _new_code(secrets: Secrets, subject: str) -> PasswordCode:
    expires_at = datetime.now(UTC) + RESET_LIFETIME
    return PasswordCode(subject, await secrets.resets.add_reset(subject, SOURCE, expires_at), expires_at)


async def _give(settings: Settings, client: AIOKafkaProducer, command: SeedCommand, actor: str | None) -> None:
    body = command.body
    headers = envelope.headers(
        id=command.id, source=SOURCE, topic=IDENTITY_COMMANDS, body=body, time=datetime.now(UTC), actor=actor
    )
    await client.send_and_wait(
        topic_name(settings, IDENTITY_COMMANDS.name),
        envelope.encode(body),
        body.subject.encode(),
        partition=partition_for(body.subject, settings.partitions),
        headers=headers,
    )
