"""`karya status`, `logs` and `restart` on a stack of their own: what is down or hangs is told, and ends with 1."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from deploy.local.services import LocalServices
from deploy.local.stack import LocalStack
from tests.support.servers import frozen_server, killed_server

pytestmark = pytest.mark.integration

SERVICES = ("production", "inventory", "festival", "sales", "identity", "gateway", "portal", "operations")
ALL = ("mongo", "kafka", *SERVICES)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("cli.stack.FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Iterator[tuple[LocalStack, LocalServices]]:
    """Everything that `karya up` starts."""
    up = CliRunner().invoke(app, ["up", "--http-port", "18101"])
    stack = LocalStack(folder, keep_running=True)
    services = LocalServices(folder, stack.addresses.settings(), keep_running=True)
    try:
        assert up.exit_code == 0, up.output
        yield stack, services
    finally:
        services.stop()
        stack.stop()


def status() -> tuple[int, dict[str, dict[str, Any]]]:
    result = CliRunner().invoke(app, ["status", "--json"])
    return result.exit_code, {row["what" if "what" in row else "name"]: row for row in json.loads(result.stdout)}


def test_where_nothing_runs_all_is_down(folder: Path) -> None:
    code, servers = status()
    assert (code, {name: row["health"] for name, row in servers.items()}) == (1, dict.fromkeys(ALL, "down"))
    shown = CliRunner().invoke(app, ["status"])
    assert (shown.exit_code, "`karya up` starts everything" in shown.stderr) == (1, True)
    unwritten = CliRunner().invoke(app, ["logs", "sales"])
    assert (unwritten.exit_code, "never been started" in str(unwritten.exception)) == (1, True)


def until_works(seconds: float = 40) -> None:
    """Until everything works: a service needs a moment after its server was away."""
    end = time.monotonic() + seconds
    while (result := status())[0] != 0:
        assert time.monotonic() < end, result
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_hangs_or_is_gone_is_told_at_once(running: tuple[LocalStack, LocalServices]) -> None:
    stack, services = running
    assert services.servers["production"].port >= 18101
    until_works()
    pid = services.servers["sales"].pid
    with frozen_server(services.servers["sales"]):
        code, servers = status()
        assert (code, servers["sales"]["health"]) == (1, "in trouble")
        assert f"its process {pid} is suspended (`kill -CONT {pid}` resumes it)" in servers["sales"]["trouble"]
        assert {servers[name]["health"] for name in ALL if name != "sales"} == {"works"}
    until_works()
    with frozen_server(stack.kafka):
        code, servers = status()
        assert (code, servers["kafka"]["health"]) == (1, "in trouble")
    until_works()
    with killed_server(stack.mongo):
        killed = time.monotonic()
        code, servers = status()
        assert (code, servers["mongo"]["health"], servers["mongo"]["trouble"]) == (1, "down", "it does not run")
        while any(servers[name]["health"] == "works" for name in SERVICES):
            assert time.monotonic() < killed + 4, servers
            time.sleep(0.1)
            code, servers = status()
        assert code == 1
        assert all("MongoDB does not answer" in servers[name]["trouble"] for name in SERVICES)
    until_works()
    services.servers["festival"].freeze()
    restarted = CliRunner().invoke(app, ["restart", "festival"])
    assert (restarted.exit_code, restarted.stdout) == (0, "festival runs again.\n")
    until_works()
    log = CliRunner().invoke(app, ["logs", "festival", "-n", "3"])
    assert (log.exit_code, len(log.stdout.splitlines())) == (0, 3)
