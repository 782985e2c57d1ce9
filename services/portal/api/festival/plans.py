"""Plans: ask for goods, see who sends what and why, and accept."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.portal.api.festival.desk import REFUSED, Desk, refused_entry
from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.forms import CHANGED, SEEN, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import LineRow
from services.portal.domain.flow import flow_of
from services.portal.domain.parcels import next_name
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

QTY = "qty-"
WITHOUT = "without-"
MOST_FACILITIES = 1000
LINE_COLUMNS: Mapping[str, Callable[[LineRow], str]] = {
    "booth": lambda line: line.booth,
    "product": lambda line: line.product,
    "facility": lambda line: line.facility,
    "status": lambda line: line.status,
}
# Options of a request that nobody must fill in.
NUMBERS = ("hold_hours", "revise_at_percent")


def routes(desk: Desk) -> APIRouter:
    """The router of plans."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        sent: Mapping[str, str] | None = None,
        problem: Message | None = None,
    ) -> Response:
        requests = await desk.organiser.requests(person, festival)
        shown, filters = narrowed(requests, request.query_params, {"status": lambda row: row.status})
        return await desk.show(
            request,
            "plans.html",
            person,
            festival,
            status,
            requests=requests,
            shown=shown,
            filters=filters,
            booths=[booth for booth in await desk.organiser.booths(person, festival) if booth.status == "open"],
            stock=await desk.organiser.stock(person, festival),
            proposed=next_name("R", [row.request for row in requests]),
            festival_days=await _days(person, festival),
            sent=sent or {},
            problem=problem,
        )

    async def _days(person: Person, festival: str) -> list[date]:
        row = await desk.organiser.festival(person, festival)
        return [row.first_day + timedelta(days=number) for number in range((row.last_day - row.first_day).days + 1)]

    async def plan_page(
        request: Request, person: Person, festival: str, name: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        plan = await desk.organiser.plan(person, festival, name)
        lines, filters = narrowed(plan.lines, request.query_params, LINE_COLUMNS)
        return await desk.show(
            request,
            "plan.html",
            person,
            festival,
            status,
            plan=plan,
            lines=lines,
            filters=filters,
            flow=flow_of(lines),
            stock=await desk.organiser.stock(person, festival, str(plan.day or "")),
            problem=problem,
        )

    @router.get("/festivals/{festival}/plans", dependencies=[declared("status")])
    async def plans(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/plans")
    async def ask(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, sent, message)

        try:
            body = _asked(sent)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        place = ("festivals", festival, "requests")
        then = f"/festivals/{festival}/plans/{body['request']}"
        return await desk.give(person, sent, *place, body=body, then=then, again=again)

    @router.get("/festivals/{festival}/plans/{plan}", dependencies=[declared(*LINE_COLUMNS)])
    async def plan(request: Request, person: Visited, festival: str, plan: str) -> Response:
        return await plan_page(request, person, festival, plan)

    @router.get("/festivals/{festival}/plans/{plan}/what-if")
    async def show_what_if(
        request: Request,
        person: Visited,
        festival: str,
        plan: str,
        without: Annotated[list[str] | None, Query(max_length=MOST_FACILITIES)] = None,
        weight: Annotated[list[str] | None, Query(max_length=MOST_FACILITIES)] = None,
        facility: Annotated[list[str] | None, Query(max_length=MOST_FACILITIES)] = None,
        even: str = "",
    ) -> Response:
        # A form has a weight for each facility, in the same order, and most of them are empty.
        named = zip(facility or (), weight or (), strict=False)
        weights = [f"{name}={text.strip()}" for name, text in named if text.strip()]
        terms = {"without": without or [], "weight": weights} | ({"even": even} if even else {})
        return await desk.show(
            request,
            "what_if.html",
            person,
            festival,
            plan=await desk.organiser.plan(person, festival, plan),
            difference=await desk.organiser.plan_if(person, festival, plan, terms),
            without=without or [],
            weights=weights,
            even=even,
            proposed=next_name("R", [row.request for row in await desk.organiser.requests(person, festival)]),
        )

    @router.post("/festivals/{festival}/plans/{plan}/accept")
    async def accept(request: Request, person: Visited, festival: str, plan: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await plan_page(request, person, festival, plan, status, message)

        # Somebody else may have planned anew. Where nothing waits any more, the form may have been sent twice.
        waiting = (await desk.organiser.plan(person, festival, plan)).proposal
        if waiting and waiting != sent.get(SEEN):
            return await again(REFUSED, CHANGED)
        place = ("festivals", festival, "requests", plan, "accept")
        then = f"/festivals/{festival}/plans/{plan}"
        return await desk.give(person, sent, *place, body={}, then=then, again=again)

    @router.post("/festivals/{festival}/plans/{plan}/revise")
    async def revise(request: Request, person: Visited, festival: str, plan: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await plan_page(request, person, festival, plan, status, message)

        without = [name.removeprefix(WITHOUT) for name in sent if name.startswith(WITHOUT)]
        consent = {"consent": True} if sent.get("consent") == "yes" else {}
        body = {"without": without, "reason": sent.get("reason", "").strip(), **consent}
        place = ("festivals", festival, "requests", plan, "revise")
        then = f"/festivals/{festival}/plans/{plan}"
        return await desk.give(person, sent, *place, body=body, then=then, again=again)

    return router


def _asked(sent: Mapping[str, str]) -> dict[str, Any]:
    """The body of RequestAllocation. Raises WrongEntry."""
    demands = []
    for name, value in sent.items():
        if name.startswith(QTY) and value.strip():
            booth, _, product = name.removeprefix(QTY).rpartition(":")
            if qty := typed.whole(value):
                demands.append({"booth": booth, "product": product, "qty": qty})
    if not demands:
        raise WrongEntry(Message("Type how many pieces at least one booth needs."))
    return {
        "request": sent.get("request", "").strip().upper(),
        "demands": demands,
        "even": sent.get("even") == "yes",
        **{name: typed.whole(text) for name in NUMBERS if (text := sent.get(name, "").strip())},
        **({"day": day} if (day := sent.get("day", "")) else {}),
        **({"consent": True} if sent.get("consent") == "yes" else {}),
    }
