"""Commands over HTTP that become events.

A command is validated, appended to Kafka as an event, and answered `202` with where to look; or, with
`Prefer: wait=SECONDS`, by what became of it if that was seen within the wait.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from pymongo.errors import PyMongoError

from shared import envelope
from shared.duplicates import NAME_TWICE, name_twice
from shared.errors import NotReached
from shared.events.language import MAX_VALUE_BYTES, Body, Topic, in_words
from shared.http.admission import TOO_LARGE
from shared.http.problems import TITLE, problem
from shared.retry import attempts
from shared.runtime.service import Service

log = structlog.get_logger()

MOST_WAIT = 30.0
Prefer = Annotated[str | None, Header(description="`wait=5`: answer with the outcome if it is seen in time")]
CommandId = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,200}$", description="the same key is the same command"),
]

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: done, or refused with the field and the reason."""

    done: bool
    field: str | None = None
    reason: str | None = None
    message: str | None = None


class Taken(BaseModel):
    """`status` is `accepted` or `done`; `look` is the place that says what became of the command."""

    command: str
    status: str
    look: str


# By the command's id; None as long as it has no outcome.
FindOutcome = Callable[[str], Awaitable[Outcome | None]]


class Commands:
    """Appends commands to one topic and looks for their outcome with `find`, by the command's id."""

    def __init__(self, service: Service, topic: Topic, source: str, find: FindOutcome) -> None:
        self._service = service
        self._topic = topic
        self._source = source
        self._find = find

    async def append(self, body: Body, prefer: str | None, id: str | None) -> JSONResponse:
        """202 with the place to look, or within the wait asked for 200 if it was done and 409 if it was refused.

        413 and 422 for what would be a dead letter: too large, or an id that another command had before.
        503 if Kafka did not answer: the command may have arrived or not, so that its id is in the answer, to
        repeat it with. A command known already is not appended again.
        """
        value = envelope.encode(body)
        if len(value) > MAX_VALUE_BYTES:
            return problem(413, TITLE, TOO_LARGE)
        known = await self._known(id) if id is not None else None
        id = id or str(uuid4())
        if known is None:
            headers = envelope.headers(
                id=id, source=self._source, topic=self._topic, body=body, time=datetime.now(UTC)
            )
            try:
                await self._service.append(self._topic, self._topic.key_of(body), value, headers)
            except NotReached as fault:
                log.warning("command_not_appended", command=id, fault=str(fault)[:300])
                detail = "Kafka did not answer. Repeat the command with this id as Idempotency-Key: it counts once."
                return problem(503, "The command may not have been taken", detail, command=id)
        outcome = await self._outcome(id, _wait(prefer))
        if outcome is not None:
            # Whose outcome it is is certain only now: two with one id may have been on their way at once.
            known = await self._known(id) or known
        if known is not None and known != envelope.digest(value):
            detail = "Another command had this Idempotency-Key before. Give each command its own, best a UUID."
            return problem(422, "The Idempotency-Key is in use", detail, command=id)
        return _answer(id, outcome)

    async def _known(self, id: str) -> bytes | None:
        """The digest of the body that our command `id` was worked with, if it was and the database says so."""
        entry = f"{self._source} {id}"
        try:
            return (await self._service.store.processed([entry])).get(entry)
        except PyMongoError as fault:
            log.warning("command_not_looked_up", command=id, fault=repr(fault)[:300])
            return None

    async def _outcome(self, id: str, wait: float) -> Outcome | None:
        if not wait:
            return None
        looking = asyncio.create_task(self._look(id))
        stopping = asyncio.create_task(self._service.stopping.wait())
        try:
            await asyncio.wait({looking, stopping}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            return looking.result() if looking.done() else None
        finally:
            looking.cancel()
            stopping.cancel()

    async def _look(self, id: str) -> Outcome | None:
        # The command is in Kafka by now: whatever the database answers, the client must not hear that it failed.
        async for _ in attempts(first=0.02, most=0.2):
            try:
                if (outcome := await self._find(id)) is not None:
                    return outcome
            except PyMongoError as fault:
                log.warning("command_not_looked_up", command=id, fault=repr(fault)[:300])
        return None


async def command_in(request: Request, model: type[B]) -> B:
    """The command of this model in a request: the JSON body, and what the path says for fields of their names.

    Raises RequestValidationError that names the field, also for one that the model does not have or that comes twice:
    what is said here is meant, and nothing of it is passed over. Raises HTTPException for a body that is not taken.
    """
    raw = await request.body()
    try:
        said = from_json(raw or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise RequestValidationError([_wrong((), f"The body is no JSON: {error}")]) from None
    if not isinstance(said, dict):
        raise RequestValidationError([_wrong((), "The body must be a JSON object.")])
    if raw and (twice := name_twice(raw)) is not None:
        raise RequestValidationError([_wrong(twice, NAME_TWICE)])
    wrong = [_wrong((name,), "There is no such field.") for name in said.keys() - model.model_fields.keys()]
    for name, value in request.path_params.items():
        if said.setdefault(name, value) != value:
            wrong.append(_wrong((name,), "The body says another one than the path."))
    try:
        # As JSON again: only there a strict model takes a date or a list from what JSON has for them.
        body = model.model_validate_json(to_json(said))
    except ValidationError as error:
        wrong += [
            {"type": one["type"], "loc": ("body", *one["loc"]), "msg": in_words(one["msg"])}
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise RequestValidationError(wrong) from None
    if wrong:
        raise RequestValidationError(wrong)
    return body


def _wrong(place: tuple[str | int, ...], message: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("body", *place), "msg": message}


def _answer(id: str, outcome: Outcome | None) -> JSONResponse:
    place = f"/commands/{quote(id, safe='')}"
    if outcome is None:
        return JSONResponse(Taken(command=id, status="accepted", look=place).model_dump(), 202, {"Location": place})
    if outcome.done:
        return JSONResponse(Taken(command=id, status="done", look=place).model_dump())
    detail = outcome.message or ""
    return problem(
        409, "The command was refused", detail, command=id, look=place, field=outcome.field, reason=outcome.reason
    )


def _wait(prefer: str | None) -> float:
    found = re.search(r"\bwait=(\d{1,6})\b", prefer or "")
    return min(float(found[1]), MOST_WAIT) if found else 0.0
