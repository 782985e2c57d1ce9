"""One thing in a lot's life."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to the lot. `at` (UTC) is when, by who says so; `where` is its record in Kafka."""

    at: datetime
    kind: str
    text: str
    who: str
    where: str
