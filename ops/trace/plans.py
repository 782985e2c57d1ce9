"""Long plans and revisions in several events: which part an event is, and which parts are missing."""

from collections import defaultdict
from collections.abc import Iterator

from aiokafka import ConsumerRecord

from ops.trace.timeline import TimelineEntry
from shared.envelope import header
from shared.events.festival import FESTIVAL, AllocationPlanned, AllocationRevised
from shared.events.language import Body, Event, event_type
from shared.wording import Message

_TYPES = frozenset(event_type(FESTIVAL, body) for body in (AllocationPlanned, AllocationRevised))


class LongPlans:
    """The plans and revisions of which a part was read. A plan counts only whole, so missing parts are told."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, ...], dict[int, tuple[Event, str]]] = defaultdict(dict)

    def add(self, event: Event, where: str) -> None:
        """Note the part, if the event is one. `where`: the position of its record."""
        body = event.body
        if isinstance(body, AllocationPlanned | AllocationRevised) and body.parts > 1:
            plan = (type(body).__name__, body.festival, body.request, str(body.plan), body.digest)
            self._parts[plan].setdefault(body.part, (event, where))

    def missing(self) -> Iterator[TimelineEntry]:
        """An entry for each plan that is not whole, in the place of its first part that is there."""
        for parts in self._parts.values():
            event, where = parts[min(parts)]
            body = event.body
            assert isinstance(body, AllocationPlanned | AllocationRevised), "only plans have parts here"
            numbers = [number for number in range(1, body.parts + 1) if number not in parts]
            if numbers:
                message = Message(
                    "plan {plan} of {request} is not whole and counts for nothing: part {missing} of {parts} is "
                    "missing",
                    plan=body.plan,
                    request=body.request,
                    missing=", ".join(map(str, numbers)),
                    parts=body.parts,
                )
                yield TimelineEntry(
                    event.time, type(body).__name__, message, event.source.removeprefix("karya/"), where
                )


def may_be_part(record: ConsumerRecord) -> bool:
    """Whether the record may be a part of a long plan, so that it must be decoded."""
    return header(record.headers, "ce_type") in _TYPES and b'"parts":1,' not in (record.value or b"")


def as_part(body: Body, text: Message) -> Message:
    """The text of an entry, with the number of the part that it is from, if its plan is long."""
    if isinstance(body, AllocationPlanned | AllocationRevised) and body.parts > 1:
        return Message(
            "{text} (plan {plan}, part {part} of {parts})",
            text=text,
            plan=body.plan,
            part=body.part,
            parts=body.parts,
        )
    return text
