"""Passwords as salted hashes (scrypt), made and checked in threads, at most two at a time."""

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.http.problems import PageRefused
from shared.wording import Message

AT_ONCE = 2
# Each waits for about a tenth of a second for each two before it.
MOST_WAITING = 40
SALT_BYTES = 16
HASH_BYTES = 32
BUSY = Message("Too many people sign in at this moment. Please try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """The parameters of scrypt. They are kept with each hash, so that a later version can raise them."""

    n: int = 2**15
    r: int = 8
    p: int = 1

    @property
    def memory_bytes(self) -> int:
        # What OpenSSL needs, and as much again for its own reckoning.
        return 2 * 128 * self.r * (self.n + self.p)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    salt: bytes
    hash: bytes
    cost: ScryptCost

    def as_document(self) -> dict[str, Any]:
        return {"salt": self.salt, "hash": self.hash, **asdict(self.cost)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "PasswordHash":
        return cls(document["salt"], document["hash"], ScryptCost(document["n"], document["r"], document["p"]))


class Passwords:
    """Hashes and checks passwords. Raises PageRefused 503 when too many wait already."""

    def __init__(self, cost: ScryptCost | None = None) -> None:
        self._cost = cost or ScryptCost()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        # Checked in place of a hash that is not there: an unknown login must take as long as a known one.
        self._nobody = PasswordHash(secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES), self._cost)

    async def hash(self, password: str) -> PasswordHash:
        """A new hash with a salt of its own."""
        salt = secrets.token_bytes(SALT_BYTES)
        return PasswordHash(salt, await self._derive(password, salt, self._cost), self._cost)

    async def is_right(self, password: str, known: PasswordHash | None) -> bool:
        """Whether the password is the one of the hash. Without a hash the answer is no, after the same time."""
        hash = known or self._nobody
        derived = await self._derive(password, hash.salt, hash.cost)
        return hmac.compare_digest(derived, hash.hash) and known is not None

    async def _derive(self, password: str, salt: bytes, cost: ScryptCost) -> bytes:
        if self._waiting >= MOST_WAITING:
            raise PageRefused(503, BUSY, {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(_scrypt, password_bytes(password), salt, cost)
        finally:
            self._waiting -= 1


def password_bytes(password: str) -> bytes:
    """What is hashed: the same for the two ways in which Unicode writes an accented letter."""
    return unicodedata.normalize("NFC", password).encode()


def _scrypt(password: bytes, salt: bytes, cost: ScryptCost) -> bytes:
    return hashlib.scrypt(
        password, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=cost.memory_bytes, dklen=HASH_BYTES
    )
