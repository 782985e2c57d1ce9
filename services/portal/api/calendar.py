"""Days as people write them."""

from datetime import date

from shared.translation import tr


def day(value: date) -> str:
    """`18 April 2026`."""
    return f"{value.day} {_month(value)} {value.year}"


def days(first: date, last: date) -> str:
    """`18–20 April 2026`, `28 April – 3 May 2026`, or one day."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    if first.year == last.year:
        return f"{first.day} {_month(first)} – {day(last)}"
    return f"{day(first)} – {day(last)}"


def _month(value: date) -> str:
    return (
        tr("January"),
        tr("February"),
        tr("March"),
        tr("April"),
        tr("May"),
        tr("June"),
        tr("July"),
        tr("August"),
        tr("September"),
        tr("October"),
        tr("November"),
        tr("December"),
    )[value.month - 1]
