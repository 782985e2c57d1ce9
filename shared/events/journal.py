"""The journal of a service: the order of its work, from which its database can be rebuilt."""

from shared.events.language import Body, Count, Id, Qty, Topic


class Range(Body):
    """Offsets from `first` up to, but not including, `next` of one topic. Not every offset need have a record."""

    topic: Id
    first: Count
    next: Count


class BatchWorked(Body):
    """One lane's part of one transaction: the worked offsets, in this order. `derivation`: the number of the rule by
    which event ids are derived from their causes."""

    lane: Id
    batch: Count
    ranges: tuple[Range, ...]
    derivation: Qty = 1


def journal(service: str) -> Topic:
    """The journal topic of a service. A record's partition is the lane's number."""
    return Topic(f"karya.{service}.journal.v1", "lane", (BatchWorked,))
