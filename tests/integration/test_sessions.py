"""Sessions in a real database: which refresh tokens count, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from services.identity.store import SECRETS
from services.identity.store.sessions import GRACE, SESSION_LIFETIME, Sessions
from shared.mongo import Mongo

pytestmark = pytest.mark.integration

NOW = datetime(2026, 4, 18, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def sessions(mongo: Mongo) -> Sessions:
    return Sessions(mongo.database(SECRETS))


async def renewed(sessions: Sessions, token: str, now: datetime) -> str | None:
    answer = await sessions.refresh(token, now)
    return answer[1] if answer is not None else None


async def test_a_lost_answer_does_not_end_the_session(sessions: Sessions) -> None:
    first = await sessions.begin("s-1", "c-1", NOW)
    lost = await renewed(sessions, first, NOW + SECOND)
    second = await renewed(sessions, first, NOW + 2 * SECOND)
    assert second is not None, "the answer with the successor may have been lost"
    assert second != lost
    third = await renewed(sessions, second, NOW + 3 * SECOND)
    assert third is not None


async def test_the_grace_is_short(sessions: Sessions) -> None:
    first = await sessions.begin("s-1", "c-1", NOW)
    await renewed(sessions, first, NOW)
    # The grace counts from the first use, however often the token is used again.
    assert await renewed(sessions, first, NOW + GRACE - SECOND) is not None
    assert await renewed(sessions, first, NOW + GRACE) is None
    assert await renewed(sessions, first, NOW + GRACE) is None


async def test_two_who_use_one_token_end_the_session(sessions: Sessions) -> None:
    stolen = await sessions.begin("s-1", "c-1", NOW)
    of_thief = await renewed(sessions, stolen, NOW)
    of_owner = await renewed(sessions, stolen, NOW + SECOND)
    assert of_thief is not None
    assert of_owner is not None
    assert await renewed(sessions, of_thief, NOW + 2 * SECOND) is None, "another successor took its place"
    assert await renewed(sessions, of_owner, NOW + 3 * SECOND) is None, "the whole family has ended"


async def test_a_token_whose_successor_was_used_ends_the_session(sessions: Sessions) -> None:
    stolen = await sessions.begin("s-1", "c-1", NOW)
    second = await renewed(sessions, stolen, NOW)
    assert second is not None
    third = await renewed(sessions, second, NOW + SECOND)
    assert third is not None
    assert await renewed(sessions, stolen, NOW + 2 * SECOND) is None
    assert await renewed(sessions, third, NOW + 3 * SECOND) is None


async def test_a_session_lasts_while_it_is_used_or_until_its_last_moment(sessions: Sessions) -> None:
    used = await sessions.begin("s-1", "c-1", NOW)
    bounded = await sessions.begin("s-1", "c-1", NOW, NOW + timedelta(hours=12))
    day = SESSION_LIFETIME - SECOND
    later = await renewed(sessions, used, NOW + day)
    assert later is not None
    assert await renewed(sessions, later, NOW + 2 * day) is not None
    next_one = await renewed(sessions, bounded, NOW + timedelta(hours=11))
    assert next_one is not None
    assert await renewed(sessions, next_one, NOW + timedelta(hours=12)) is None
    idle = await sessions.begin("s-1", "c-1", NOW)
    assert await renewed(sessions, idle, NOW + SESSION_LIFETIME) is None
