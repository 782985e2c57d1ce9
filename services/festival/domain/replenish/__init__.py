"""Refills while a festival is open: what booths will still sell, what moves between them, what facilities send. Pure,
importable alone."""

from services.festival.domain.replenish.proposal import propose
from services.festival.domain.replenish.room import after
from services.festival.domain.replenish.terms import (
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
