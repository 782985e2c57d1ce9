"""Events from festival to itself."""

from shared.events.language import Body, CommandId, DeadlineReached, Id, Text, Topic


class RevisionRequested(Body):
    """Missing pieces under a request of festival `key` are to be planned again.

    The event returns to festival with the request's `products`, which select the stock to look up. Without a
    `command` no organiser asked for it: enough pieces were lost on the way, recalled or freed by closed booths.
    """

    key: Id
    request: Id
    products: tuple[Id, ...]
    without: tuple[Id, ...] = ()
    reason: Text = ""
    consent: bool = True
    command: CommandId | None = None


class RequestRested(Body):
    """Inventory owes no answer for `request` of festival `key`, and something of it has to go back or be revised.

    The event returns to festival, which then looks at the whole request.
    """

    key: Id
    request: Id


FESTIVAL_DEADLINES = Topic("karya.festival.deadlines.v1", "key", (DeadlineReached, RevisionRequested, RequestRested))
