"""A device as identity tells of it."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.identity import PublicKey


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """An enrolled device; `id` is its subject. `source`: that of every record that it may sign."""

    id: str
    public_key: PublicKey
    source: str
    enrolled_at: datetime
    revoked: bool = False
