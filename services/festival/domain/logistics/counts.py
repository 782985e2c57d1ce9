"""Counts of what arrived, compared with what was sent."""

from collections.abc import Iterable, Mapping, Sequence

from services.festival.domain.command import Rejection
from shared.events import lot_number
from shared.events.festival import CommandRefusal, CountedLot, Discrepancy
from shared.events.language import MAX_QTY
from shared.wording import Message

MOST_SHOWN = 5


def check_counted_once(field: str, counted: Sequence[CountedLot]) -> Rejection | None:
    """The rejection of a count that names a lot twice, or more pieces of a lot than there can be."""
    if len({entry.lot for entry in counted}) < len(counted):
        message = Message("A lot is counted twice; give one number for each lot.")
        return Rejection(field, CommandRefusal.NAMED_TWICE, message)
    if any(entry.qty > MAX_QTY for entry in counted):
        message = Message("At most {most} pieces of a lot can be counted.", most=MAX_QTY)
        return Rejection(field, CommandRefusal.OUT_OF_RANGE, message)
    return None


def check_arrival(
    arrival: str, sent: Mapping[str, int], counted: Sequence[CountedLot], *, lose_unnamed: bool
) -> Rejection | None:
    """The rejection of a first count of a shipment or transfer: a lot that it did not have, or a lot left out."""
    if (rejection := check_counted_once("counted", counted)) is not None:
        return rejection
    named_lots = {entry.lot for entry in counted}
    foreign = next((entry.lot for entry in counted if entry.lot not in sent), None)
    if foreign is not None:
        return Rejection("counted", CommandRefusal.UNKNOWN_LOT, _not_in(arrival, sent, foreign))
    unnamed = {lot: qty for lot, qty in sent.items() if lot not in named_lots}
    if unnamed and not lose_unnamed:
        message = Message(
            "Not counted of {arrival}: {lots}. Count them, or say that what is not named is lost: `--yes`, or "
            "`lose_unnamed` over HTTP.",
            arrival=arrival,
            lots=_lots(unnamed),
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


def wrong_booth(arrival: str, goes_to: str, counted_at: str, reason: CommandRefusal) -> Rejection:
    """The rejection of a count at a booth that the goods were not sent to, with the way out."""
    message = Message(
        "{arrival} goes to booth {booth}, not to {other}. If the goods are at {other}, receive them at {booth} as "
        "sent, then transfer them from {booth} to {other}.",
        arrival=arrival,
        booth=goes_to,
        other=counted_at,
    )
    return Rejection("booth", reason, message)


def _not_in(arrival: str, sent: Mapping[str, int], lot: str) -> Message:
    if lot_number.parse(lot) is None:
        return Message(
            "There is no lot {lot} in {arrival}: it has {lots}. {lot} is no lot number; compare it with the label.",
            lot=lot,
            arrival=arrival,
            lots=_lots(sent),
        )
    return Message(
        "There is no lot {lot} in {arrival}: it has {lots}. If it did come, receive the others, then recount with "
        "it.",
        lot=lot,
        arrival=arrival,
        lots=_lots(sent),
    )


def _lots(lots: Mapping[str, int]) -> str:
    """The first lots as people type counts, e.g. `PR-KPG-KTI-230418-007-4=20`."""
    assignments = [f"{lot}={qty}" for lot, qty in lots.items()]
    return ", ".join(assignments[:MOST_SHOWN]) + (", …" if len(assignments) > MOST_SHOWN else "")
