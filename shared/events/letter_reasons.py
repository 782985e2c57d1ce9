"""Why a record is a dead letter, as people say it."""

from collections.abc import Mapping

from shared.wording import Message

# A newer service may name another reason.
REASONS: Mapping[str, Message] = {
    "BUG": Message("The rules failed on it. Later records of its key wait."),
    "KEY_PARKED": Message("It came after a record on which the rules failed, and waits for it."),
    "ID_REUSED": Message("Its id belongs to another record."),
    "WRONG_KEY": Message("Its key is not the one that its body names."),
    "NO_VALUE": Message("It has no body."),
    "TOO_LARGE": Message("It is larger than a record may be."),
    "BAD_BODY": Message("Its body is not as this event needs it."),
    "NAME_TWICE": Message("A name stands twice in its body."),
    "BAD_TIME": Message("Its time can't be right."),
    "MISSING_HEADER": Message("A header is missing."),
    "WRONG_SPEC_VERSION": Message("Its envelope has another version."),
    "BAD_ID": Message("Its id has characters that no id has."),
    "UNKNOWN_TYPE": Message("No event of its topic has this name."),
    "UNKNOWN_VERSION": Message("Its event has a version that is not known here."),
}


def sentence_of(reason: str | None) -> Message:
    """The reason of a dead letter, as people say it."""
    return REASONS.get(reason or "") or Message("{text}", text=reason or "")
