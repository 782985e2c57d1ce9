"""The routes of commands: each is a POST with ids in its path and the other fields in its body."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from shared.events.language import Body
from shared.http.access import caller_of
from shared.http.commands import CommandReply, Commands, IdempotencyKey, Prefer, parse_command

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done within the wait that was asked for", "model": CommandReply},
    202: {"description": "Taken; `look` says where to see what became of it", "model": CommandReply},
    409: {"description": "Refused within the wait: `field`, `reason` and a sentence for a person"},
    422: {"description": "Not valid: `errors` names each field"},
    503: {
        "description": "Kafka does not answer, or what the command needs has not come yet: repeat it with the same "
        "Idempotency-Key"
    },
}


class Endpoint(Protocol):
    """The endpoint of a command. Names in its path are fields of the command."""

    @property
    def path(self) -> str: ...
    @property
    def body(self) -> type[Body]: ...
    @property
    def summary(self) -> str: ...


async def unchanged(body: Body) -> Body:
    """The command as the client sent it."""
    return body


async def permitted(_request: Request, _body: Body) -> None:
    """Access control has permitted the request by its route alone."""


def add_commands(
    router: APIRouter,
    commands: Commands,
    endpoints: Iterable[Endpoint],
    complete: Callable[[Body], Awaitable[Body]] = unchanged,
    permit: Callable[[Request, Body], Awaitable[None]] = permitted,
    answers: Mapping[int | str, dict[str, Any]] = ANSWERS,
) -> None:
    """Add a POST for each endpoint to the router. `commands` appends what it takes in.

    `complete` adds to a command what the service knows. It raises RequestValidationError for one that can't be meant.
    `permit` raises PageRefused for a command whose content needs a right that the caller lacks. `answers` documents
    what the endpoints answer.
    """
    for endpoint in endpoints:
        router.add_api_route(
            endpoint.path,
            _endpoint_function(commands, endpoint.body, complete, permit),
            methods=["POST"],
            status_code=202,
            summary=endpoint.summary,
            operation_id=endpoint.body.__name__,
            responses={**answers},
            openapi_extra=body_openapi(endpoint.path, endpoint.body),
        )


def _endpoint_function(
    commands: Commands,
    body: type[Body],
    complete: Callable[[Body], Awaitable[Body]],
    permit: Callable[[Request, Body], Awaitable[None]],
) -> Callable[..., Awaitable[JSONResponse]]:
    async def give(request: Request, prefer: Prefer = None, id: IdempotencyKey = None) -> JSONResponse:
        parsed = await parse_command(request, body)
        await permit(request, parsed)
        command = await complete(parsed)
        return await commands.append(command, prefer, id, caller_of(request).subject)

    return give


def body_openapi(path: str, body: type[Body]) -> dict[str, Any]:
    """Path and body for OpenAPI, which can't see them: the body is read raw, so that JSON alone decides its types.

    Names in the path that are no fields of the body are parameters of the function, which FastAPI sees.
    """
    names = re.findall(r"\{(\w+)", path)
    schema = body.model_json_schema()
    inlined = _inlined(schema, schema.get("$defs", {}))
    named = [name for name in names if name in inlined["properties"]]
    fields = {name: field for name, field in inlined["properties"].items() if name not in names}
    required = [name for name in schema.get("required", []) if name not in names]
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": inlined["properties"][name]} for name in named
        ],
        "requestBody": {
            "required": bool(required),
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "title": body.__name__,
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
