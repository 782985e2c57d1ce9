"""The page of an HTTP API at `/docs`, for people. It works without the internet: the service has all of its files."""

from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

SCRIPT, STYLE, ICON, START = "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png", "docs.js"
_OFFLINE = Path(str(files("fastapi_offline"))) / "static"
ASSETS: Mapping[str, Path] = {name: _OFFLINE / name for name in (SCRIPT, STYLE, ICON)} | {
    START: Path(__file__).with_name(START)
}
# The browser itself refuses every other host and every inline script, whatever a text in the document asks for.
# Swagger UI writes styles into its elements.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/{style}">
<link rel="icon" href="docs/{icon}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/{script}"></script>
<script src="docs/{start}"></script>
</body>
</html>
"""


def docs(title: str, document: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """The page, its files and the OpenAPI document. Addresses are relative, so that it works behind a prefix too.

    `document` is called once: a document of hundreds of kilobytes is costly to write for each stranger.
    """
    router = APIRouter(include_in_schema=False)
    html = _PAGE.format(title=escape(title), style=STYLE, icon=ICON, script=SCRIPT, start=START)
    written: list[bytes] = []

    @router.get("/docs")
    async def page() -> HTMLResponse:
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})

    @router.get("/docs/{asset}")
    async def file(asset: str) -> FileResponse:
        if asset not in ASSETS:
            raise HTTPException(404)
        return FileResponse(ASSETS[asset])

    @router.get("/openapi.json")
    async def openapi() -> Response:
        if not written:
            written.append(bytes(JSONResponse(document()).body))
        return Response(written[0], media_type="application/json")

    return router
