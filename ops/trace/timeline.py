"""An entry of a lot's timeline."""

from dataclasses import dataclass
from datetime import datetime

from shared.wording import Message


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event of a lot. `at`: its time (UTC); `who`: its writer; `where`: the position of its record in Kafka.
    `actor`: the account that gave the command which led to it, if one is known."""

    at: datetime
    kind: str
    message: Message
    who: str
    where: str
    actor: str | None = None

    @property
    def text(self) -> str:
        """The message in English."""
        return self.message.english
