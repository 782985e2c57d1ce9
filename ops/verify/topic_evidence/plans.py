"""The evidence of plans, revisions and replenishments: those of which a part is missing or is another one's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ops.verify.topic_evidence.event import PublishedEvent
from shared.events.festival import AllocationPlanned, AllocationRevised, ReplenishmentProposed
from shared.events.parts import joined
from shared.wording import Message

LongEvent: TypeAlias = AllocationPlanned | AllocationRevised | ReplenishmentProposed
_MODELS: dict[str, type[LongEvent]] = {
    model.__name__: model for model in (AllocationPlanned, AllocationRevised, ReplenishmentProposed)
}


@dataclass(slots=True)
class PlanEvidence:
    """`whole` counts the events that came with all their parts. The others are kept by their names, with their parts
    by number."""

    whole: int = 0
    _parts: dict[str, dict[int, LongEvent]] = field(default_factory=dict)

    def add(self, event: PublishedEvent) -> None:
        """Take in a part. What is whole then is dropped."""
        model = _MODELS.get(event.type)
        if model is None:
            return
        body = model.model_validate_json(event.value)
        name = f"{event.type} {body.festival}/{body.request} {body.digest or ''}".strip()
        parts = self._parts.setdefault(name, {})
        parts[body.part] = body
        if joined([part for _, part in sorted(parts.items())]) is not None:
            del self._parts[name]
            self.whole += 1

    def not_whole(self) -> Iterator[Message]:
        """What is wrong with each event that is not whole."""
        for name, parts in sorted(self._parts.items()):
            count = next(iter(parts.values())).parts
            missing = [str(number) for number in range(1, count + 1) if number not in parts]
            if missing:
                yield Message(
                    "{name} has no part {missing} of {count}", name=name, missing=", ".join(missing), count=count
                )
            else:
                yield Message("{name} has another digest than its parts together", name=name)
