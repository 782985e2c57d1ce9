"""A world of sales whose every word is heard: evidence for `verify` without any server. All made up."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID, uuid5

from ops.verify import cash, devices, pools, receipts
from ops.verify.demand import demand
from ops.verify.evidence import Evidence
from ops.verify.money import public_stream, published_settlements, settlements, shares
from ops.verify.report import Check
from ops.verify.topic_evidence import PublishedEvent, TopicEvidence
from services.sales.domain import Booth, FacilityDemand, FacilityFeed, Receipt, Settlement
from services.sales.domain.forwarding import KeptRecord
from services.sales.handlers import BOOTH
from shared import envelope
from shared.events.language import Body, Deadline, Event, Publication
from shared.runtime.processor import Processor
from shared.runtime.state import Entity
from tests.support.builders.sales import SalesWorld

_ENTITIES: tuple[type[Any], ...] = (Booth, Receipt, KeptRecord, Settlement, FacilityDemand, FacilityFeed)
_NAMESPACE = UUID(int=13)

E = TypeVar("E", bound=Entity)


class Witness(SalesWorld):
    """As the world, and hears what goes in and what comes out of both processors, each once."""

    def __init__(self) -> None:
        super().__init__()
        self.words = TopicEvidence()

    def _decide(self, processor: Processor, event: Event) -> list[Publication | Deadline]:
        outputs = super()._decide(processor, event)
        # What booths tell facilities was heard when it was said.
        if processor is BOOTH:
            self._hear(event.body, event.source, event.known_as, "")
        for number, output in enumerate(outputs):
            if isinstance(output, Publication):
                id = str(uuid5(_NAMESPACE, f"{processor.key} {event.source} {event.id} {number}"))
                self._hear(output.body, "karya/sales", id, event.id)
        return outputs

    def _hear(self, body: Body, source: str, id: str, cause: str) -> None:
        self.words.add(PublishedEvent(type(body).__name__, source, id, cause, envelope.encode(body)))

    def evidence(self) -> Evidence:
        """All that is kept and was heard, once facilities have heard everything."""
        self.hear_all()
        return Evidence(
            self.words, {kind: {instance.id: instance for instance in self.all(kind)} for kind in _ENTITIES}
        )


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check that needs sales alone."""
    rooms = chain.from_iterable(room.checks(evidence) for room in (receipts, pools, cash, devices))
    yield from rooms
    for check in (shares, settlements, published_settlements, public_stream, demand):
        yield check(evidence)


def broken(evidence: Evidence) -> dict[str, list[str]]:
    """What is wrong, by the check's name."""
    return {check.name: check.broken for check in checks(evidence) if not check.ok}


def notes(evidence: Evidence) -> dict[str, list[str]]:
    """What is told for information, by the check's name."""
    return {check.name: check.notes for check in checks(evidence) if check.notes}


def with_entity(evidence: Evidence, kind: type[E], change: Callable[[E], E], id: str | None = None) -> Evidence:
    """The evidence with the first entity of this kind (or the one with this id) changed behind the service's back."""
    entities = dict(evidence.of(kind))
    place = id or min(entities)
    entities[place] = change(entities[place])
    return Evidence(evidence.published, evidence.entities | {kind: entities})


def without(evidence: Evidence, kind: type[E], id: str | None = None) -> Evidence:
    entities = dict(evidence.of(kind))
    del entities[id or min(entities)]
    return Evidence(evidence.published, evidence.entities | {kind: entities})
