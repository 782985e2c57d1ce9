"""Which cursors a page of the audit list holds, in both directions."""

from datetime import UTC, datetime

from shared.http.audit import given_between

SINCE, UNTIL = datetime(2026, 4, 18, tzinfo=UTC), datetime(2026, 4, 19, tzinfo=UTC)
NOON = "2026-04-18T12:00:00.000Z karya/http c-1"
LATER = "2026-04-20T12:00:00.000Z karya/http c-2"


def test_a_page_goes_on_behind_the_cursor_and_stays_between_the_moments() -> None:
    first, last = "2026-04-18T00:00:00.000Z", "2026-04-19T00:00:00.000Z"
    assert given_between(SINCE, UNTIL, "", newest=False) == {"$gt": first, "$lt": last}
    assert given_between(SINCE, UNTIL, NOON, newest=False) == {"$gt": NOON, "$lt": last}
    assert given_between(SINCE, UNTIL, NOON, newest=True) == {"$gt": first, "$lt": NOON}
    assert given_between(SINCE, UNTIL, LATER, newest=True) == {"$gt": first, "$lt": last}
    assert given_between(None, None, "", newest=True) == {"$gt": ""}
