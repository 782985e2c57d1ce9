"""Formats of money, long numbers and times for people."""

from datetime import datetime

# Other short names mean different zones in different countries.
_UNDERSTOOD = frozenset({"WIB", "WITA", "WIT", "UTC"})


def rupiah(amount: int) -> str:
    """`Rp1.250.000`, below zero `-Rp1.250`."""
    return f"{'-' if amount < 0 else ''}Rp{thousands(abs(amount))}"


def thousands(count: int) -> str:
    """`1.250.000`, as it may be typed too."""
    return f"{count:,}".replace(",", ".")


def clock(moment: datetime) -> str:
    """The moment with the zone that it is given in: `2026-11-29 14:30 WITA`."""
    return f"{moment:%Y-%m-%d %H:%M} {zone(moment)}"


def time_of_day(moment: datetime) -> str:
    """`14:30 WITA`."""
    return f"{moment:%H:%M} {zone(moment)}"


def zone(moment: datetime) -> str:
    """`WIB`, `WITA`, `WIT` or `UTC`; for every other zone its distance from UTC then, e.g. `+05:30`."""
    name = moment.tzname() or ""
    return name if name in _UNDERSTOOD else moment.isoformat(timespec="minutes")[len("2026-11-29T14:30") :]


def pluralize(count: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
