"""What an HTTP API answers when it does not answer what was asked: RFC 9457, and how OpenAPI is told of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
TITLE = "The request can't be answered"

SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; `detail` is for people. What else there is depends on the problem.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "what is not valid",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
        "command": {"type": "string", "description": "the id of the command that this is about"},
        "look": {"type": "string", "description": "where to see what became of it"},
        "field": {"type": ["string", "null"], "description": "of a refused command: what was wrong"},
        "reason": {"type": ["string", "null"], "description": "of a refused command, for programs"},
    },
    "required": ["type", "title", "status", "detail"],
}
CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

HOST = "This service is not called so, or (of what changes something) a page of another origin asks"
NOT_KNOWN = "Not known here (yet)"
METHOD = "No such method here; `Allow` names those that there are"
LENGTH = "Larger than a command may be"
KIND = "The body is no application/json in UTF-8"
INVALID = "Not valid: `errors` names each field"
AWAY = "The database does not answer"


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> JSONResponse:
    """An RFC 9457 answer."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, with every problem that its operations answer; an operation's own words for one stay."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for default in ("HTTPValidationError", "ValidationError"):
        schemas.pop(default, None)
    schemas["Problem"] = SCHEMA
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            own = {status: answer for status, answer in operation["responses"].items() if not _is_default(answer)}
            problems = {str(status): {"description": words} for status, words in _problems(path, method, operation)}
            operation["responses"] = dict(sorted((problems | own).items()))
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = CONTENT
            operation["responses"]["405"]["headers"] = {"Allow": {"schema": {"type": "string"}}}
    return document


def _is_default(answer: Mapping[str, Any]) -> bool:
    """What FastAPI says of every operation that has a parameter; no service answers so."""
    return "HTTPValidationError" in str(answer)


def _problems(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    yield 403, HOST
    if method == "get" and "{" in path:
        yield 404, NOT_KNOWN
    yield 405, METHOD
    if "requestBody" in operation:
        yield 413, LENGTH
        yield 415, KIND
    checked = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] != "path"]
    if "requestBody" in operation or checked:
        yield 422, INVALID
    yield 503, AWAY
