"""An entry of a lot's timeline."""

from dataclasses import dataclass
from datetime import datetime

from shared.wording import Message


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event of a lot. `at`: its time (UTC); `who`: its writer; `where`: the position of its record in Kafka."""

    at: datetime
    kind: str
    text: Message
    who: str
    where: str
