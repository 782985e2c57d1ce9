"""What the installable apps ask besides their files: their texts, the list of their files, and identity's name."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services.portal.api import device_answers
from services.portal.api.assets import ASK_EACH_TIME, INDEX, Assets, File, file_of
from shared.translation import catalogue

WORKER = "worker.js"
# What the apps have in common is a folder of its own, and no app.
COMMON = "device"
# The files of pages that each app uses too. It asks for them without their hashes.
SHARED = ("icon.svg", "style.css")
_CALL = re.compile(r'\btr\(\s*("(?:[^"\\]|\\.)*")')


def texts_of_script(source: str) -> Iterator[str]:
    """The texts of a script for people: the literals in double quotes that `tr` gets."""
    for call in _CALL.finditer(source):
        yield json.loads(call[1])


def app_texts(files: Mapping[str, File], app: str) -> list[str]:
    """The texts of an app in English."""
    scripts = [file for name, file in sorted(files.items()) if _is_of(name, app) and name.endswith(".js")]
    own = {text for script in scripts for text in texts_of_script(script.content.decode())}
    return sorted(own.union(device_answers.TEMPLATES))


def routes(assets: Assets, issuer: str) -> APIRouter:
    """The router of the apps. `issuer`: the identity service for which devices prove themselves."""
    router = APIRouter()
    identity = file_of(".json", json.dumps({"audience": issuer.rstrip("/")}).encode())
    apps = sorted(name.partition("/")[0] for name in assets.apps if name.endswith(f"/{INDEX}"))
    words = {app: _words(assets, app) for app in apps}
    lists = {app: _list(assets, app, words[app]) for app in apps}

    @router.get("/apps/identity.json")
    async def identity_name(request: Request) -> Response:
        return identity.answer(request, ASK_EACH_TIME)

    @router.get("/apps/{app}/words.json")
    async def words_of_app(request: Request, app: str) -> Response:
        return _found(words, app).answer(request, ASK_EACH_TIME)

    @router.get("/apps/{app}/files.js")
    async def files_of_app(request: Request, app: str) -> Response:
        return _found(lists, app).answer(request, ASK_EACH_TIME)

    return router


def _is_of(name: str, app: str) -> bool:
    return name.startswith((f"{app}/", f"{COMMON}/"))


def _found(files: Mapping[str, File], app: str) -> File:
    if (file := files.get(app)) is None:
        raise HTTPException(404)
    return file


def _words(assets: Assets, app: str) -> File:
    """The Indonesian texts of the app by their English ones."""
    known = catalogue()
    texts = {text: known[None, text] for text in app_texts(assets.apps, app) if (None, text) in known}
    return file_of(".json", json.dumps(texts, ensure_ascii=False).encode())


def _list(assets: Assets, app: str, words: File) -> File:
    """The script by which the worker of the app knows its files. The worker is another one when a file changes."""
    own = {f"/apps/{name}": file for name, file in assets.apps.items() if _is_of(name, app)}
    own = {name: file for name, file in own.items() if not name.endswith((f"/{WORKER}", f"/{INDEX}"))}
    files = {
        f"/apps/{app}/": assets.apps[f"{app}/{INDEX}"],
        f"/apps/{app}/words.json": words,
        **own,
        **{f"/assets/{name}": assets.static[name] for name in SHARED},
    }
    version = hashlib.sha256("".join(f"{name} {file.tag} " for name, file in files.items()).encode()).hexdigest()[:16]
    content = json.dumps({"app": app, "version": version, "names": list(files)})
    return file_of(".js", f"self.FILES = {content};\n".encode())
