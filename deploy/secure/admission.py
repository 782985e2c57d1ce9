"""Lets every principal of a secured stack in: its users in Kafka and in MongoDB."""

from pymongo import AsyncMongoClient

from deploy.secure import database_users, scram
from deploy.secure.acls import principals
from deploy.secure.files import KAFKA, MONGO
from deploy.secure.users import ServerSecrets
from shared.kafka_connection import administrator
from shared.mongo import Document, mongo_access
from shared.settings import Settings


async def admit_all(settings: Settings, secrets: ServerSecrets) -> None:
    """Make the users of all principals, with new passwords for those that have none.

    `settings`: the administrator's. Safe to repeat. Raises KafkaError and PyMongoError.
    """
    admin = administrator(settings)
    try:
        await admin.start()
        await scram.keep_users(admin, [secrets.credentials(KAFKA, principal) for principal in principals(settings)])
    finally:
        await admin.close()
    async with AsyncMongoClient[Document](settings.mongo, **mongo_access(settings)) as mongo:
        for principal, granted in database_users.roles(settings.database_prefix).items():
            await database_users.keep_user(mongo, secrets.credentials(MONGO, principal), granted)
