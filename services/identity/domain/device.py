"""A device with its key."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.identity import PublicKey, Role


@dataclass(frozen=True, slots=True)
class EnrolledDevice:
    """One device; `id` is its subject, which follows from its key. `scope`: the facility or booth whose records it
    sends, as the terminal or till `name`."""

    id: str
    public_key: PublicKey
    role: Role
    scope: str
    name: str
    enrolled_at: datetime
    revoked_at: datetime | None = None
