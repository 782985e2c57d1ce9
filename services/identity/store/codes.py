"""Codes that a person passes on: each opens one thing once, and is kept as a hash only."""

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from shared.documents import Database, Document
from shared.events.identity import Role

_SEPARATORS = re.compile(r"[\s-]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# A code for a device is typed at the device, and is good for minutes only.
_TYPED_GROUPS, _TYPED_LETTERS = 3, 4


@dataclass(frozen=True, slots=True)
class Code:
    """What a code opens. `command`: the beginning of the ids of its commands, so that a repeated request gives the
    same ones. `claimed_by`: the credential, the account or the device that has used it."""

    command: str
    by: str | None
    expires_at: datetime
    subject: str | None = None
    role: Role | None = None
    scope: str | None = None
    claimed_by: str | None = None


class Codes:
    """The codes of one kind. All methods raise PyMongoError."""

    def __init__(self, database: Database, kind: str) -> None:
        self._codes = database[kind]

    async def prepare(self) -> None:
        """Make the index by which the server removes old codes."""
        await self._codes.create_index("expires_at", expireAfterSeconds=0)

    async def add_invitation(self, role: Role, scope: str | None, by: str | None, expires_at: datetime) -> str:
        """A new code for a role."""
        return await self._add({"role": role.value, "scope": scope, "subject": None}, by, expires_at)

    async def add_reset(self, subject: str, by: str | None, expires_at: datetime) -> str:
        """A new code for a password of this account. Former ones are good no longer."""
        await self._codes.delete_many({"subject": subject, "claimed_by": None})
        return await self._add({"role": None, "scope": None, "subject": subject}, by, expires_at)

    async def is_open(self, subject: str) -> bool:
        """Whether there is a code for a password of this account that nobody has used."""
        return await self._codes.count_documents({"subject": subject, "claimed_by": None}, limit=1) > 0

    async def add_device(self, role: Role, scope: str, by: str | None, expires_at: datetime) -> str:
        """A new code for a device, in short groups of letters."""
        groups = ("".join(secrets.choice(_LETTERS) for _ in range(_TYPED_LETTERS)) for _ in range(_TYPED_GROUPS))
        return await self._keep(
            "-".join(groups), {"role": role.value, "scope": scope, "subject": None}, by, expires_at
        )

    async def find(self, code: str, now: datetime) -> Code | None:
        """What the code opens, used or not; None if it is unknown or too old."""
        document = await self._codes.find_one({"_id": _hash(code), "expires_at": {"$gt": now}})
        return _code(document) if document is not None else None

    async def claim(self, code: str, claimant: str) -> bool:
        """Use the code. False if another claimant has used it before."""
        document = await self._codes.find_one_and_update(
            {"_id": _hash(code), "claimed_by": {"$in": [None, claimant]}}, {"$set": {"claimed_by": claimant}}
        )
        return document is not None

    async def _add(self, opens: dict[str, str | None], by: str | None, expires_at: datetime) -> str:
        code = b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
        return await self._keep(code, opens, by, expires_at)

    async def _keep(self, code: str, opens: dict[str, str | None], by: str | None, expires_at: datetime) -> str:
        await self._codes.insert_one(
            {
                "_id": _hash(code),
                **opens,
                "command": str(uuid4()),
                "by": by,
                "expires_at": expires_at,
                "claimed_by": None,
            }
        )
        return code


def _hash(code: str) -> bytes:
    # The code is random, so that no salt and no slow hash is needed. People may type it in capitals, and in groups.
    return hashlib.sha256(_SEPARATORS.sub("", code).lower().encode()).digest()


def _code(document: Document) -> Code:
    role = document["role"]
    return Code(
        document["command"],
        document["by"],
        document["expires_at"],
        document["subject"],
        Role(role) if role is not None else None,
        document["scope"],
        document["claimed_by"],
    )
