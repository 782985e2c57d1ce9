"""The organiser's commands: each is a POST whose path says what it is about and whose body says the rest."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.festival.api.pages import ConflictPage, Page
from services.festival.domain import Command
from services.festival.domain.allocation.planner import Fair
from services.festival.domain.command import Outcome as Fate
from services.festival.handlers import CommandHandler, commands
from services.festival.store import COMMANDS
from shared.events.festival import ORGANISER, CommandRefusal
from shared.events.language import Body
from shared.http.commands import CommandId, Commands, Outcome, Prefer, Taken, command_in
from shared.runtime.service import Service

SOURCE = "karya/festival/http"


ENDPOINTS = commands(Fair())

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done within the wait that was asked for", "model": Taken},
    202: {"description": "Taken; `look` says where to see what became of it", "model": Taken},
    409: {"description": "Refused within the wait: `field`, `reason` and a sentence for a person"},
    422: {"description": "Not valid: `errors` names each field"},
    503: {"description": "Kafka does not answer: repeat it with the same Idempotency-Key"},
}


class Mistake(Page):
    """`conflicts`: the first of those that let nothing be planned."""

    field: str
    reason: str
    message: str
    conflicts: list[ConflictPage]


class CommandPage(BaseModel):
    """`status` is `waiting` while inventory has the last word, then `done` or `refused`; `wrong` says why."""

    command: str
    festival: str
    name: str
    given_at: datetime
    status: str
    wrong: Mistake | None

    @classmethod
    def of(cls, command: Command) -> "CommandPage":
        return cls(
            command=command.id,
            festival=command.festival,
            name=command.name,
            given_at=command.given_at,
            status=command.outcome.value,
            wrong=Mistake.model_validate(command.wrong) if command.wrong else None,
        )


def routes(service: Service) -> APIRouter:
    """The router of the commands."""
    router = APIRouter(tags=["commands"])
    kept = service.database[COMMANDS.name]

    async def find(id: str) -> Outcome | None:
        document = await kept.find_one({"_id": id})
        if document is None:
            return None
        command = COMMANDS.from_document(document)
        if command.source != SOURCE:
            message = "Somebody else gave a command with this id; give each one its own UUID."
            return Outcome(False, "command", CommandRefusal.ID_TAKEN.value, message)
        if command.outcome is Fate.WAITING:
            return None
        if command.wrong is None:
            return Outcome(True)
        return Outcome(False, command.wrong.field, command.wrong.reason.value, command.wrong.message)

    entrance = Commands(service, ORGANISER, SOURCE, find)
    for endpoint in ENDPOINTS:
        router.add_api_route(
            endpoint.path,
            _giving(entrance, endpoint.body),
            methods=["POST"],
            status_code=202,
            summary=endpoint.summary,
            operation_id=endpoint.body.__name__,
            responses=ANSWERS,
            openapi_extra=_described(endpoint),
        )

    @router.get("/commands/{command:path}", summary="What became of a command")
    async def one(command: str) -> CommandPage:
        document = await kept.find_one({"_id": command})
        if document is None:
            raise HTTPException(404, f"No command {command} was worked (yet). If it was just given, ask again.")
        return CommandPage.of(COMMANDS.from_document(document))

    return router


def _giving(commands: Commands, body: type[Body]) -> Callable[..., Awaitable[JSONResponse]]:
    async def give(request: Request, prefer: Prefer = None, id: CommandId = None) -> JSONResponse:
        return await commands.append(await command_in(request, body), prefer, id)

    return give


def _described(endpoint: CommandHandler) -> dict[str, Any]:
    """Path and body for OpenAPI, which can't see them: the body is read raw, so that JSON alone decides its types."""
    names = re.findall(r"\{(\w+)", endpoint.path)
    schema = endpoint.body.model_json_schema()
    whole = _inlined(schema, schema.get("$defs", {}))
    fields = {name: field for name, field in whole["properties"].items() if name not in names}
    required = [name for name in schema.get("required", []) if name not in names]
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": whole["properties"][name]} for name in names
        ],
        "requestBody": {
            "required": bool(required),
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "title": endpoint.body.__name__,
                        "description": schema.get("description", ""),
                        "properties": fields,
                        "required": required,
                        "additionalProperties": False,
                    }
                }
            },
        },
    }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to in its place: references count from the document's root in OpenAPI."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items() if name != "$defs"}
