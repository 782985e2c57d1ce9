"""Rejections of reports, in sentences for the person at the terminal.

No message repeats the typed value. Answers are kept forever, and a name may have been typed by mistake.
"""

from dataclasses import dataclass

from shared.events.production import Refusal
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class ReportRejection:
    """The wrong field, the reason for programs, and advice for the person."""

    field: str
    reason: Refusal
    message: Message


UNKNOWN_FACILITY = ReportRejection(
    "facility",
    Refusal.UNKNOWN_FACILITY,
    Message("This facility code is not in the list. Please check the terminal's settings."),
)
UNKNOWN_PRODUCT = ReportRejection(
    "product",
    Refusal.UNKNOWN_PRODUCT,
    Message("This product code is not in the catalogue. It has three letters; please choose it from the list."),
)
NOT_MADE_HERE = ReportRejection(
    "product",
    Refusal.NOT_MADE_HERE,
    Message("This product is not listed for your facility. If you have begun to make it, ask for it to be added."),
)
RETIRED_FACILITY = ReportRejection(
    "facility",
    Refusal.RETIRED,
    Message("This facility was retired from the catalogue before this report was made. Please ask its staff."),
)
RETIRED_PRODUCT = ReportRejection(
    "product",
    Refusal.RETIRED,
    Message("This product was retired before this report was made. Please choose another one from the list."),
)
NOT_POSITIVE = ReportRejection(
    "qty",
    Refusal.NOT_POSITIVE,
    Message("The quantity must be at least 1."),
)
IN_FUTURE = ReportRejection(
    "made_on",
    Refusal.IN_FUTURE,
    Message("The day of making has not come yet. Please check the date, and the terminal's clock."),
)
TOO_OLD = ReportRejection(
    "made_on",
    Refusal.TOO_OLD,
    Message("The day of making is more than 400 days ago. Please check the year."),
)
BEFORE_MADE = ReportRejection(
    "best_before",
    Refusal.BEFORE_MADE,
    Message("The best-before day is earlier than the day of making."),
)
MISTYPED_LOT = ReportRejection(
    "lot",
    Refusal.UNKNOWN_LOT,
    Message("This is not a lot number: its check character does not fit. Please compare it with the label."),
)
UNKNOWN_LOT = ReportRejection(
    "lot",
    Refusal.UNKNOWN_LOT,
    Message("No lot with this number is recorded. Please compare it with the label."),
)
OTHER_FACILITY = ReportRejection(
    "lot",
    Refusal.OTHER_FACILITY,
    Message("This lot was made by another facility; only that facility can change it."),
)
NO_CHANGE = ReportRejection(
    "change",
    Refusal.NO_CHANGE,
    Message("The change is 0: nothing to correct. Say how many more (+) or fewer (-) there are than recorded."),
)
NOT_ENOUGH_STOCK = ReportRejection(
    "change",
    Refusal.NOT_ENOUGH_STOCK,
    Message("Fewer pieces of this lot are on hand than the correction takes away; the rest is reserved or sent."),
)
ALREADY_RECALLED = ReportRejection(
    "lot",
    Refusal.ALREADY_RECALLED,
    Message("This lot is already recalled; nothing more needs to be done."),
)
NOT_RECALLED = ReportRejection(
    "lot",
    Refusal.NOT_RECALLED,
    Message("This lot is not recalled; there is nothing to lift. Please compare its number with the label."),
)
NO_REASON = ReportRejection(
    "reason",
    Refusal.NO_REASON,
    Message("A recall is lifted only with a reason. Please say in a few words why the lot may be sold again."),
)
WITHDRAWN = ReportRejection(
    "lot",
    Refusal.WITHDRAWN,
    Message("The report of this lot was withdrawn, so there is no such lot. Please record its pieces as a new lot."),
)
PROMISED = ReportRejection(
    "lot",
    Refusal.PROMISED,
    Message(
        "Pieces of this lot are reserved or were sent, so its report stays. Please correct it, or recall the lot."
    ),
)
DAY_FULL = ReportRejection(
    "made_on",
    Refusal.DAY_FULL,
    Message("All lot numbers of this product for this day are used up. Please put the pieces into one larger lot."),
)
ID_REUSED = ReportRejection(
    "id",
    Refusal.ID_REUSED,
    Message("Another terminal has sent a report with this id. Please enter it again as a new report."),
)


def too_large(field: str, max_qty: int, unit: str) -> ReportRejection:
    """The rejection of a quantity above the product's limit."""
    return ReportRejection(
        field,
        Refusal.TOO_LARGE,
        Message(
            "More than {most} ({unit}) of this product at once looks like a typing error. If it is right, "
            "report it in parts.",
            most=max_qty,
            unit=unit,
        ),
    )


def beyond_shelf_life(days: int) -> ReportRejection:
    """The rejection of a best-before day after the product's shelf life."""
    return ReportRejection(
        "best_before",
        Refusal.BEYOND_SHELF_LIFE,
        Message(
            "This product keeps for {days} days; the best-before day is later. Leave it out to have it worked out.",
            days=days,
        ),
    )
