"""Who says what the plan is. Live it is the fair planner, which looks at a view of the stock that other lanes keep;
at a replay it is what was planned then, for that view can't be had again."""

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
    """Must answer the same for the same event, however often it is asked."""

    def propose(
        self,
        event: Event,
        request: Request,
        wanted: Sequence[RequestDemand],
        stock: Iterable[AvailableLot],
        before: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | Rejection:
        """The plan for what is `wanted` under a request, of which some may go back with it, or why there is none. A
        new request gets none without a line. `before` as in `plan`."""
        ...

    def replan(
        self,
        event: Event,
        request: Request,
        want: RequestDemand,
        stock: Iterable[AvailableLot],
        before: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | None:
        """The plan for what a refused line leaves missing, or None: nothing more is to be had. `before` as in
        `plan`."""
        ...


class FairPlanner:
    """Plans anew, within what one request can hold."""

    def propose(
        self,
        event: Event,  # noqa: ARG002
        request: Request,
        wanted: Sequence[RequestDemand],
        stock: Iterable[AvailableLot],
        before: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | Rejection:
        proposal = plan(wanted, stock, before, rules)
        # Here, and not where plans are taken: the record of old times holds empty ones.
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
                f"{request.name} would have more than {MAX_LINES} lines, those counted that revisions have replaced. "
                "It stays as it is; ask for the rest in a new request."
            )
            return Rejection("request", CommandRefusal.TOO_MANY, message)
        if not fits(request, proposal):
            return _too_large(request, proposal)
        return proposal

    def replan(
        self,
        event: Event,  # noqa: ARG002
        request: Request,
        want: RequestDemand,
        stock: Iterable[AvailableLot],
        before: Mapping[str, EarlierShare],
        rules: Rules,
    ) -> Plan | None:
        found = plan([want], stock, before, rules)
        if not found.allotments or len(request.lines) + len(found.allotments) > MAX_LINES or not fits(request, found):
            return None
        return found


def _too_large(request: Request, proposal: Plan) -> Rejection:
    more = f"{len(proposal.allotments)} lines from {len(proposal.shares)} facilities"
    if not request.lines:
        message = (
            f"The plan is too large to be said in one event of {MAX_VALUE_BYTES // 1024} KiB: {more}. "
            "Ask in several requests, for some booths or some products each."
        )
        return Rejection("demands", CommandRefusal.TOO_MANY, message)
    message = (
        f"{request.name} would be too large to be said in one event of {MAX_VALUE_BYTES // 1024} KiB: {more} would "
        "come to those that are there. Go without fewer facilities at once, or ask for the rest in a new request."
    )
    return Rejection("request", CommandRefusal.TOO_MANY, message)
