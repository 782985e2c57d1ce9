"""Problem details (RFC 9457) for error answers, and their description in OpenAPI."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.wording import Message

MEDIA_TYPE = "application/problem+json"
TITLE = Message("The request can't be answered")

SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; `detail` is for people. Further members depend on the problem.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "template": {"type": "string", "description": "`detail` with named fields, for translations"},
        "values": {"type": "object", "description": "the values of the fields of `template`"},
        "errors": {
            "type": "array",
            "description": "the invalid fields",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "template": {"type": "string"},
                    "values": {"type": "object"},
                },
                "required": ["field", "message", "template", "values"],
            },
        },
        "command": {"type": "string", "description": "the command's id"},
        "look": {"type": "string", "description": "the address of the command's outcome"},
        "field": {"type": ["string", "null"], "description": "of a refused command: the wrong field"},
        "reason": {"type": ["string", "null"], "description": "of a refused command: the reason, for programs"},
    },
    "required": ["type", "title", "status", "detail", "template", "values"],
}
CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class PageRefused(HTTPException):
    """A page can't be shown, or a body can't be taken. `message` is the detail of the problem."""

    def __init__(self, status: int, message: Message, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message.english, headers)
        self.message = message


TOKEN = "No valid access token"
HOST = "Unknown host name, a change requested by a page of another origin, or no right to this"
RATE = "Too many requests; `Retry-After` says how many seconds to wait"
NOT_KNOWN = "Not known here, or not yet"
METHOD = "The path does not have this method; `Allow` lists its methods"
LENGTH = "The body is larger than a command may be"
KIND = "The body is not application/json in UTF-8"
INVALID = "Not valid; `errors` names each field"
AWAY = "A server that is needed does not answer"


def problem(
    status: int, title: Message, detail: Message, headers: Mapping[str, str] | None = None, **members: Any
) -> JSONResponse:
    """A response with problem details in English; `members` are further members of the JSON object.

    Readers of another language translate `template` and put in the `values` of its fields.
    """
    content = {
        "type": "about:blank",
        "title": title.english,
        "status": status,
        "detail": detail.english,
        "template": detail.template,
        "values": detail.plain_values,
        **members,
    }
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with every problem that its operations can answer.

    An operation's own description of a status is kept.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for default in ("HTTPValidationError", "ValidationError"):
        schemas.pop(default, None)
    schemas["Problem"] = SCHEMA
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = {
                status: answer
                for status, answer in operation["responses"].items()
                if not _is_framework_default(answer)
            }
            problems = {
                str(status): {"description": description}
                for status, description in _problems(path, method, operation)
            }
            operation["responses"] = dict(sorted((problems | declared).items()))
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = CONTENT
            operation["responses"]["405"]["headers"] = {"Allow": {"schema": {"type": "string"}}}
            if "429" in operation["responses"]:
                operation["responses"]["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return document


def _is_framework_default(answer: Mapping[str, Any]) -> bool:
    """Whether FastAPI added this answer by default. No service answers so."""
    return "HTTPValidationError" in str(answer)


def _problems(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    yield 401, TOKEN
    yield 403, HOST
    if method == "get" and "{" in path:
        yield 404, NOT_KNOWN
    yield 405, METHOD
    if "requestBody" in operation:
        yield 413, LENGTH
        yield 415, KIND
    checked = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] != "path"]
    # A page refuses every query parameter that it does not have.
    if "requestBody" in operation or checked or method == "get":
        yield 422, INVALID
    if not path.startswith("/health/"):
        yield 429, RATE
    yield 503, AWAY
