"""New passwords and certificates for a secured stack that goes on working."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import AsyncMongoClient

from deploy.altering import alter_broker
from deploy.secure import certificates, database_users, scram
from deploy.secure.files import ADMINISTRATOR, KAFKA, MONGO
from deploy.secure.users import ServerSecrets, new_credentials, other_name
from shared.kafka_connection import administrator
from shared.mongo import Document, mongo_access
from shared.settings import Settings


async def admit_other_users(settings: Settings, secrets: ServerSecrets, principals: Iterable[str]) -> None:
    """Give each principal's other user a new password, and let clients that start from now on work as that user.

    Both users are good until `retire_former_users`. `settings`: the administrator's. Raises KafkaError and
    PyMongoError.
    """
    principals = list(principals)
    granted = _granted(settings)
    fresh = {
        (server, principal): new_credentials(other_name(secrets.credentials(server, principal).user))
        for server, principal in _users(principals, granted)
    }
    admin = administrator(settings)
    try:
        await admin.start()
        await scram.keep_users(admin, [user for (server, _), user in fresh.items() if server == KAFKA])
    finally:
        await admin.close()
    async with AsyncMongoClient[Document](settings.mongo, **mongo_access(settings)) as mongo:
        for (server, principal), user in fresh.items():
            if server == MONGO:
                await database_users.keep_user(mongo, user, granted[principal])
    # Last: a client must not start as a user that a server does not know yet.
    for (server, principal), user in fresh.items():
        secrets.keep(server, principal, user)


async def retire_former_users(settings: Settings, secrets: ServerSecrets, principals: Iterable[str]) -> None:
    """Remove the user of each principal that is not in use, once no client works as it. Safe to repeat.

    Raises KafkaError and PyMongoError.
    """
    principals = list(principals)
    admin = administrator(settings)
    try:
        await admin.start()
        for principal in principals:
            await scram.remove_user(admin, other_name(secrets.credentials(KAFKA, principal).user))
    finally:
        await admin.close()
    async with AsyncMongoClient[Document](settings.mongo, **mongo_access(settings)) as mongo:
        for principal in set(principals) & _granted(settings).keys():
            await database_users.remove_user(mongo, other_name(secrets.credentials(MONGO, principal).user))


async def renew_kafka_certificate(
    settings: Settings, secrets: ServerSecrets, broker: int, listeners: Iterable[str], now: datetime
) -> None:
    """Make a new certificate for the broker, and let it use that from the next connection on. Connections go on.

    Raises KafkaError.
    """
    certificates.renew(secrets, KAFKA, now)
    values = {f"listener.name.{name.lower()}.ssl.keystore.location": str(secrets.server(KAFKA)) for name in listeners}
    admin = administrator(settings)
    try:
        await admin.start()
        await alter_broker(admin, broker, values)
    finally:
        await admin.close()


def _granted(settings: Settings) -> Mapping[str, Sequence[database_users.Role]]:
    everything = [{"role": "root", "db": "admin"}]
    return {ADMINISTRATOR: everything, **database_users.roles(settings.database_prefix)}


def _users(
    principals: Sequence[str], granted: Mapping[str, Sequence[database_users.Role]]
) -> Iterable[tuple[str, str]]:
    for principal in principals:
        yield KAFKA, principal
        if principal in granted:
            yield MONGO, principal
