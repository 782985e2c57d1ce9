"""The rules of business need no installed package, and nothing that could answer otherwise at a replay.

import-linter can forbid packages by name only. Here all is refused that is not named.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = sorted(ROOT.glob("services/*/domain"))

OURS = {"services", "shared"}
# Python's own modules without I/O, clock and chance. A rule that needs another such module adds it.
PURE = {
    *("base64", "bisect", "collections", "collections.abc", "dataclasses", "datetime", "enum", "fractions"),
    *("hashlib", "heapq", "itertools", "math", "operator", "re", "typing", "uuid", "zoneinfo"),
}
IMPURE_CALLS = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
# Whatever they belong to: a clock, chance or a file may come as a value.
IMPURE_ATTRIBUTES = {"getnode", "now", "open", "read_text", "today", "utcnow", "uuid1", "uuid4"}


def impure(source: str) -> set[str]:
    """The modules, functions and attributes in it that a rule must not use."""
    return {name for node in ast.walk(ast.parse(source)) for name in _impure(node)}


def _impure(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if _foreign(alias.name))
    elif isinstance(node, ast.ImportFrom):
        if node.module and not node.level and _foreign(node.module):
            yield node.module
        yield from (alias.name for alias in node.names if alias.name in IMPURE_ATTRIBUTES)
    elif isinstance(node, ast.Name) and node.id in IMPURE_CALLS:
        yield node.id
    elif isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
        yield node.attr


def _foreign(module: str) -> bool:
    return module not in PURE and module.partition(".")[0] not in OURS


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.parent.name)
def test_a_domain_is_pure(domain: Path) -> None:
    files = list(domain.rglob("*.py"))
    assert files
    assert {str(file.relative_to(domain)): names for file in files if (names := impure(file.read_text()))} == {}


def test_every_service_has_a_domain() -> None:
    assert {domain.parent.name for domain in DOMAINS} == {
        "production",
        "inventory",
        "festival",
        "sales",
        "identity",
        "gateway",
        "portal",
    }


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from pydantic import BaseModel", "pydantic"),
        ("import pymongo.errors", "pymongo.errors"),
        ("def f():\n    import httpx", "httpx"),
        ("import urllib", "urllib"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("import http.client", "http.client"),
        ("from http import client", "http"),
        ("import importlib", "importlib"),
        ("from importlib.resources import files", "importlib.resources"),
        ("import socket", "socket"),
        ("import subprocess as run", "subprocess"),
        ("import os", "os"),
        ("from os import environ", "os"),
        ("import random", "random"),
        ("from random import choice", "random"),
        ("import time", "time"),
        ("lines = open('lots.csv')", "open"),
        ("read = open", "open"),
        ("socket = __import__('socket')", "__import__"),
        ("from datetime import UTC, datetime\nmoment = datetime.now(UTC)", "now"),
        ("import datetime as dt\nmoment = dt.datetime.utcnow()", "utcnow"),
        ("from datetime import date\nday = date.today()", "today"),
        ("from services.sales.domain.clock import CLOCK\nmoment = CLOCK.now()", "now"),
        ("from datetime import datetime\nclock = datetime.now", "now"),
        ("from uuid import uuid4", "uuid4"),
        ("import uuid\nid = uuid.uuid1()", "uuid1"),
        ("from shared.reading import open", "open"),
    ],
)
def test_what_is_not_pure_is_found(source: str, found: str) -> None:
    assert impure(source) == {found}


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\nstart = datetime(2026, 5, 1, tzinfo=UTC)",
        "from collections.abc import Mapping",
        "from shared.events.language import Event",
        "now = event.logged_at",
    ],
)
def test_what_is_pure_is_not_found(source: str) -> None:
    assert impure(source) == set()
