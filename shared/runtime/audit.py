"""Who gave which command or record, kept in the ledger with the event: in the same transaction, and rebuilt."""

import re

from shared.envelope import rfc3339
from shared.events.language import Body, Event
from shared.mongo import Document

# Kafka's time of arrival and the event's id in the ledger: the order of the list, and its cursor.
GIVEN = "given"
CURSOR = re.compile(r"(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z [!-~]{1,200} [!-~]{1,200})?")
# Fields that name a festival, or something whose name begins with a festival's.
_NAMING = ("festival", "scope", "booth", "place")


def given_by(event: Event, ledger_id: str) -> Document:
    """The fields of the event's document in the ledger that tell which account gave it; none if nobody's did."""
    if event.actor is None:
        return {}
    fields = {
        GIVEN: f"{rfc3339(event.logged_at)} {ledger_id}",
        "actor": event.actor,
        "kind": type(event.body).__name__,
        "key": event.key,
    }
    festival = festival_of(event.body)
    return fields if festival is None else {**fields, "festival": festival}


def festival_of(body: Body) -> str | None:
    """The festival that a command or record names, also by a booth or as the scope of a role.

    A facility that is a scope or a place has the form of a festival's id, and stands for itself. A body that names a
    facility in another field, such as a report, has none.
    """
    for name in _NAMING:
        value = getattr(body, name, None)
        if isinstance(value, str):
            return value.partition(".")[0]
    return None
