"""What the services have still to do, by topic."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.portal.domain.answers import BacklogRow


@dataclass(frozen=True, slots=True)
class LagRow:
    """Records of a topic that a service has still to work; without a topic: pages of events to publish.
    `records` None: not known now."""

    service: str
    topic: str
    records: int | None


def lag_of(backlogs: Iterable[BacklogRow]) -> tuple[list[LagRow], list[LagRow]]:
    """The rows where something waits, or where nobody knows, the most first; and the others."""
    rows = [
        row
        for backlog in backlogs
        for row in (
            *(LagRow(backlog.service, topic.topic, topic.records) for topic in backlog.waiting),
            LagRow(backlog.service, "", backlog.outbox_pages),
        )
    ]
    # Where nobody knows something may be wrong, so it comes first.
    waiting = sorted(
        (row for row in rows if row.records != 0), key=lambda row: (row.records is not None, -(row.records or 0))
    )
    return waiting, [row for row in rows if row.records == 0]
