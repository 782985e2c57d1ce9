"""Sales that were published again for another booth: of a booth that nobody opened, or of one that was merged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from ops.trace.timeline import TimelineEntry
from services.sales.domain.receipt import receipt_of
from shared import envelope
from shared.errors import Unusable
from shared.events.language import Event, Topic
from shared.events.sales import TILL, ReceiptIssued, RecordForwarded
from shared.wording import Message

# A booth and a receipt.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Forwarded:
    event: Event
    body: RecordForwarded
    where: str

    @property
    def receipt(self) -> str:
        return receipt_of(self.body.source, self.body.id)


class ForwardedSales:
    """The records by which receipts count at another booth, and the places of their originals."""

    def __init__(self) -> None:
        self._all: list[_Forwarded] = []
        self._originals: dict[Place, str] = {}

    def add(self, topic: Topic, record: ConsumerRecord) -> None:
        """Add a record of the topic of sales to itself. Only forwarded receipts are kept."""
        if f'"{ReceiptIssued.__name__}"'.encode() not in (record.value or b""):
            return
        try:
            event = envelope.decode(topic, record)
        except Unusable:
            return  # an unreadable record forwards nothing
        if isinstance(event.body, RecordForwarded) and event.body.type == ReceiptIssued.__name__:
            self._all.append(_Forwarded(event, event.body, _position(record)))

    def select(self, receipts: set[Place]) -> None:
        """Keep those of these receipts only. A sale may have been forwarded from booth to booth."""
        concerned = set(receipts)
        while more := {
            place
            for forwarded in self._all
            if (forwarded.body.key, forwarded.receipt) in concerned
            and (place := (forwarded.body.booth, forwarded.receipt)) not in concerned
        }:
            concerned |= more
        self._all = [one for one in self._all if (one.body.booth, one.receipt) in concerned]

    @property
    def booths(self) -> set[str]:
        """The booths for which the originals were sent."""
        return {forwarded.body.booth for forwarded in self._all}

    def find_originals(self, records: Iterable[ConsumerRecord]) -> Iterator[str]:
        """Note the places of originals among these records of tills. Yields the ids under which they were worked."""
        wanted = {(forwarded.body.booth, forwarded.body.id) for forwarded in self._all}
        for record in records:
            if record.key is None or record.key.decode(errors="replace") not in self.booths:
                continue
            try:
                event = envelope.decode(TILL, record)
            except Unusable:
                continue  # only a mended copy of it was worked
            if (event.key, event.known_as) in wanted:
                self._originals.setdefault((event.key, event.known_as), _position(record))
                yield event.id

    def entries(self) -> Iterator[TimelineEntry]:
        """One entry for each, with the place of its original."""
        for forwarded in self._all:
            body = forwarded.body
            names: dict[str, str] = {"receipt": forwarded.receipt, "booth": body.booth, "to": body.key}
            text = Message("receipt {receipt} for {booth} published again for {to}", **names)
            if original := self._originals.get((body.booth, body.id)):
                text = Message(
                    "receipt {receipt} for {booth} published again for {to}; its original is {original}",
                    **names,
                    original=original,
                )
            who = body.source.removeprefix("karya/")
            yield TimelineEntry(forwarded.event.time, RecordForwarded.__name__, text, who, forwarded.where)


def _position(record: ConsumerRecord) -> str:
    return f"{record.topic} {record.partition}/{record.offset}"
