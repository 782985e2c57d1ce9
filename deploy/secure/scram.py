"""A Kafka request that gives users their passwords. aiokafka has none."""

import hashlib
import secrets
from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from shared.credentials import UserCredentials

_SHA_512 = 2
_ITERATIONS = 8192
_SALT_BYTES = 24
_NO_SUCH_USER = 91
_NO_TAGS: dict[int, bytes] = {}


class _ScramAnswer(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ScramRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _ScramAnswer
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUserScramCredentials(Request[_ScramRequest]):  # type: ignore[misc]
    API_KEY = 51

    def __init__(self, kept: Iterable[UserCredentials], removed: Iterable[str]) -> None:
        self._deletions = [(user, _SHA_512, _NO_TAGS) for user in removed]
        self._upsertions = [_upsertion(credentials) for credentials in kept]

    def build(self, request_struct_class: type[_ScramRequest]) -> _ScramRequest:
        return request_struct_class(self._deletions, self._upsertions, _NO_TAGS)


def _upsertion(credentials: UserCredentials) -> tuple[str, int, int, bytes, bytes, dict[int, bytes]]:
    salt = secrets.token_bytes(_SALT_BYTES)
    # The password itself stays here: the broker gets and keeps a hash.
    salted = hashlib.pbkdf2_hmac("sha512", credentials.password.encode(), salt, _ITERATIONS)
    return credentials.user, _SHA_512, _ITERATIONS, salt, salted, _NO_TAGS


async def keep_users(admin: AIOKafkaAdminClient, users: Iterable[UserCredentials]) -> None:
    """Add these users, or give them these passwords. Connections of theirs go on. Raises KafkaError."""
    await _alter(admin, users, ())


async def remove_user(admin: AIOKafkaAdminClient, user: str) -> None:
    """Admit this user no more. Connections of theirs go on until they end. Raises KafkaError."""
    await _alter(admin, (), (user,))


async def _alter(admin: AIOKafkaAdminClient, kept: Iterable[UserCredentials], removed: Iterable[str]) -> None:
    answer = await admin._send_request(_AlterUserScramCredentials(kept, removed))
    for user, code, why, _tags in answer.results:
        if code not in (0, _NO_SUCH_USER):
            raise for_code(code)(f"user {user}: {why}")
