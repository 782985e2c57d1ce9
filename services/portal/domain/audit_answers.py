"""Who gave which command, as every service tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A command or a record of a device, by the service that worked it. `cursor`: behind which older rows follow."""

    at: datetime
    actor: str
    command: str
    key: str
    id: str
    festival: str | None
    cursor: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class AuditPart:
    """A part of the list. `older`: where the next part begins; None if this is the last one."""

    rows: tuple[AuditRow, ...]
    older: str | None


def merged(found: Iterable[Sequence[AuditRow]], limit: int) -> AuditPart:
    """The latest rows of all services together, of which each gave its own latest, `limit` at most."""
    lists = list(found)
    rows = sorted((row for part in lists for row in part), key=lambda row: (row.cursor, row.service), reverse=True)
    is_last = len(rows) <= limit and all(len(part) < limit for part in lists)
    shown = tuple(rows[:limit])
    return AuditPart(shown, None if is_last or not shown else shown[-1].cursor)
