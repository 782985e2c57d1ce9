"""The organiser's commands: each is a POST with the ids in its path and the other fields in its body."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.api.pages import ConflictPage
from services.festival.domain import Command
from services.festival.domain.command import CommandStatus
from services.festival.store import COMMANDS
from shared.events.festival import (
    ORGANISER,
    AcceptPlan,
    AddTill,
    AnnounceFestival,
    CancelFestival,
    ChangePrice,
    CloseBooth,
    CloseFestival,
    CommandRefusal,
    OpenBooth,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    SendShipment,
    SendTransfer,
    StrikeTill,
    VoidSale,
)
from shared.events.language import Body
from shared.http.commands import CommandId, CommandOutcome, CommandReply, Commands, Prefer, parse_command
from shared.runtime.service import Service

SOURCE = "karya/festival/http"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of a command. Names in its path are fields of the command."""

    path: str
    body: type[Body]
    summary: str


ENDPOINTS = (
    Endpoint("/festivals", AnnounceFestival, "Announce a festival"),
    Endpoint("/festivals/{festival}/cancel", CancelFestival, "Cancel it, before anything was sent"),
    Endpoint("/festivals/{festival}/booths", OpenBooth, "Open a booth"),
    Endpoint("/festivals/{festival}/requests", RequestAllocation, "Ask for stock: a fair plan is proposed"),
    Endpoint("/festivals/{festival}/replenishments", Replenish, "Ask for a refill while the booths sell"),
    Endpoint("/festivals/{festival}/requests/{request}/accept", AcceptPlan, "Make the plan or its revision real"),
    Endpoint("/festivals/{festival}/requests/{request}/revise", ReviseAllocation, "Plan again what is missing"),
    Endpoint("/festivals/{festival}/shipments", SendShipment, "Send what a facility has reserved for a booth"),
    Endpoint("/festivals/{festival}/shipments/{shipment}/receive", ReceiveShipment, "Count what came to the booth"),
    Endpoint("/festivals/{festival}/transfers", SendTransfer, "Count what leaves a booth for another"),
    Endpoint("/festivals/{festival}/transfers/{transfer}/receive", ReceiveTransfer, "Count what came of a transfer"),
    Endpoint("/festivals/{festival}/returns", ReceiveReturn, "Count what came home of a lot"),
    Endpoint("/festivals/{festival}/losses", RecordLoss, "Record what is spoilt or gone"),
    # Ids that a till made, and tills' names, may hold a slash.
    Endpoint("/festivals/{festival}/disputes/{sale:path}/resolve", ResolveDispute, "Decide on a sale in dispute"),
    Endpoint("/festivals/{festival}/receipts/{receipt:path}/void", VoidSale, "Void pieces of a sale"),
    Endpoint("/festivals/{festival}/booths/{booth}/prices", ChangePrice, "Change a price from a moment on"),
    Endpoint("/festivals/{festival}/booths/{booth}/tills", AddTill, "Sell from one more till"),
    Endpoint("/festivals/{festival}/booths/{booth}/tills/{till:path}/strike", StrikeTill, "No longer wait for it"),
    Endpoint("/festivals/{festival}/booths/{booth}/close", CloseBooth, "Close one booth before the festival"),
    Endpoint("/festivals/{festival}/close", CloseFestival, "Close it, when the last sale was made"),
)

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

    commands = Commands(service, ORGANISER, SOURCE, find)
    for endpoint in ENDPOINTS:
        router.add_api_route(
            endpoint.path,
            _endpoint_function(commands, endpoint.body),
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


def _openapi(endpoint: Endpoint) -> dict[str, Any]:
    """Path and body of an endpoint for OpenAPI.

    FastAPI can't derive them, as the body is read raw so that JSON alone decides its types.
    """
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
