"""The reference page of the HTTP APIs, generated from the routes."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from fastapi import APIRouter, FastAPI

from deploy.topics import SERVICES
from ops.service.api import NAME, routes
from ops.service.runs import Runs
from shared.runtime.service import Service
from shared.settings import Settings

Schema = Mapping[str, Any]

_INTRODUCTION = """# HTTP

Generated from the code by `python -m docsite`; change the code, not this page.

Every service has an HTTP API. [The guide](guides/http.md) explains how commands answer, who may ask, and how pages
work. `make status` shows where each service listens. A running service has the same reference at `/docs`, and at
`/openapi.json` for programs. Counts are pieces, amounts are whole rupiah, and times are UTC (RFC 3339).

| every service | |
|---|---|
| `GET /health/live` | 200 while all of the process lives; 503 with the parts that died |
| `GET /health/started` | 200 once every lane was worked and while the process lives; 503 with what is awaited |
| `GET /health/ready` | 200 while every lane is worked without lag; 503 with the reasons |
| `GET /audit` | which account gave which command or record, [by pages](guides/http.md#who-did-what) |

[Operations](guides/http.md#operations) keeps no documents, and its `GET /audit` has what operators did.
"""
# Headers of every command, which the guide describes.
_HEADERS = {"prefer", "idempotency-key"}


def page() -> str:
    """The page as Markdown: a table for each service, then a section for each endpoint."""
    described = {service: asyncio.run(openapi(service)) for service in (*SERVICES, NAME)}
    lines = [_INTRODUCTION]
    for service, document in described.items():
        lines += [f"| {service} | |", "|---|---|"]
        lines += [f"| `{endpoint}` | {operation['summary']} |" for endpoint, operation in _endpoints(document)]
        lines.append("")
    for service, document in described.items():
        lines += [f"## {service.capitalize()}"]
        for endpoint, operation in _endpoints(document):
            lines += _section(endpoint, operation, document)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


async def openapi(name: str) -> Schema:
    """The OpenAPI document of a service's own routes; connects to no server."""
    if name == NAME:
        return _document(routes(Runs(Settings())))
    service = Service(name, (), Settings())
    try:
        router: APIRouter = import_module(f"services.{name}.api").routes(service)
    finally:
        await service.mongo.close()
    return _document(router)


def _document(router: APIRouter) -> Schema:
    app = FastAPI()
    app.include_router(router)
    return app.openapi()


def _endpoints(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _section(endpoint: str, operation: Schema, document: Schema) -> Iterator[str]:
    body = _schema(operation.get("requestBody", {}))
    in_list = body is not None and body.get("type") == "array"
    body = body["items"] if body is not None and in_list else body
    yield ""
    yield f"### `{endpoint}`"
    yield ""
    yield f"{operation['summary']}."
    if body and body.get("description"):
        yield ""
        yield _line(body["description"])
    parameters = [
        parameter for parameter in operation.get("parameters", ()) if parameter["name"].lower() not in _HEADERS
    ]
    place = "each item of the body" if in_list else "body"
    fields = _fields(_resolved(body, document), document, place) if body else ()
    rows = [*_parameters(parameters, document), *fields]
    if rows:
        yield ""
        yield "| name | in | kind | default |"
        yield "|---|---|---|---|"
        yield from rows
    yield ""
    yield from _answer(operation, document)


def _parameters(parameters: list[Schema], document: Schema) -> Iterator[str]:
    for parameter in parameters:
        schema = parameter["schema"]
        about = f": {_cell(parameter['description'])}" if parameter.get("description") else ""
        default = _default(schema, parameter.get("required", False))
        yield f"| `{parameter['name']}` | {parameter['in']} | {_kind(schema, document)}{about} | {default} |"


def _fields(schema: Schema, document: Schema, place: str) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        about = f": {_cell(field['description'])}" if place != "body" and field.get("description") else ""
        yield f"| `{name}` | {place} | {_kind(field, document)}{about} | {_default(field, name in required)} |"


def _schema(described: Schema) -> Schema | None:
    """The schema of a request or response in its one media type."""
    content: Mapping[str, Schema] = described.get("content", {})
    return next((media.get("schema") for media in content.values()), None)


def _answer(operation: Schema, document: Schema) -> Iterator[str]:
    content = _schema(operation["responses"].get("200", {})) or {}
    if "202" in operation["responses"]:
        yield "Answers as [every command](guides/http.md#how-commands-answer)."
        return
    if "303" in operation["responses"]:
        yield "Answers with a redirect of the browser."
        return
    schema = _resolved(content.get("items", content), document)
    names = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
    verb = "A list, each row with" if content.get("type") == "array" else "Answers with"
    yield f"{verb} {names}." if names else "Answers with JSON."


def _resolved(schema: Schema | None, document: Schema) -> Schema:
    if schema and "$ref" in schema:
        component: Schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return component
    return schema or {}


def _kind(schema: Schema, document: Schema) -> str:
    """The kind of a value in words."""
    schema = _resolved(schema, document)
    if "anyOf" in schema:
        kinds = [_kind(option, document) for option in schema["anyOf"] if option.get("type") != "null"]
        return f"{' or '.join(kinds)}, or null"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list: {_kind(schema['items'], document)}"
        case "object":
            names = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
            return f"object of {names}" if names else "object"
        case "string":
            return {"date": "day", "date-time": "time"}.get(schema.get("format", ""), "text")
        case "boolean":
            return "true or false"
        case "integer":
            return "whole number"
        case kind:
            return str(kind or "any")


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    default = json.dumps(schema.get("default"), ensure_ascii=False)
    return "" if default in ("null", '""') else f"`{default}`"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
