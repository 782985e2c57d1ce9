"""The stack of the pictures: accounts of people, and a small season that stops while there is work."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.demo import RunningStack, StageBars, season_stack
from cli.exclusive import exclusive, terminable
from cli.sample_accounts import SampleAccount, new_account
from docsite.screens.season import PicturedScenario, SmallSeason
from services.production import reference

FOLDER = Path(__file__).parents[2] / ".karya" / "pictures" / "stack"
# By the names of the pictures. All of it is made up, as in the season.
ROLES: Mapping[str, tuple[str, ...]] = {
    "organiser": ("organiser:*", "organiser:ODOP", "organiser:IPPA", "organiser:FKUM"),
    "facility": ("facility-staff:PR-KPG",),
    "operator": ("operator",),
    "administrator": ("administrator",),
    "auditor": ("auditor",),
    "cashier": ("cashier:ODOP.B01",),
}


@dataclass(frozen=True, slots=True)
class PicturedStack:
    """The portal's address, and the account of each role."""

    portal: str
    people: Mapping[str, SampleAccount]


@contextmanager
def pictured_stack(seed: int = 1) -> Iterator[PicturedStack]:
    """A stack on which the season has been played, for the duration of the block."""
    people = {role: new_account(role, grants) for role, grants in ROLES.items()}
    with ExitStack() as cleanup:
        cleanup.enter_context(exclusive(FOLDER))
        cleanup.enter_context(terminable())
        bars = cleanup.enter_context(StageBars())
        running = cleanup.enter_context(season_stack(bars, FOLDER, list(people.values())))
        asyncio.run(_play(running, seed, bars))
        yield PicturedStack(running.urls["portal"], people)


async def _play(running: RunningStack, seed: int, bars: StageBars) -> None:
    season = SmallSeason(reference.load(), seed=seed, scale=1, now=datetime.now(UTC))
    devices = FOLDER / "devices"
    async with PicturedScenario(
        season, running.settings, running.urls, running.owners, devices, bars.begin
    ) as scenario:
        await scenario.run()
