"""The page of an HTTP API at `/docs`, for people. It works without the internet: the service has all of its files."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException

SCRIPT, STYLE, ICON = "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"
ASSETS = (SCRIPT, STYLE, ICON)
# The browser itself refuses every other host, whatever a script asks for.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs(title: str) -> APIRouter:
    """The page and its files. Addresses are relative, so that it works behind a prefix too."""
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("fastapi_offline"))) / "static"

    @router.get("/docs")
    async def page() -> HTMLResponse:
        html = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=title,
            swagger_js_url=f"docs/{SCRIPT}",
            swagger_css_url=f"docs/{STYLE}",
            swagger_favicon_url=f"docs/{ICON}",
            # Without this, a page that is not on localhost shows a picture of the maker's validator.
            swagger_ui_parameters={"validatorUrl": None},
        )
        html.headers["Content-Security-Policy"] = POLICY
        return html

    @router.get("/docs/{asset}")
    async def file(asset: str) -> FileResponse:
        if asset not in ASSETS:
            raise HTTPException(404)
        return FileResponse(folder / asset)

    return router
