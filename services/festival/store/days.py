"""Days in documents: ISO text, which sorts like days."""

from datetime import date


def day_text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def as_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
