"""Festival's recorded plans: a replay can't plan again, since it does not see the stock of that time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pydantic import ValidationError

from services.festival.domain.allocation.request import Request
from services.festival.domain.command import Rejection, nothing_to_plan
from services.festival.domain.planning import (
    Allotment,
    AvailableLot,
    Conflict,
    EarlierShare,
    Plan,
    RequestDemand,
    Rules,
    Share,
)
from shared.derivation import derived_ids
from shared.events.festival import FESTIVAL, AllocationPlanned, CommandRefused, PlanConflict, ReplenishmentProposed
from shared.events.language import Body, Event, event_type
from shared.events.parts import joined
from shared.wording import Message, message_of

_PLANNED = event_type(FESTIVAL, AllocationPlanned)
_REFUSED = event_type(FESTIVAL, CommandRefused)
_REFILLED = event_type(FESTIVAL, ReplenishmentProposed)
_MODELS: dict[str, type[Body]] = {
    _PLANNED: AllocationPlanned,
    _REFUSED: CommandRefused,
    _REFILLED: ReplenishmentProposed,
}


class RecordedPlans:
    """A planner for `services.festival.handlers.by_festival` that returns the published plans.

    `unknown` lists the events whose published plan is not whole. Decisions on them are invalid.
    """

    def __init__(self) -> None:
        self.unknown: list[str] = []
        # As JSON: most plans are used once, and a model takes many times the memory.
        self._publications: dict[str, tuple[type[Body], bytes]] = {}

    def add(self, id: str, type: str, value: bytes) -> None:
        """Add an event of the festival topic, with its `ce_type` and JSON. Events without a plan are ignored."""
        if type in _MODELS:
            self._publications.setdefault(id, (_MODELS[type], value))

    def propose(
        self,
        event: Event,
        request: Request,  # noqa: ARG002
        demands: Sequence[RequestDemand],  # noqa: ARG002
        stock: Iterable[AvailableLot],  # noqa: ARG002
        before: Mapping[str, EarlierShare],  # noqa: ARG002
        rules: Rules,  # noqa: ARG002
    ) -> Plan | Rejection:
        body = self._of(event)
        if isinstance(body, CommandRefused):
            return Rejection(
                body.field, body.reason, message_of(body.template, body.values), _conflicts(body.conflicts)
            )
        if isinstance(body, ReplenishmentProposed) and body.conflicts:
            return nothing_to_plan("demands", Message(""), _conflicts(body.conflicts))
        if isinstance(body, AllocationPlanned):
            return self._plan(event, body)
        self._miss(event)
        return _NOTHING

    def replan(
        self,
        event: Event,
        request: Request,  # noqa: ARG002
        demand: RequestDemand,  # noqa: ARG002
        stock: Iterable[AvailableLot],  # noqa: ARG002
        before: Mapping[str, EarlierShare],  # noqa: ARG002
        rules: Rules,  # noqa: ARG002
    ) -> Plan | None:
        body = self._of(event)
        return self._plan(event, body) if isinstance(body, AllocationPlanned) else None

    def _of(self, event: Event) -> Body | None:
        # A plan, or what is said in its place, is the first event that its cause brings about on this topic. A long
        # one is the first few events, and counts only whole.
        first = self._at(event, 0)
        if not isinstance(first, AllocationPlanned | ReplenishmentProposed):
            return first
        parts = [first, *(self._at(event, number) for number in range(1, first.parts))]
        whole = joined([part for part in parts if type(part) is type(first)])
        if whole is None:
            self._miss(event)
        return whole

    def _at(self, event: Event, index: int) -> Body | None:
        """The event at this place among those that the cause brings about on the topic."""
        ids = derived_ids(f"{event.source} {event.id}", FESTIVAL.name, index)
        publication = next((self._publications[id] for id in ids if id in self._publications), None)
        if publication is None:
            return None
        model, value = publication
        try:
            return model.model_validate_json(value)
        except ValidationError:
            self._miss(event)
            return None

    def _miss(self, event: Event) -> None:
        name = f"{event.source} {event.id}"
        if name not in self.unknown:
            self.unknown.append(name)

    def _plan(self, event: Event, planned: AllocationPlanned) -> Plan:
        if planned.lines and not (planned.offers and all(line.made_on for line in planned.lines)):
            self._miss(event)
        return Plan(
            allotments=tuple(
                Allotment(
                    line.booth,
                    AvailableLot(
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
                for line in planned.lines
            ),
            shares=tuple(
                Share(row.facility, row.offered, row.allocated, row.reason, row.reason_id) for row in planned.shares
            ),
            short=tuple(RequestDemand(row.booth, row.product, row.short) for row in planned.short),
            offers={(row.facility, row.product): row.qty for row in planned.offers},
            conflicts=_conflicts(planned.conflicts),
            shipments=planned.shipments,
            shipments_at_least=planned.shipments_at_least,
        )


def _conflicts(conflicts: Iterable[PlanConflict]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(
            conflict.booth, conflict.product, conflict.short, conflict.rules, (), conflict.reason, conflict.reason_id
        )
        for conflict in conflicts
    )


_NOTHING = Plan(allotments=(), shares=(), short=(), offers={})
