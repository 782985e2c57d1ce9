"""What festival says to itself."""

from shared.events.festival.organiser import CommandId
from shared.events.language import Body, DeadlineReached, Id, Text, Topic


class RevisionRequested(Body):
    """What is missing under a request of festival `key` is to be planned again: comes back to festival with the
    request's `products` and the `lots` that closed booths give back, by which the stock is looked up. Without a
    `command` nobody asked for it: enough was lost on the way, recalled or freed by closed booths."""

    key: Id
    request: Id
    products: tuple[Id, ...]
    lots: tuple[Id, ...] = ()
    without: tuple[Id, ...] = ()
    reason: Text = ""
    consent: bool = True
    command: CommandId | None = None


FESTIVAL_DEADLINES = Topic("karya.festival.deadlines.v1", "key", (DeadlineReached, RevisionRequested))
