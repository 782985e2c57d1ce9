"""Which account gave the command that led to an event."""

from collections.abc import Iterable

from aiokafka import ConsumerRecord

from shared import envelope
from shared.envelope import header


class Actors:
    """The accounts that gave commands, and what led to what."""

    def __init__(self) -> None:
        self._given_by: dict[str, str] = {}
        self._causes: dict[str, str] = {}

    def add(self, records: Iterable[ConsumerRecord]) -> None:
        """Add records: commands, and events that may lead to others."""
        for record in records:
            id = header(record.headers, "ce_id")
            if id is None:
                continue
            # The first record with an id is the one that counted.
            if (actor := header(record.headers, envelope.ACTOR)) is not None:
                self._given_by.setdefault(id, actor)
            if (cause := header(record.headers, "causationid")) is not None:
                self._causes.setdefault(id, cause)

    def of(self, record: ConsumerRecord) -> str | None:
        """The account that gave this command, or the command that led to this event; None if nobody is known."""
        id = header(record.headers, "ce_id")
        passed: set[str] = set()
        while id is not None and id not in passed:
            if (actor := self._given_by.get(id)) is not None:
                return actor
            passed.add(id)
            id = self._causes.get(id)
        return None
