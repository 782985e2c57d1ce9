"""Terminals' reports, production's answers, and the lots that production records."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.events.language import EVENT_ID, Body, Change, Count, Id, Qty, Text, Topic, Typed, TypedNumber, Values

# The ce_id of a terminal's report.
ReportId = Annotated[str, StringConstraints(pattern=EVENT_ID)]


class ProductionReported(Body):
    """A terminal reports `qty` pieces of `product`. Typed values may be wrong; production decides.

    `maker` is a keyed pseudonym and never leaves production. `best_before` is only for goods that spoil.
    """

    facility: Typed
    terminal: Id
    product: Typed
    qty: TypedNumber
    made_on: date
    best_before: date | None = None
    maker: Id | None = None


class ProductionCorrected(Body):
    """A terminal reports that lot `lot` has `change` pieces more (fewer if negative) than recorded."""

    facility: Typed
    terminal: Id
    lot: Typed
    change: TypedNumber
    reason: Text = ""


class RecallLot(Body):
    """Staff recall a lot: it must not be sold anywhere."""

    facility: Typed
    terminal: Id
    lot: Typed
    reason: Text = ""


class LiftRecall(Body):
    """Staff lift a recall: the lot may be sold again where it still is. `reason` must say why."""

    facility: Typed
    terminal: Id
    lot: Typed
    reason: Text


class WithdrawReport(Body):
    """Staff withdraw the report of a lot: it was made under a wrong product or facility, and there is no such lot."""

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
    """Production passes a correction to inventory, which decides whether it fits the stock."""

    lot: Id
    facility: Id
    correction: ReportId
    change: Change


class LotRecalled(Body):
    """The lot is recalled and must not be available anywhere."""

    lot: Id
    facility: Id
    reason: Text


class LotRecallLifted(Body):
    """The lot is no longer recalled."""

    lot: Id
    facility: Id
    reason: Text


class WithdrawalRequested(Body):
    """Production passes the withdrawal of a lot's report to inventory, which knows whether anything is promised."""

    lot: Id
    facility: Id
    withdrawal: ReportId


class Refusal(StrEnum):
    """The reason why a report was rejected."""

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
    NOT_RECALLED = "not_recalled"
    NO_REASON = "no_reason"
    WITHDRAWN = "withdrawn"
    PROMISED = "promised"
    DAY_FULL = "day_full"
    NO_CHANGE = "no_change"
    NOT_ENOUGH_STOCK = "not_enough_stock"
    ID_REUSED = "id_reused"
    RETIRED = "retired"


class ReportAccepted(Body):
    """The answer to a terminal: report `report` created or changed lot `lot` (print it on the label)."""

    facility: Typed
    terminal: Id
    report: ReportId
    lot: Id


class ReportRejected(Body):
    """The answer to a terminal: the wrong field of `report` and the reason, without the typed value.

    `message` is in English. Readers of another language translate `template` and put in the `values` of its fields.
    """

    facility: Typed
    terminal: Id
    report: ReportId
    field: Id
    reason: Refusal
    message: Text
    template: Text
    values: Values


class LotCorrected(Body):
    """Inventory accepted the correction; the facility now has `on_hand` pieces."""

    facility: Id
    lot: Id
    correction: ReportId
    change: Change
    on_hand: Count


class CorrectionRefused(Body):
    """Inventory can't accept the correction, because fewer than `-change` pieces are on hand."""

    facility: Id
    lot: Id
    correction: ReportId
    change: Change
    on_hand: Count


class ReportWithdrawn(Body):
    """Inventory withdrew the lot: no piece of it was promised, and the `qty` pieces on hand are none any more."""

    facility: Id
    lot: Id
    withdrawal: ReportId
    qty: Count


class WithdrawalRefused(Body):
    """Inventory can't withdraw the lot, because `promised` pieces are reserved or were sent to booths."""

    facility: Id
    lot: Id
    withdrawal: ReportId
    promised: Count


class ReportReleased(Body):
    """A report of goods that has waited for the facility's catalogue is to be decided now.

    Production writes and reads it. `product` and `made_on` name what the decision reads. `more`: further reports wait
    behind this one.
    """

    facility: Typed
    report: ReportId
    product: Typed
    made_on: date
    more: bool = False


TERMINAL = Topic(
    "karya.terminal.production.v1",
    "facility",
    (ProductionReported, ProductionCorrected, RecallLot, LiftRecall, WithdrawReport),
)
PRODUCTION = Topic(
    "karya.production.v1",
    "lot",
    (LotRecorded, CorrectionRequested, LotRecalled, LotRecallLifted, WithdrawalRequested),
)
ANSWERS = Topic("karya.report-answers.v1", "facility", (ReportAccepted, ReportRejected))
LOT_ANSWERS = Topic(
    "karya.lot-answers.v1", "facility", (LotCorrected, CorrectionRefused, ReportWithdrawn, WithdrawalRefused)
)
RELEASED = Topic("karya.released-reports.v1", "facility", (ReportReleased,))
