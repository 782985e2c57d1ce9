"""A season of three festivals by the command line alone, with enrolled devices: each mistake is taken back, and
everything adds up."""

import asyncio
from pathlib import Path

import pytest

from cli.demo import PLAYER
from cli.mistakes import play_season
from cli.sample_accounts import new_account
from cli.stack_accounts import sign_in, start_with_accounts
from deploy.local.services import IDENTITY, LocalServices
from shared.settings import AccessControl, Settings, UnsignedRecords

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_a_season_with_one_of_each_mistake_adds_up(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(
        update={
            "access": AccessControl.TOKENS,
            "unsigned": UnsignedRecords.REFUSED,
            "http_rate_strangers": 0,  # all devices have one address
        }
    )
    services, player = LocalServices(tmp_path / "services", settings), new_account("season", PLAYER)
    session = tmp_path / "session.json"
    try:
        await asyncio.to_thread(start_with_accounts, services, settings, [player])
        await asyncio.to_thread(sign_in, services.urls[IDENTITY], player, session)
        played = await asyncio.to_thread(
            play_season, settings, services.urls, tmp_path / "devices", session, quiet=True
        )
    finally:
        await asyncio.to_thread(services.stop)
    assert played.wrong == {}
    assert played.steps > 150
