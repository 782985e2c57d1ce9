"""Replenishment of an open festival: sales forecasts, moves between booths, parcels from facilities.

Pure, importable alone.
"""

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
