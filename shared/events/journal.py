"""What a service notes of its own work, so that its database can be built anew in the same order."""

from shared.events.language import Body, Count, Id, Qty, Topic


class Range(Body):
    """Offsets `first` up to, not including, `next` of one topic. A record need not lie at each of them."""

    topic: Id
    first: Count
    next: Count


class BatchWorked(Body):
    """One lane's part of one transaction: what was worked, in this order. `derivation`: the number of the way in
    which the ids of its events follow from their causes."""

    lane: Id
    batch: Count
    ranges: tuple[Range, ...]
    derivation: Qty = 1


def journal(service: str) -> Topic:
    """The journal topic of a service. Its partition is the lane's own."""
    return Topic(f"karya.{service}.journal.v1", "lane", (BatchWorked,))
