"""People's sessions: the tokens of a sign-in, under the hash of a cookie that only the browser has."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.documents import Database, Document

# Identity ends a session that was not used for so long, and each use renews its tokens.
SESSION_LIFETIME = timedelta(days=14)
# A renewal that takes longer has failed, and another request may try again.
RENEWAL_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a session. `expires_at`: of the access token, by the portal's clock."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PortalSession:
    """A person's session. `id`: the hash of its cookie."""

    id: str = field(repr=False)
    subject: str
    name: str | None
    tokens: Tokens


class PortalSessions:
    """All sessions. A cookie is a random text, and only its hash is kept."""

    def __init__(self, database: Database) -> None:
        self._sessions = database["sessions"]

    async def prepare(self) -> None:
        """Make the index by which the server removes old sessions. Raises PyMongoError."""
        await self._sessions.create_index("ends_at", expireAfterSeconds=0)

    async def begin(self, subject: str, name: str | None, tokens: Tokens, now: datetime) -> str:
        """Keep a new session; its cookie."""
        cookie = secrets.token_urlsafe(32)
        await self._sessions.insert_one(
            {"_id": _hash(cookie), "subject": subject, "name": name, **_fields(tokens, now), "renewing_until": now}
        )
        return cookie

    async def find(self, cookie: str, now: datetime) -> PortalSession | None:
        """The session of a cookie, if there is one."""
        document = await self._sessions.find_one({"_id": _hash(cookie), "ends_at": {"$gt": now}})
        return _session(document) if document is not None else None

    async def claim_renewal(self, session: PortalSession, now: datetime) -> bool:
        """Whether this request may renew the tokens. A refresh token is good once: two uses would end the session."""
        until = now + timedelta(seconds=RENEWAL_SECONDS)
        claimed = await self._sessions.find_one_and_update(
            {"_id": session.id, "refresh": session.tokens.refresh, "renewing_until": {"$lte": now}},
            {"$set": {"renewing_until": until}},
        )
        return claimed is not None

    async def again(self, session: PortalSession) -> PortalSession | None:
        """The session as it is now; None if it has ended."""
        document = await self._sessions.find_one({"_id": session.id})
        return _session(document) if document is not None else None

    async def renew(self, session: PortalSession, tokens: Tokens, now: datetime) -> PortalSession:
        """Keep the new tokens of a session whose renewal was claimed."""
        await self._sessions.update_one(
            {"_id": session.id, "refresh": session.tokens.refresh},
            {"$set": {**_fields(tokens, now), "renewing_until": now}},
        )
        return PortalSession(session.id, session.subject, session.name, tokens)

    async def release(self, session: PortalSession, now: datetime) -> None:
        """Give up a claimed renewal: identity did not answer."""
        await self._sessions.update_one({"_id": session.id}, {"$set": {"renewing_until": now}})

    async def end(self, session: PortalSession) -> None:
        """Forget the session."""
        await self._sessions.delete_one({"_id": session.id})


def _session(document: Document) -> PortalSession:
    tokens = Tokens(document["access"], document["refresh"], document["expires_at"])
    return PortalSession(document["_id"], document["subject"], document["name"], tokens)


def _fields(tokens: Tokens, now: datetime) -> dict[str, Any]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expires_at": tokens.expires_at,
        "ends_at": now + SESSION_LIFETIME,
    }


def _hash(cookie: str) -> str:
    # The text is random, so that no salt and no slow hash is needed.
    return hashlib.sha256(cookie.encode()).hexdigest()
