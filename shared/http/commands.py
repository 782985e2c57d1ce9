"""Commands over HTTP that become events.

A command is validated and appended to Kafka as an event. The answer is `202` with the address of its outcome. With
`Prefer: wait=SECONDS` the answer is the outcome, if it is known within the wait.
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
from shared.events.language import EVENT_ID, MAX_VALUE_BYTES, Body, Topic
from shared.faults import fault_message, not_json, value_error
from shared.http.admission import TOO_LARGE
from shared.http.problems import TITLE, problem
from shared.retry import attempts
from shared.runtime.service import Service
from shared.wording import Message

log = structlog.get_logger()

MAX_WAIT_SECONDS = 30.0
Prefer = Annotated[
    str | None, Header(description="`wait=5`: answer with the outcome if it is known within 5 seconds")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=EVENT_ID,
        description="the command's id; a repeated key is the same command",
    ),
]

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOutcome:
    """The outcome of a command: done, or refused with a field, a reason and a message."""

    done: bool
    field: str | None = None
    reason: str | None = None
    message: Message | None = None


class CommandReply(BaseModel):
    """`status` is `accepted` or `done`; `look` is the address of the command's outcome."""

    command: str
    status: str
    look: str


# Takes the command's id. Returns None until there is an outcome.
FindOutcome = Callable[[str], Awaitable[CommandOutcome | None]]


class Commands:
    """Appends commands to one topic and finds their outcome with `find`, by the command's id."""

    def __init__(self, service: Service, topic: Topic, source: str, find: FindOutcome) -> None:
        self._service = service
        self._topic = topic
        self._source = source
        self._find = find

    async def append(self, body: Body, prefer: str | None, id: str | None, actor: str | None) -> JSONResponse:
        """Append a command of the account `actor`, and answer 202 with the address of its outcome.

        Within the requested wait the answer is 200 if the command was done, and 409 if it was refused. The answer is
        413 for a command that is too large, and 422 for an id that another command has used: both would become dead
        letters. It is 503 if Kafka did not answer. The command may have arrived nevertheless, so the answer contains
        the id with which to repeat it. A command that was processed before is not appended again.
        """
        value = envelope.encode(body)
        if len(value) > MAX_VALUE_BYTES:
            return problem(413, TITLE, TOO_LARGE)
        processed_digest = await self._processed_digest(id) if id is not None else None
        id = id or str(uuid4())
        if processed_digest is None:
            headers = envelope.headers(
                id=id, source=self._source, topic=self._topic, body=body, time=datetime.now(UTC), actor=actor
            )
            try:
                await self._service.append(self._topic, self._topic.key_of(body), value, headers)
            except NotReached as fault:
                log.warning("command_append_failed", command=id, fault=repr(fault.__cause__ or fault)[:300])
                detail = Message(
                    "Kafka did not answer. Repeat the command with this id as Idempotency-Key; it counts only once."
                )
                return problem(503, Message("The command may not have arrived"), detail, command=id)
        outcome = await self._outcome(id, wait_seconds(prefer))
        if outcome is not None:
            # Checked again, because two commands with one id may have been sent at the same time.
            processed_digest = await self._processed_digest(id) or processed_digest
        if processed_digest is not None and processed_digest != envelope.digest(value):
            detail = Message(
                "Another command has used this Idempotency-Key. Use a new key for each command, for example a UUID."
            )
            return problem(422, Message("The Idempotency-Key is in use"), detail, command=id)
        return _response(id, outcome)

    async def _processed_digest(self, id: str) -> bytes | None:
        """The digest of the body that was processed under command id `id`. None if there is none or the database does
        not answer."""
        entry = f"{self._source} {id}"
        try:
            return (await self._service.store.processed([entry])).get(entry)
        except PyMongoError as fault:
            log.warning("command_lookup_failed", command=id, fault=repr(fault)[:300])
            return None

    async def _outcome(self, id: str, wait: float) -> CommandOutcome | None:
        if not wait:
            return None
        search = asyncio.create_task(self._wait_for_outcome(id))
        stop = asyncio.create_task(self._service.stopping.wait())
        try:
            await asyncio.wait({search, stop}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            return search.result() if search.done() else None
        finally:
            search.cancel()
            stop.cancel()

    async def _wait_for_outcome(self, id: str) -> CommandOutcome | None:
        # The command is in Kafka already, so a database fault must not look like a failed command.
        async for _ in attempts(first=0.02, most=0.2):
            try:
                if (outcome := await self._find(id)) is not None:
                    return outcome
            except PyMongoError as fault:
                log.warning("command_lookup_failed", command=id, fault=repr(fault)[:300])
        return None


async def parse_command(request: Request, model: type[B]) -> B:
    """The command of this model in a request: the JSON body, with fields of the same names from the path.

    Raises RequestValidationError that names the field, also for unknown and duplicate fields: a field that the client
    sent must not be ignored. Raises PageRefused for a body that Admission rejects.
    """
    raw = await request.body()
    try:
        fields = from_json(raw or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise RequestValidationError([_field_error((), not_json(error))]) from None
    if not isinstance(fields, dict):
        raise RequestValidationError([_field_error((), Message("The body must be a JSON object."))])
    if raw and (location := name_twice(raw)) is not None:
        raise RequestValidationError([_field_error(location, NAME_TWICE)])
    errors = [
        _field_error((name,), Message("This field does not exist."))
        for name in fields.keys() - model.model_fields.keys()
    ]
    for name, value in request.path_params.items():
        if fields.setdefault(name, value) != value:
            errors.append(_field_error((name,), Message("The value differs from the value in the path.")))
    try:
        # Encoded as JSON again, because a strict model accepts dates and tuples only from JSON.
        body = model.model_validate_json(to_json(fields))
    except ValidationError as error:
        errors += [
            _field_error(detail["loc"], fault_message(detail))
            for detail in error.errors(include_url=False, include_input=False)
        ]
        raise RequestValidationError(errors) from None
    if errors:
        raise RequestValidationError(errors)
    return body


def _field_error(location: tuple[str | int, ...], message: Message) -> dict[str, Any]:
    return value_error(("body", *location), message)


def _response(id: str, outcome: CommandOutcome | None) -> JSONResponse:
    place = f"/commands/{quote(id, safe='')}"
    if outcome is None:
        return JSONResponse(
            CommandReply(command=id, status="accepted", look=place).model_dump(), 202, {"Location": place}
        )
    if outcome.done:
        return JSONResponse(CommandReply(command=id, status="done", look=place).model_dump())
    assert outcome.message is not None, "a refusal has a message"
    return problem(
        409,
        Message("The command was refused"),
        outcome.message,
        command=id,
        look=place,
        field=outcome.field,
        reason=outcome.reason,
    )


def wait_seconds(prefer: str | None) -> float:
    """The wait that a request prefers; 0 if it names none."""
    match = re.search(r"\bwait=(\d{1,6})\b", prefer or "")
    return min(float(match[1]), MAX_WAIT_SECONDS) if match else 0.0
