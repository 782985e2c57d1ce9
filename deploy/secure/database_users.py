"""The users of MongoDB, each with roles in its own databases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from deploy.secure.files import OPERATOR, PORTAL
from deploy.topics import SERVICES
from shared.credentials import UserCredentials

Role: TypeAlias = Mapping[str, str]
# The databases that a service has besides the one of its name.
_OTHERS: Mapping[str, Sequence[str]] = {"identity": ("identity_secrets",)}
_REBUILT = "rebuilt_"
_ADMIN = "admin"
_EXISTS = 51003
_UNKNOWN = 11


def roles(database_prefix: str) -> Mapping[str, Sequence[Role]]:
    """The roles of each principal but the administrator, which has them all.

    Operators read the databases of services with processors, and rebuild them beside these. Nobody but identity reads
    its secrets, and nobody but the portal people's sessions.
    """
    return {principal: list(_roles(principal, database_prefix)) for principal in (*SERVICES, PORTAL, OPERATOR)}


def _roles(principal: str, prefix: str) -> Iterator[Role]:
    if principal == OPERATOR:
        for service in SERVICES:
            yield {"role": "read", "db": f"{prefix}{service}"}
            for role in ("readWrite", "dbAdmin"):
                yield {"role": role, "db": f"{prefix}{_REBUILT}{service}"}
        return
    for name in (principal, *_OTHERS.get(principal, ())):
        yield {"role": "readWrite", "db": f"{prefix}{name}"}


async def keep_user(client: AsyncMongoClient[Any], credentials: UserCredentials, granted: Sequence[Role]) -> None:
    """Add this user, or give it this password and these roles alone. Raises PyMongoError."""
    options: dict[str, Any] = {"pwd": credentials.password, "roles": list(granted)}
    try:
        await client[_ADMIN].command("createUser", credentials.user, **options)
    except OperationFailure as fault:
        if fault.code != _EXISTS:
            raise
        await client[_ADMIN].command("updateUser", credentials.user, **options)


async def remove_user(client: AsyncMongoClient[Any], user: str) -> None:
    """Admit this user no more. Raises PyMongoError."""
    try:
        await client[_ADMIN].command("dropUser", user)
    except OperationFailure as fault:
        if fault.code != _UNKNOWN:
            raise
