"""Refills while a festival is open: what booths will still sell, what moves between them, what facilities send. Pure,
importable alone."""

from services.festival.domain.replenishment.proposal import propose
from services.festival.domain.replenishment.room import rules_after
from services.festival.domain.replenishment.terms import (
    Forecast,
    HeldLot,
    Move,
    Proposal,
    Refill,
    SalesHistory,
    SalesHour,
    Situation,
)

__all__ = [
    "Forecast",
    "HeldLot",
    "Move",
    "Proposal",
    "Refill",
    "SalesHistory",
    "SalesHour",
    "Situation",
    "propose",
    "rules_after",
]
