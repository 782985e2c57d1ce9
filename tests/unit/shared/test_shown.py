"""How money, long numbers and times look."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from cli.console import local
from shared.shown import clock, pluralize, rupiah, thousands, time_of_day

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 29, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "Rp0"), (999, "Rp999"), (1_250, "Rp1.250"), (1_250_000, "Rp1.250.000"), (-1_250, "-Rp1.250")],
)
def test_money_is_shown_with_dots(amount: int, shown: str) -> None:
    assert rupiah(amount) == shown


def test_a_long_number_is_shown_with_dots() -> None:
    assert [thousands(n) for n in (7, 1_000, 20_000_000)] == ["7", "1.000", "20.000.000"]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Jakarta", "2026-11-29 11:30 WIB"),
        ("Asia/Pontianak", "2026-11-29 11:30 WIB"),
        ("Asia/Makassar", "2026-11-29 12:30 WITA"),
        ("Asia/Jayapura", "2026-11-29 13:30 WIT"),
        ("UTC", "2026-11-29 04:30 UTC"),
        ("Asia/Kolkata", "2026-11-29 10:00 +05:30"),
        ("America/New_York", "2026-11-28 23:30 -05:00"),
    ],
)
def test_a_time_says_its_zone(zone: str, shown: str) -> None:
    assert local(NOON, zone) == clock(NOON.astimezone(ZoneInfo(zone))) == shown
    assert time_of_day(NOON.astimezone(ZoneInfo(zone))) == shown[len("2026-11-29 ") :]


def test_a_zone_without_a_name_says_its_offset() -> None:
    assert clock(NOON.astimezone(timezone(timedelta(hours=8)))) == "2026-11-29 12:30 +08:00"


@pytest.mark.parametrize(("count", "text"), [(0, "0 records"), (1, "1 record"), (2, "2 records")])
def test_one_is_no_plural(count: int, text: str) -> None:
    assert pluralize(count, "record") == text
