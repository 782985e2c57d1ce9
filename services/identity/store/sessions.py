"""Sessions: a family of refresh tokens, of which only the newest one is good, and for seconds the one before it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.documents import Database

# A session ends when it was not used for so long.
SESSION_LIFETIME = timedelta(days=14)
# The answer to a renewal may be lost on the way: the client then repeats it with the same token.
GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an account. It ends when the account has another credential."""

    id: str
    subject: str
    credential: str


class Sessions:
    """All sessions. A refresh token is the session's id, a dot and a random text, which is kept as a hash only."""

    def __init__(self, database: Database) -> None:
        self._sessions = database["sessions"]

    async def prepare(self) -> None:
        """Make the index by which the server removes old sessions. Raises PyMongoError."""
        await self._sessions.create_index("expires_at", expireAfterSeconds=0)

    async def begin(self, subject: str, credential: str, now: datetime, ends_at: datetime | None = None) -> str:
        """A new session; its first refresh token. `ends_at`: when it ends even if it is used."""
        id, text = secrets.token_urlsafe(18), secrets.token_urlsafe(24)
        await self._sessions.insert_one(
            {
                "_id": id,
                "subject": subject,
                "credential": credential,
                "token": _hash(text),
                "made_at": now,
                "ends_at": ends_at,
                "expires_at": now + SESSION_LIFETIME,
            }
        )
        return f"{id}.{text}"

    async def refresh(self, token: str, now: datetime) -> tuple[Session, str] | None:
        """The session of a refresh token, and the token that takes its place.

        A token that was used before ends the session: either its owner or a thief used it first. Only the token that
        was used last gets another successor, within seconds and while nobody has used the first one. That one is good
        no longer: of an owner and a thief the one ends the session whose successor was replaced.
        """
        id, _, text = token.partition(".")
        used, new = _hash(text), secrets.token_urlsafe(24)
        alive = {"_id": id, "expires_at": {"$gt": now}, "$or": [{"ends_at": None}, {"ends_at": {"$gt": now}}]}
        successor = {"token": _hash(new), "expires_at": now + SESSION_LIFETIME}
        document = await self._sessions.find_one_and_update(
            {**alive, "token": used}, {"$set": {**successor, "former": used, "replaced_at": now}}
        ) or await self._sessions.find_one_and_update(
            {**alive, "former": used, "replaced_at": {"$gt": now - GRACE}}, {"$set": successor}
        )
        if document is None:
            await self._sessions.delete_one({"_id": id})
            return None
        return Session(id, document["subject"], document["credential"]), f"{id}.{new}"

    async def end(self, token: str) -> None:
        """End the session of a refresh token, also of one that was used before."""
        await self._sessions.delete_one({"_id": token.partition(".")[0]})


def _hash(text: str) -> bytes:
    # The text is random, so that no salt and no slow hash is needed.
    return hashlib.sha256(text.encode()).digest()
