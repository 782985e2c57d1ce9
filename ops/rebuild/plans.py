"""Festival's plans as they were made: at a replay the stock that they were made from can't be seen again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pydantic import ValidationError

from services.festival.domain.allocation.request import Request
from services.festival.domain.command import Wrong, nothing_planned
from services.festival.domain.planning import Available, Before, Chosen, Conflict, Plan, Rules, Share, Wanted
from shared.derivation import derived_ids
from shared.events.festival import FESTIVAL, AllocationPlanned, CommandRefused, PlanConflict, ReplenishmentProposed
from shared.events.language import Body, Event, event_type

_PLANNED = event_type(FESTIVAL, AllocationPlanned)
_REFUSED = event_type(FESTIVAL, CommandRefused)
_REFILLED = event_type(FESTIVAL, ReplenishmentProposed)
_MODELS: dict[str, type[Body]] = {
    _PLANNED: AllocationPlanned,
    _REFUSED: CommandRefused,
    _REFILLED: ReplenishmentProposed,
}


class Remembered:
    """A planner for `services.festival.handlers.by_festival` that gives the plans that were said.

    `gone` names the events whose plan can't be known: what was decided of them here is worth nothing.
    """

    def __init__(self) -> None:
        self.gone: list[str] = []
        # JSON as it came: most plans are asked for once, and a model is many times as large.
        self._said: dict[str, tuple[type[Body], bytes]] = {}

    def hear(self, id: str, type: str, value: bytes) -> None:
        """An event of the festival topic, with its `ce_type` and its JSON; most are of no use here."""
        if type in _MODELS:
            self._said.setdefault(id, (_MODELS[type], value))

    def propose(
        self,
        event: Event,
        request: Request,  # noqa: ARG002
        wanted: Sequence[Wanted],  # noqa: ARG002
        stock: Iterable[Available],  # noqa: ARG002
        before: Mapping[str, Before],  # noqa: ARG002
        rules: Rules,  # noqa: ARG002
    ) -> Plan | Wrong:
        said = self._of(event)
        if isinstance(said, CommandRefused):
            return Wrong(said.field, said.reason, said.message, _conflicts(said.conflicts))
        if isinstance(said, ReplenishmentProposed) and said.conflicts:
            return nothing_planned("demands", "", _conflicts(said.conflicts))
        if isinstance(said, AllocationPlanned):
            return self._plan(event, said)
        self.gone.append(f"{event.source} {event.id}")
        return _NOTHING

    def again(
        self,
        event: Event,
        request: Request,  # noqa: ARG002
        want: Wanted,  # noqa: ARG002
        stock: Iterable[Available],  # noqa: ARG002
        before: Mapping[str, Before],  # noqa: ARG002
        rules: Rules,  # noqa: ARG002
    ) -> Plan | None:
        said = self._of(event)
        return self._plan(event, said) if isinstance(said, AllocationPlanned) else None

    def _of(self, event: Event) -> Body | None:
        # A plan, and a refusal in its place, is the first that its event brings about on this topic.
        ids = derived_ids(f"{event.source} {event.id}", FESTIVAL.name, 0)
        said = next((self._said[id] for id in ids if id in self._said), None)
        if said is None:
            return None
        model, value = said
        try:
            return model.model_validate_json(value)
        except ValidationError:
            self.gone.append(f"{event.source} {event.id}")
            return None

    def _plan(self, event: Event, said: AllocationPlanned) -> Plan:
        if said.lines and not (said.offers and all(line.made_on for line in said.lines)):
            self.gone.append(f"{event.source} {event.id}")
        return Plan(
            chosen=tuple(
                Chosen(
                    line.booth,
                    Available(
                        lot=line.lot,
                        facility=line.facility,
                        product=line.product,
                        qty=line.qty,
                        made_on=line.made_on or date.min,
                        best_before=line.best_before,
                        revision=line.revision,
                    ),
                    line.qty,
                    line.why,
                    line.first,
                )
                for line in said.lines
            ),
            shares=tuple(
                Share(one.facility, one.offered, one.allocated, one.reason, one.reason_id) for one in said.shares
            ),
            short=tuple(Wanted(one.booth, one.product, one.short) for one in said.short),
            offers={(one.facility, one.product): one.qty for one in said.offers},
            conflicts=_conflicts(said.conflicts),
            shipments=said.shipments,
            shipments_at_least=said.shipments_at_least,
        )


def _conflicts(said: Iterable[PlanConflict]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(one.booth, one.product, one.short, one.rules, (), one.reason, one.reason_id) for one in said
    )


_NOTHING = Plan(chosen=(), shares=(), short=(), offers={})
