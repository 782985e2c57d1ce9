"""A season of three festivals by the command line alone: each mistake is taken back, and everything adds up."""

import asyncio
from pathlib import Path

import pytest

from cli.mistakes import play_season
from deploy.local.services import LocalServices
from shared.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_a_season_with_one_of_each_mistake_adds_up(settings: Settings, tmp_path: Path) -> None:
    services = LocalServices(tmp_path / "services", settings)
    await asyncio.to_thread(services.start)
    try:
        played = await asyncio.to_thread(
            play_season, settings, services.urls, tmp_path / "devices", tmp_path / "session.json", quiet=True
        )
    finally:
        await asyncio.to_thread(services.stop)
    assert played.wrong == {}
    assert played.steps > 150
