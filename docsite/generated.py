"""The documentation files that are generated from code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docsite.pictures import flow, request, step, unlabelled
from docsite.reference import commands, events, http, licences, settings

DOCS = Path(__file__).parents[1] / "docs"

GENERATED: Mapping[str, Callable[[], str]] = {
    "events.md": events.page,
    "http.md": http.page,
    "commands.md": commands.page,
    "settings.md": settings.page,
    "licences.md": licences.page,
    "flow.svg": flow.picture,
    "step.svg": step.picture,
    "request.svg": request.picture,
    "unlabelled.svg": unlabelled.picture,
}
