"""Refills while a festival is open: what booths will still sell, what moves between them, what facilities send. Pure,
importable alone."""

from services.festival.domain.replenishment.proposal import propose
from services.festival.domain.replenishment.room import after
from services.festival.domain.replenishment.terms import (
    Forecast,
    Held,
    Hour,
    Move,
    Pace,
    Proposal,
    Refill,
    Situation,
)

__all__ = [
    "Forecast",
    "Held",
    "Hour",
    "Move",
    "Pace",
    "Proposal",
    "Refill",
    "Situation",
    "after",
    "propose",
]
