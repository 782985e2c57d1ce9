"""The source of plans. A live service plans fairly with a view of the stock that other lanes keep.

A replay takes the plans of the record, as that view can't be restored.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.festival.domain.allocation.request import Request
from services.festival.domain.command import Rejection, nothing_to_plan
from services.festival.domain.planning import AvailableLot, EarlierShare, Plan, RequestDemand, Rules, plan
from shared.events.festival import CommandRefusal
from shared.events.language import Event
from shared.wording import Message

# So that one step stays within the memory of a service and a transaction of its database.
MAX_LINES = 50_000


class Planner(Protocol):
    """A source of plans. It must give the same plan for the same event, however often it is asked."""

    def propose(
        self,
        event: Event,
        request: Request,
        demands: Sequence[RequestDemand],
        stock: Iterable[AvailableLot],
        earlier: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | Rejection:
        """The plan for `demands` of a request, or the rejection.

        Lines of the request may go back with the plan. A new request gets no plan without a line. `earlier` as in
        `plan`.
        """
        ...

    def replan(
        self,
        event: Event,
        request: Request,
        demand: RequestDemand,
        stock: Iterable[AvailableLot],
        earlier: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | None:
        """The plan for the demand that a refused line leaves missing. `earlier` as in `plan`.

        None without stock. If rules keep all stock out, the plan has no line, and names them.
        """
        ...


class FairPlanner:
    """Plans fairly, up to the most lines of one request."""

    def propose(
        self,
        event: Event,  # noqa: ARG002
        request: Request,
        demands: Sequence[RequestDemand],
        stock: Iterable[AvailableLot],
        earlier: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | Rejection:
        proposal = plan(demands, stock, earlier, rules)
        # Checked here and not by the caller, as old records hold empty plans.
        if not proposal.allotments and not len(request.lines):
            return nothing_to_plan(
                "demands",
                Message("Nothing of what {request} asks for can be planned.", request=request.name),
                proposal.conflicts,
            )
        if len(request.lines) + len(proposal.allotments) > MAX_LINES:
            field = "request" if len(request.lines) else "demands"
            message = Message(
                "{request} would have more than {most} lines, with those that revisions have "
                "replaced. Ask in several requests, for some booths each.",
                request=request.name,
                most=MAX_LINES,
            )
            return Rejection(field, CommandRefusal.TOO_MANY, message)
        return proposal

    def replan(
        self,
        event: Event,  # noqa: ARG002
        request: Request,
        demand: RequestDemand,
        stock: Iterable[AvailableLot],
        earlier: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | None:
        proposal = plan([demand], stock, earlier, rules)
        if len(request.lines) + len(proposal.allotments) > MAX_LINES:
            return None
        kept_out = any(conflict.kept for conflict in proposal.conflicts)
        return proposal if proposal.allotments or kept_out else None
