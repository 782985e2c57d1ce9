"""The source of plans. A live service plans fairly with a view of the stock that other lanes keep.

A replay takes the plans of the record, as that view can't be restored.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.festival.domain.allocation.request import Request
from services.festival.domain.allocation.size import fits
from services.festival.domain.command import Rejection, nothing_to_plan
from services.festival.domain.planning import AvailableLot, EarlierShare, Plan, RequestDemand, Rules, plan
from shared.events.festival import CommandRefusal
from shared.events.language import MAX_VALUE_BYTES, Event

MAX_PROPOSED = 1000
MAX_LINES = 2000


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
        """The plan for the demand that a refused line leaves missing; None without stock. `earlier` as in `plan`."""
        ...


class FairPlanner:
    """Plans fairly, within the size limits of one request."""

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
        if not proposal.allotments and not request.lines:
            return nothing_to_plan(
                "demands", f"Nothing of what {request.name} asks for can be planned.", proposal.conflicts
            )
        if len(proposal.allotments) > MAX_PROPOSED:
            message = (
                f"The plan would have more than {MAX_PROPOSED} lines. Ask in several requests, for some booths each."
            )
            return Rejection("demands", CommandRefusal.TOO_MANY, message)
        if len(request.lines) + len(proposal.allotments) > MAX_LINES:
            message = (
                f"{request.name} would have more than {MAX_LINES} lines, with those that revisions have replaced. "
                "It stays as it is. Ask for the rest in a new request."
            )
            return Rejection("request", CommandRefusal.TOO_MANY, message)
        if not fits(request, proposal):
            return _too_large(request, proposal)
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
        if (
            not proposal.allotments
            or len(request.lines) + len(proposal.allotments) > MAX_LINES
            or not fits(request, proposal)
        ):
            return None
        return proposal


def _too_large(request: Request, proposal: Plan) -> Rejection:
    addition = f"{len(proposal.allotments)} lines from {len(proposal.shares)} facilities"
    if not request.lines:
        message = (
            f"The plan is too large for one event of {MAX_VALUE_BYTES // 1024} KiB: {addition}. "
            "Ask in several requests, for some booths or some products each."
        )
        return Rejection("demands", CommandRefusal.TOO_MANY, message)
    message = (
        f"{request.name} would be too large for one event of {MAX_VALUE_BYTES // 1024} KiB with {addition} more. "
        "Go without fewer facilities at once, or ask for the rest in a new request."
    )
    return Rejection("request", CommandRefusal.TOO_MANY, message)
