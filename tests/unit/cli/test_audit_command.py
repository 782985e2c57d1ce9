"""`karya audit --http`: the lists of all services by time, also that of operations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from deploy.topics import SERVICES
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit


def an_entry(minute: int, command: str) -> dict[str, Any]:
    at = f"2026-04-18T02:{minute:02}:00.000Z"
    return {"at": at, "actor": "s-1", "command": command, "key": "K", "id": f"c-{minute}", "festival": None}


@pytest.fixture
def festival() -> Iterator[FakeServer]:
    """What every service but operations answers."""
    with running() as server:
        server.pages["/audit"] = []
        yield server


@pytest.fixture
def operations() -> Iterator[FakeServer]:
    with running() as server:
        server.pages["/audit"] = [an_entry(5, "LetterReplayed"), an_entry(3, "DatabaseSwitched")]
        yield server


def run(festival: FakeServer, **more: str | None) -> Result:
    env = {f"KARYA_{name.upper()}_URL": festival.url for name in SERVICES} | {"KARYA_LANG": "en"} | more
    return CliRunner().invoke(cli.app, ["audit", "--http", "--json"], env=env)


def test_operations_is_asked_too(festival: FakeServer, operations: FakeServer) -> None:
    result = run(festival, KARYA_OPERATIONS_URL=operations.url)
    assert [row["command"] for row in json.loads(result.stdout)] == ["DatabaseSwitched", "LetterReplayed"]


def test_the_list_is_never_short_of_a_service_without_a_word(festival: FakeServer) -> None:
    result = run(festival, KARYA_OPERATIONS_URL=None)
    assert (result.exit_code, "KARYA_OPERATIONS_URL" in result.output) == (1, True)
