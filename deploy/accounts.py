"""Accounts that are made without a caller: the first ones of a stack, and the reset of one by whoever runs it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer

from deploy.seed import SOURCE
from services.identity import seed
from services.identity.domain.account import command_key
from services.identity.seed import FirstAccount, SeedCommand
from services.identity.store import ACCOUNT_COMMANDS, SECRETS, Secrets
from shared import envelope
from shared.events.identity import IDENTITY_COMMANDS
from shared.kafka import partition_for, producer, stop_producer, topic_name
from shared.mongo import Mongo
from shared.settings import Settings

RESET_LIFETIME = timedelta(hours=24)


async def seed_accounts(settings: Settings, accounts: Iterable[FirstAccount]) -> frozenset[str]:
    """Make these accounts, with the topics there already. Returns the keys of their commands (`command_key`).

    Safe to repeat: an account that is there keeps its password, and a command that was worked is not given again. The
    accounts can be used as soon as identity has worked all commands. Raises WrongEntry, KafkaError and PyMongoError.
    """
    mongo, client = Mongo(settings), producer(settings)
    secrets = Secrets(mongo.database(SECRETS))
    worked = mongo.database("identity")[ACCOUNT_COMMANDS.name]
    keys: list[str] = []
    try:
        await client.start()
        for account in accounts:
            credential = await seed.keep(secrets, account, datetime.now(UTC))
            for command in seed.commands(credential, account.roles):
                keys.append(command_key(command.body.subject, command.id))
                if await worked.find_one({"_id": keys[-1]}) is None:
                    await _give(settings, client, command)
            await secrets.credentials.refer(credential.id)
    finally:
        await stop_producer(client)
        await mongo.close()
    return frozenset(keys)


async def reset_code(settings: Settings, subject: str) -> str:
    """A code for a new password of this account, good for a day. Raises PyMongoError.

    It needs the database only, so that it also helps when no administrator can sign in any more.
    """
    mongo = Mongo(settings)
    try:
        resets = Secrets(mongo.database(SECRETS)).resets
        return await resets.add_reset(subject, SOURCE, datetime.now(UTC) + RESET_LIFETIME)
    finally:
        await mongo.close()


async def _give(settings: Settings, client: AIOKafkaProducer, command: SeedCommand) -> None:
    body = command.body
    headers = envelope.headers(
        id=command.id, source=SOURCE, topic=IDENTITY_COMMANDS, body=body, time=datetime.now(UTC)
    )
    await client.send_and_wait(
        topic_name(settings, IDENTITY_COMMANDS.name),
        envelope.encode(body),
        body.subject.encode(),
        partition=partition_for(body.subject, settings.partitions),
        headers=headers,
    )
