"""The files of pages: our own, and htmx from its package. All of them are read once, and compressed."""

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

HERE = Path(__file__).parents[1]
APPS = HERE / "apps"
# With the hash of its content in its address, a file never changes. Without it, the browser asks each time.
FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
INDEX = "index.html"
_SMALL = 500
_NOTES = re.compile(rb"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
# No text of the apps goes over several lines, so that what begins a line is not part of one.
_BEGINNINGS = re.compile(rb"^[ \t]*(?:/\*\*[^\n]*?\*/[ \t]*)?(?://[^\n]*)?", re.MULTILINE)
_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file in memory. `tag`: the hash of its content."""

    media_type: str
    content: bytes = field(repr=False)
    zipped: bytes | None = field(repr=False)
    tag: str

    def answer(self, request: Request, cache: str) -> Response:
        """The file, or 304 if the browser has it."""
        headers = {"ETag": f'"{self.tag}"', "Cache-Control": cache, "Vary": "Accept-Encoding"}
        if f'"{self.tag}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if self.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(self.zipped, media_type=self.media_type, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


class Assets:
    """The files by their names. `static` are those of pages; `apps` those of the till and the terminal."""

    def __init__(self) -> None:
        self.static = {**dict(_files(HERE / "static")), "htmx.js": _file(htmx())}
        self.apps = {name: _without_notes(file) for name, file in _files(APPS)}

    def address(self, name: str) -> str:
        """The address of a file of pages. Raises KeyError."""
        return f"/assets/{name}?v={self.static[name].tag}"


def htmx() -> Path:
    """The script of htmx, in a package of which nothing is imported."""
    spec = find_spec("django_htmx")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "static" / "django_htmx" / "htmx-2.min.js"


def routes(assets: Assets) -> APIRouter:
    """The router of the files."""
    router = APIRouter()

    @router.get("/assets/{name}")
    async def asset(request: Request, name: str, v: str = "") -> Response:
        if (file := assets.static.get(name)) is None:
            raise HTTPException(404)
        return file.answer(request, FOREVER if v == file.tag else ASK_EACH_TIME)

    @router.get("/apps/{path:path}")
    async def app(request: Request, path: str) -> Response:
        name = f"{path}{INDEX}" if path.endswith("/") else path
        if (file := assets.apps.get(name)) is None:
            raise HTTPException(404)
        # The worker of an app decides when its files change: each time it asks, it gets the newest.
        return file.answer(request, ASK_EACH_TIME)

    return router


def _files(folder: Path) -> Iterator[tuple[str, File]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _TYPES:
            yield path.relative_to(folder).as_posix(), _file(path)


def _without_notes(file: File) -> File:
    """A script without comments for programmers and indentation, which are a third of what a phone would load. The
    numbers of its lines stay, as faults name them."""
    if not file.media_type.startswith("text/javascript"):
        return file
    without_blocks = _NOTES.sub(lambda note: b"\n" * note[0].count(b"\n"), file.content)
    return file_of(".js", _BEGINNINGS.sub(b"", without_blocks))


def _file(path: Path) -> File:
    return file_of(path.suffix, path.read_bytes())


@cache
def file_of(suffix: str, content: bytes) -> File:
    """The file of this content. `suffix`: that of its name."""
    zipped = gzip.compress(content, 9, mtime=0) if len(content) > _SMALL and suffix != ".png" else None
    return File(_TYPES[suffix], content, zipped, hashlib.sha256(content).hexdigest()[:16])
