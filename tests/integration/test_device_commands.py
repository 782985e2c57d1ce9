"""The commands of a terminal and a till, with their records over Kafka or over a gateway."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app, sessions
from deploy.local.services import environment
from edge.spool import Owner, Spool
from edge.terminal import terminal
from edge.till import till
from shared.settings import Settings
from tests.support.probe import Probe
from tests.support.ways import CaughtUpRoute, Way

pytestmark = pytest.mark.integration

TERMINAL = ("terminal", "--facility", "LP-KPG", "--zone", "Asia/Makassar")
TILL = ("till", "--booth", "ODOP.B7")


async def test_what_commands_record_comes_in_once_either_way(
    settings: Settings, probe: Probe, tmp_path: Path, way: Way
) -> None:
    owners = {TERMINAL: terminal.owner(tmp_path, "LP-KPG", "T1"), TILL: till.owner(tmp_path, "ODOP.B7", "T1")}
    records = {
        TERMINAL: ("record", "KTI", "5", "--unlisted"),
        TILL: ("drawer", "open", "--cashier", "P1", "--float", "1.000"),
    }
    for device, owner in owners.items():
        variables = {**environment(settings), "KARYA_SPOOL_DIR": str(tmp_path), **await reached_by(way, owner)}

        async def run(*words: str, device: tuple[str, ...] = device, variables: dict[str, str] = variables) -> Any:
            result = await asyncio.to_thread(CliRunner().invoke, app, [*device, *words, "--json"], env=variables)
            assert result.exit_code == 0, result.output
            return json.loads(result.stdout)

        await run(*records[device])
        kafka = ("--kafka",) if way.name == "kafka" else ()
        synced = [await run("sync", "--wait", "0", *kafka) for _ in range(2)]
        assert [(row["sent"], row["not_taken"]) for row in synced] == [(1, []), (0, [])]
        [row] = await run("list")
        assert row["standing"] == "sent"
        [entry] = await probe.read_all(owner.topic)
        assert entry.event.source == owner.source


async def reached_by(way: Way, owner: Owner) -> dict[str, str]:
    """The settings of an enrolled device that has this spool."""
    if not isinstance(way.route, CaughtUpRoute):
        return {"KARYA_GATEWAY_URL": "http://127.0.0.1:1"}  # `--kafka` passes it by
    with Spool(owner) as spool:
        return {"KARYA_GATEWAY_URL": way.route.url, sessions.TOKEN: await way.route.enrol(spool)}
