"""Documents that are written outside the step, in databases that no rebuild makes anew."""

from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.mongo import Database, Document

__all__ = ["Database", "DatabaseFault", "Document", "insert_once"]

# What every call of the database may raise.
DatabaseFault = PyMongoError


async def insert_once(collection: AsyncCollection[Document], document: dict[str, Any]) -> bool:
    """Whether the document was inserted: False if there is one with its `_id` already. Raises PyMongoError.

    The fault of a second one is caught here, because its text has the `_id`.
    """
    try:
        await collection.insert_one(document)
    except DuplicateKeyError:
        return False
    return True
