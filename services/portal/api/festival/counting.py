"""Counts of what came to a booth, as forms send them."""

from collections.abc import Mapping, Sequence

from services.portal.domain.answers import SentLotRow
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

COUNTED = "counted-"


def counted_lots(lots: Sequence[SentLotRow], sent: Mapping[str, str]) -> dict[str, int]:
    """The counted pieces of every lot of an arrival. Raises WrongEntry for a lot that nobody has counted."""
    if sent.get("as_sent") == "yes":
        return {lot.lot: lot.sent for lot in lots}
    texts = {lot.lot: sent.get(f"{COUNTED}{lot.lot}", "").strip() for lot in lots}
    if not all(texts.values()):
        raise WrongEntry(Message("Count every lot, also one of which nothing came: type 0."))
    return {lot: typed.whole(text) for lot, text in texts.items()}


def recounted_lots(lots: Sequence[SentLotRow], sent: Mapping[str, str]) -> dict[str, int]:
    """The whole counts of the lots whose count was wrong, and of one that was not sent. Raises WrongEntry."""
    former = {lot.lot: lot.counted for lot in lots}
    counts = {lot: typed.whole(text) for lot in former if (text := sent.get(f"{COUNTED}{lot}", "").strip())}
    changed = {lot: qty for lot, qty in counts.items() if qty != former[lot]}
    if other := sent.get("other", "").strip():
        changed[typed.lot(other)] = typed.whole(sent.get("other_qty", ""))
    if not changed:
        raise WrongEntry(Message("Type the right count of at least one lot."))
    return changed


def rows_of(counts: Mapping[str, int]) -> list[dict[str, str | int]]:
    """The counts as a command has them."""
    return [{"lot": lot, "qty": qty} for lot, qty in counts.items()]
