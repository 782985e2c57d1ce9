"""Terminals and the production service: what was made, what was wrong with a report, what was recorded."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.events.language import Body, Change, Count, Id, Qty, Text, Topic, Typed, TypedNumber

# The ce_id of a terminal's report, whatever visible characters the terminal made it of.
ReportId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


class ProductionReported(Body):
    """A terminal says: `qty` pieces of `product` were made. Anything typed may be wrong; production decides.

    `maker` is a keyed pseudonym and never leaves production. `best_before` only for what spoils.
    """

    facility: Typed
    terminal: Id
    product: Typed
    qty: TypedNumber
    made_on: date
    best_before: date | None = None
    maker: Id | None = None


class ProductionCorrected(Body):
    """A terminal says: lot `lot` holds `change` pieces more (or fewer, if negative) than was recorded."""

    facility: Typed
    terminal: Id
    lot: Typed
    change: TypedNumber
    reason: Text = ""


class RecallLot(Body):
    """Staff take a lot out of every sale, wherever it is by now."""

    facility: Typed
    terminal: Id
    lot: Typed
    reason: Text = ""


class LotRecorded(Body):
    """A new lot: `qty` pieces of one product, made on one day in one facility."""

    lot: Id
    facility: Id
    product: Id
    category: Id
    qty: Qty
    made_on: date
    best_before: date | None = None


class CorrectionRequested(Body):
    """Production passes a correction on; whether it fits the stock is inventory's to say."""

    lot: Id
    facility: Id
    correction: ReportId
    change: Change


class LotRecalled(Body):
    """The lot must leave availability everywhere."""

    lot: Id
    facility: Id
    reason: Text


class Refusal(StrEnum):
    """Why a report was not taken."""

    UNKNOWN_FACILITY = "unknown_facility"
    UNKNOWN_PRODUCT = "unknown_product"
    NOT_MADE_HERE = "not_made_here"
    NOT_POSITIVE = "not_positive"
    TOO_LARGE = "too_large"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    MISSING = "missing"
    BEFORE_MADE = "before_made"
    BEYOND_SHELF_LIFE = "beyond_shelf_life"
    UNKNOWN_LOT = "unknown_lot"
    OTHER_FACILITY = "other_facility"
    ALREADY_RECALLED = "already_recalled"
    DAY_FULL = "day_full"
    NO_CHANGE = "no_change"
    NOT_ENOUGH_STOCK = "not_enough_stock"
    ID_REUSED = "id_reused"


class ReportAccepted(Body):
    """Answer to a terminal: its report `report` became, or changed, lot `lot` (print it on the label)."""

    facility: Typed
    terminal: Id
    report: ReportId
    lot: Id


class ReportRejected(Body):
    """Answer to a terminal: which field of `report` is wrong and why, never the value that was in it."""

    facility: Typed
    terminal: Id
    report: ReportId
    field: Id
    reason: Refusal
    message: Text
    message_id: Text


class LotCorrected(Body):
    """Inventory took the correction; `on_hand` is what the facility holds now."""

    facility: Id
    lot: Id
    correction: ReportId
    change: Change
    on_hand: Count


class CorrectionRefused(Body):
    """Inventory can't take the correction: fewer than `-change` pieces are on hand."""

    facility: Id
    lot: Id
    correction: ReportId
    change: Change
    on_hand: Count


TERMINAL = Topic("karya.terminal.production.v1", "facility", (ProductionReported, ProductionCorrected, RecallLot))
PRODUCTION = Topic("karya.production.v1", "lot", (LotRecorded, CorrectionRequested, LotRecalled))
ANSWERS = Topic("karya.report-answers.v1", "facility", (ReportAccepted, ReportRejected))
LOT_ANSWERS = Topic("karya.lot-answers.v1", "facility", (LotCorrected, CorrectionRefused))
