"""The keys that sign access tokens: made at the first start, changed every 30 days, announced before their use."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc.jwk import ECKey, KeySet

from shared.access.tokens import new_key
from shared.documents import Database, insert_once

ROTATION = timedelta(days=30)
# Long enough for every service to have fetched the key before it signs.
AHEAD = timedelta(days=1)
# A key that is made so late nevertheless waits for this. Services fetch keys every five minutes.
AT_LEAST_AHEAD = timedelta(minutes=10)
# How old the keys may be that an instance knows.
KNOWN_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Key:
    number: int
    key: ECKey
    signs_from: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class Keyring:
    """The signing keys that all instances share. Their numbers decide who makes the next one: each is there once.

    It is the `SigningKeys` of identity's own access control. All methods raise PyMongoError.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = _now) -> None:
        self._documents = database["signing_keys"]
        self._now = now
        self._keys: Sequence[_Key] = ()
        self._read_at: datetime | None = None

    async def current(self) -> ECKey:
        """The private key that signs now."""
        keys = await self._fresh()
        return _current(keys, self._now()).key

    async def known(self) -> KeySet:
        """The public keys: the former one, the current one, and the next one if it is made already."""
        keys = await self._fresh()
        first = _current(keys, self._now()).number - 1
        public = [key.key.as_dict(private=False) for key in keys if key.number >= first]
        return KeySet([ECKey.import_key(fields) for fields in public])

    async def newest(self) -> KeySet:
        """The public keys after the database was asked again."""
        self._read_at = None
        return await self.known()

    async def _fresh(self) -> Sequence[_Key]:
        now = self._now()
        if self._read_at is None or not self._keys or now - self._read_at > KNOWN_FOR:
            keys = await self._read()
            due = _next(keys, now)
            if due is not None:
                await self._make(*due)
                keys = await self._read()
            self._keys, self._read_at = keys, now
        return self._keys

    async def _read(self) -> Sequence[_Key]:
        documents = await self._documents.find({}).sort("_id", 1).to_list(None)
        return [
            _Key(document["_id"], ECKey.import_key(document["jwk"]), document["signs_from"]) for document in documents
        ]

    async def _make(self, number: int, signs_from: datetime) -> None:
        """Make the key of this number, unless another instance does. Those before the former one go."""
        key = new_key(secrets.token_hex(8))
        document = {"_id": number, "jwk": key.as_dict(private=True), "signs_from": signs_from}
        await insert_once(self._documents, document)
        await self._documents.delete_many({"_id": {"$lt": number - 2}})


def _current(keys: Sequence[_Key], now: datetime) -> _Key:
    # The first key signs at once, whatever the clock of another instance says.
    return next((key for key in reversed(keys) if key.signs_from <= now), keys[0])


def _next(keys: Sequence[_Key], now: datetime) -> tuple[int, datetime] | None:
    """The number of the key that has to be made now and the moment from which it signs; None if none is due."""
    if not keys:
        return 1, now
    last = keys[-1]
    if last.signs_from > now or now - last.signs_from < ROTATION - AHEAD:
        return None
    return last.number + 1, max(last.signs_from + ROTATION, now + AT_LEAST_AHEAD)
