"""Counts of what arrived, compared with what was sent."""

from collections.abc import Iterable, Mapping, Sequence

from services.festival.domain.command import Rejection, first_names
from shared.events import lot_number
from shared.events.festival import CommandRefusal, CountedLot, Discrepancy
from shared.events.language import MAX_QTY


def check_counted_once(field: str, counted: Sequence[CountedLot]) -> Rejection | None:
    """The rejection of a count that names a lot twice, or more pieces of a lot than there can be."""
    if len({entry.lot for entry in counted}) < len(counted):
        return Rejection(field, CommandRefusal.NAMED_TWICE, "A lot is counted twice; give one number for each lot.")
    if any(entry.qty > MAX_QTY for entry in counted):
        return Rejection(field, CommandRefusal.OUT_OF_RANGE, f"At most {MAX_QTY} pieces of a lot can be counted.")
    return None


def check_arrival(
    what: str, sent: Mapping[str, int], counted: Sequence[CountedLot], *, lose_unnamed: bool
) -> Rejection | None:
    """The rejection of a count of `what`, e.g. `shipment S1`: a lot that it did not have, or a lot left out."""
    if (rejection := check_counted_once("counted", counted)) is not None:
        return rejection
    named = {entry.lot for entry in counted}
    foreign = [entry.lot for entry in counted if entry.lot not in sent]
    if foreign:
        message = f"There is no lot {first_names(foreign)} in {what}. It has {_lots(sent)}. {_advice(foreign[0])}"
        return Rejection("counted", CommandRefusal.UNKNOWN_LOT, message)
    unnamed = {lot: qty for lot, qty in sent.items() if lot not in named}
    if unnamed and not lose_unnamed:
        message = (
            f"Not counted of {what}: {_lots(unnamed)}. Count them, or say that what is not named is lost "
            "(lose_unnamed)."
        )
        return Rejection("lose_unnamed", CommandRefusal.MISSING, message)
    return None


def compare_counts(
    sent: Mapping[str, int], counted: Sequence[CountedLot]
) -> tuple[dict[str, int], tuple[Discrepancy, ...]]:
    """The pieces by lot that are stocked, never more than were sent, and the discrepancies of the count.

    An uncounted lot counts as 0.
    """
    count = {entry.lot: entry.qty for entry in counted}
    return {lot: min(qty, count.get(lot, 0)) for lot, qty in sent.items()}, discrepancies(sent, count)


def discrepancies(sent: Mapping[str, int], counted: Mapping[str, int]) -> tuple[Discrepancy, ...]:
    """The lots whose count differs from the pieces sent."""
    return tuple(
        Discrepancy(lot=lot, sent=sent.get(lot, 0), counted=counted.get(lot, 0))
        for lot in sorted(sent.keys() | counted.keys())
        if sent.get(lot, 0) != counted.get(lot, 0)
    )


def counted_lots(lots: Iterable[tuple[str, int]]) -> tuple[CountedLot, ...]:
    """The lots in the form of events."""
    return tuple(CountedLot(lot=lot, qty=qty) for lot, qty in lots)


def wrong_booth(what: str, goes_to: str, counted_at: str, reason: CommandRefusal) -> Rejection:
    """The rejection of a count at a booth that the goods were not sent to, with the way out."""
    message = (
        f"{what[:1].upper()}{what[1:]} goes to booth {goes_to}, not to {counted_at}. If the goods are at "
        f"{counted_at}, receive them at {goes_to} as sent, then transfer them from {goes_to} to {counted_at}."
    )
    return Rejection("booth", reason, message)


def _lots(lots: Mapping[str, int]) -> str:
    return first_names([f"{lot} ({qty} sent)" for lot, qty in lots.items()])


def _advice(lot: str) -> str:
    if lot_number.parse(lot) is None:
        return f"{lot} is no lot number: compare it with the label."
    return "If it did come, receive the others, then recount with it."
