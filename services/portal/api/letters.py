"""Dead letters: which records no service could use and why, and what an operator does about them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.portal.api.files import table_of
from services.portal.api.filters import FILES
from services.portal.api.forms import Form, Sent
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import GivenCommand, Services, answers
from services.portal.clients.services import OPERATIONS
from services.portal.domain.operations_answers import OPEN, DeadLetterPage, LetterRow, RepairOutcome
from shared.access.rights import Action
from shared.http.problems import PageRefused
from shared.visible import visible, visible_json
from shared.wording import Message

LETTERS = "letters"
COLUMNS = ["letter", "service", "event", "key", "status", "reason", "times", "at", "arrived_at"]
# What a list of all shows besides those that need action.
STATUSES = ("", OPEN, "unusable", "all")
DONE = {
    "replay": Message("It was sent back, and its service has worked it."),
    "mend": Message("The mended copy was published, and its service has worked it."),
    "archive": Message("It is archived. It can still be mended."),
}
NOT_WORKED = Message("It was published. Its service has not worked it yet: does it run?")
ACTIONS = tuple(DONE)

_Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class TypedRepair:
    """What was typed into the forms of a letter, to be shown again."""

    body: str = ""
    type: str = ""
    key: str = ""
    note: str = ""
    reason: str = ""


UNTYPED = TypedRepair()


def routes(pages: Pages, services: Services) -> APIRouter:
    """The router of dead letters."""
    router = APIRouter()

    async def found(person: Person, service: str, reason: str, status: str) -> Sequence[LetterRow]:
        query = {name: text for name, text in {"service": service, "reason": reason}.items() if text}
        if status == "all":
            query["settled"] = "true"
        rows = answers.LETTERS.validate_python(await services.rows(person.token, OPERATIONS, LETTERS, **query))
        return [row for row in rows if status in ("", "all", row.status)]

    async def letter_of(person: Person, place: Sequence[str], *, shown: bool) -> DeadLetterPage:
        query = {"value": "true"} if shown else {}
        answer = await services.find(person.token, OPERATIONS, LETTERS, "/".join(place), **query)
        if answer is None:
            raise PageRefused(404, Message("There is no such dead letter."))
        return answers.LETTER.validate_python(answer)

    async def letter_page(
        request: Request,
        person: Person,
        letter: DeadLetterPage,
        status: int = 200,
        *,
        problem: Message | None = None,
        done: Message | None = None,
        outcome: RepairOutcome | None = None,
        typed: TypedRepair = UNTYPED,
    ) -> Response:
        return pages.render(
            request,
            "letter.html",
            status=status,
            person=person,
            letter=letter,
            body=pretty(letter.body),
            typed=replace(typed, body=typed.body or pretty(letter.body) or ""),
            may_repair=person.caller.may(Action.REPAIR_LETTERS, {}),
            problem=problem,
            done=done,
            outcome=outcome,
        )

    @router.get("/operator/letters", dependencies=[FILES])
    async def many(
        request: Request, person: Visited, service: _Text = "", reason: _Text = "", status: _Text = ""
    ) -> Response:
        rows = await found(person, service.strip(), reason.strip(), status)
        asked = {"service": service, "reason": reason, "status": status}
        return pages.render(
            request,
            "letters.html",
            person=person,
            rows=rows,
            asked=asked,
            statuses=STATUSES,
            names=[name for name in services.names if name not in (OPERATIONS, "portal")],
            open_count=sum(row.status == OPEN for row in rows),
            files={"dead-letters": table_of("dead-letters", COLUMNS, rows)},
        )

    @router.get("/operator/letters/{topic}/{partition}/{offset}")
    async def one(
        request: Request,
        person: Visited,
        topic: str,
        partition: str,
        offset: str,
        body: _Text = "",
        done: _Text = "",
    ) -> Response:
        letter = await letter_of(person, (topic, partition, offset), shown=body == "shown")
        return await letter_page(request, person, letter, done=DONE.get(done))

    @router.post("/operator/letters/{topic}/{partition}/{offset}")
    async def repair(
        request: Request, person: Visited, topic: str, partition: str, offset: str, sent: Sent
    ) -> Response:
        place = (topic, partition, offset)
        action, typed = sent.get("action", ""), typed_repair(sent)

        async def again(status: int, problem: Message | None, outcome: RepairOutcome | None = None) -> Response:
            letter = await letter_of(person, place, shown=sent.get("shown") == "yes")
            return await letter_page(request, person, letter, status, problem=problem, outcome=outcome, typed=typed)

        if action not in ACTIONS:
            return await again(422, Message("This form is not known here."))
        answer = await services.ask(
            person.token, OPERATIONS, LETTERS, "/".join(place), action, body=body_of(action, sent, typed)
        )
        if isinstance(answer, GivenCommand):
            return await again(409, answer.refusal)
        outcome = answers.LETTER_OUTCOME.validate_python(answer)
        if outcome.worked or action == "archive":
            return redirect(f"/operator/letters/{'/'.join(place)}?done={action}")
        return await again(200, None if outcome.letter else NOT_WORKED, outcome)

    return router


def typed_repair(sent: Form) -> TypedRepair:
    """What the form has. Browsers end lines with two characters."""
    texts = {name: sent.get(name, "").strip() for name in ("type", "key", "note", "reason")}
    return TypedRepair(body=sent.get("body", "").replace("\r\n", "\n"), **texts)


def body_of(action: str, sent: Form, typed: TypedRepair) -> dict[str, Any]:
    """The body of the request to operations."""
    if action == "archive":
        return {"reason": typed.reason}
    consent = {"without_original": True} if sent.get("without_original") == "yes" else {}
    if action == "replay":
        return consent
    named = {"type": typed.type, "key": typed.key}
    return {"body": typed.body, "note": typed.note, **{name: text for name, text in named.items() if text}, **consent}


def pretty(body: str | None) -> str | None:
    """A JSON text with a line for each field. Where that would not say the same, as where a field comes twice, and
    for another text: as it is. No character in it changes the order in which others are read."""
    if not body:
        return body
    try:
        value = json.loads(
            body, object_pairs_hook=_without_twins, parse_float=_exact_float, parse_constant=_no_constant
        )
        return visible_json(json.dumps(value, indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return visible(body, keep="\r\n\t")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field comes twice")
    return fields


def _exact_float(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise ValueError("it would be written in another way")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
