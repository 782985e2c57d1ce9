"""The organiser's commands: each is a POST with the ids in its path and the other fields in its body."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.api.pages import ConflictPage
from services.festival.domain import Command
from services.festival.domain.allocation.planner import FairPlanner
from services.festival.domain.command import CommandStatus
from services.festival.handlers import CommandHandler, commands
from services.festival.store import COMMANDS
from shared.events.festival import ORGANISER, CommandRefusal
from shared.events.language import Body
from shared.http.commands import CommandId, CommandOutcome, CommandReply, Commands, Prefer, parse_command
from shared.runtime.service import Service

SOURCE = "karya/festival/http"


ENDPOINTS = commands(FairPlanner())

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done within the wait that was asked for", "model": CommandReply},
    202: {"description": "Taken; `look` says where to see what became of it", "model": CommandReply},
    409: {"description": "Refused within the wait: `field`, `reason` and a sentence for a person"},
    422: {"description": "Not valid: `errors` names each field"},
    503: {"description": "Kafka does not answer: repeat it with the same Idempotency-Key"},
}


class RejectionPage(EntityPage):
    """The rejection of a command. `conflicts`: the first conflicts that left nothing to plan."""

    field: str
    reason: str
    message: str
    conflicts: list[ConflictPage]


class CommandPage(BaseModel):
    """A command and its outcome.

    `status` is `waiting` until inventory answers, then `done` or `refused`. `wrong` is the rejection.
    """

    command: str
    festival: str
    name: str
    given_at: datetime
    status: str
    wrong: RejectionPage | None

    @classmethod
    def of(cls, command: Command) -> "CommandPage":
        return cls(
            command=command.id,
            festival=command.festival,
            name=command.name,
            given_at=command.given_at,
            status=command.outcome.value,
            wrong=RejectionPage.model_validate(command.wrong) if command.wrong else None,
        )


def routes(service: Service) -> APIRouter:
    """The router of the commands."""
    router = APIRouter(tags=["commands"])
    commands_collection = service.database[COMMANDS.name]

    async def find(id: str) -> CommandOutcome | None:
        document = await commands_collection.find_one({"_id": id})
        if document is None:
            return None
        command = COMMANDS.from_document(document)
        if command.source != SOURCE:
            message = "Another sender used this id for a command. Give each command its own UUID."
            return CommandOutcome(done=False, field="command", reason=CommandRefusal.ID_TAKEN.value, message=message)
        if command.outcome is CommandStatus.WAITING:
            return None
        if command.wrong is None:
            return CommandOutcome(done=True)
        rejection = command.wrong
        return CommandOutcome(
            done=False, field=rejection.field, reason=rejection.reason.value, message=rejection.message
        )

    entrance = Commands(service, ORGANISER, SOURCE, find)
    for endpoint in ENDPOINTS:
        router.add_api_route(
            endpoint.path,
            _endpoint_function(entrance, endpoint.body),
            methods=["POST"],
            status_code=202,
            summary=endpoint.summary,
            operation_id=endpoint.body.__name__,
            responses=ANSWERS,
            openapi_extra=_openapi(endpoint),
        )

    @router.get("/commands/{command:path}", summary="What became of a command")
    async def command_page(command: str) -> CommandPage:
        document = await commands_collection.find_one({"_id": command})
        if document is None:
            raise HTTPException(404, f"No command {command} was worked (yet). If it was just given, ask again.")
        return CommandPage.of(COMMANDS.from_document(document))

    return router


def _endpoint_function(commands: Commands, body: type[Body]) -> Callable[..., Awaitable[JSONResponse]]:
    async def give(request: Request, prefer: Prefer = None, id: CommandId = None) -> JSONResponse:
        return await commands.append(await parse_command(request, body), prefer, id)

    return give


def _openapi(endpoint: CommandHandler) -> dict[str, Any]:
    """Path and body for OpenAPI, which can't see them: the body is read raw, so that JSON alone decides its types."""
    names = re.findall(r"\{(\w+)", endpoint.path)
    schema = endpoint.body.model_json_schema()
    inlined = _inlined(schema, schema.get("$defs", {}))
    fields = {name: field for name, field in inlined["properties"].items() if name not in names}
    required = [name for name in schema.get("required", []) if name not in names]
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": inlined["properties"][name]} for name in names
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
    """The schema with its references replaced by their definitions.

    In OpenAPI a reference counts from the root of the document, so it would point to nothing here.
    """
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items() if name != "$defs"}
