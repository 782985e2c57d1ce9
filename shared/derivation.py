"""Deterministic event ids: a redo derives the same id from the same cause, so that readers recognise copies.

Each derivation has a number. A lane and its journal keep the number of each batch, so that a rebuild derives the ids
of that time.
"""

from collections.abc import Callable
from hashlib import sha1
from typing import TypeAlias
from uuid import UUID

from shared.errors import UnknownVersion
from shared.events.ids import VARIANT, named_uuid

# The id of the event at an index among the events of one cause, and its span in traces (sixteen hexadecimal digits).
# The first argument is the topic's name without prefix.
Derived: TypeAlias = Callable[[str, int], tuple[bytes, bytes]]
# How the ids of the events of a cause, `<source> <id>`, are derived.
Derivation: TypeAlias = Callable[[str], Derived]

_NAMESPACE = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff").bytes
# The last four digits of an id are the index.
_INDEXES = 0x10000


def named_id(name: str, part: str, number: int) -> str:
    """The id that follows from these three values alone. The derivation in use does not change it."""
    return named_uuid(_NAMESPACE, f"{name}\n{part}\n{number}")


def _by_name(cause: str) -> Derived:
    """One hash for each event: a UUID of version 5."""

    def derived(topic: str, index: int) -> tuple[bytes, bytes]:
        id = named_id(cause, topic, index).encode()
        return id, b"%b%b%b" % (id[:8], id[9:13], id[14:18])

    return derived


def _by_cause(cause: str) -> Derived:
    """One hash for all events of the cause: a UUID of version 8 (RFC 9562), which ends in the index.

    It takes two thirds of the time of the first derivation if the cause has two events.
    """
    raw = sha1(_NAMESPACE + cause.encode(), usedforsecurity=False).hexdigest()
    start = f"{raw[:8]}-{raw[8:12]}-8{raw[13:16]}-{VARIANT[raw[16]]}{raw[17:20]}-{raw[20:28]}".encode()
    span = raw[28:40].encode()

    def derived(topic: str, index: int) -> tuple[bytes, bytes]:
        if index >= _INDEXES:
            # No cause has a line break, so that this is the name of no other one.
            return _by_cause(f"{cause}\n{index // _INDEXES}")(topic, index % _INDEXES)
        end = b"%04x" % index
        return start + end, span + end

    return derived


DERIVATIONS: dict[int, Derivation] = {1: _by_name, 2: _by_cause}
# The number of lanes and journals without a number.
FIRST = 1
CURRENT = 2


def derivation(number: int) -> Derivation:
    """The derivation with this number. Raises UnknownVersion for a number of a newer version."""
    derive = DERIVATIONS.get(number)
    if derive is None:
        raise UnknownVersion(
            f"These ids use derivation {number}, and this version knows {', '.join(map(str, DERIVATIONS))}: "
            "use the newer version."
        )
    return derive


def derived_id(cause: str, topic: str, index: int) -> str:
    """The id, by the current derivation, of the event at `index` among the events of `cause`, which is on `topic`."""
    return DERIVATIONS[CURRENT](cause)(topic, index)[0].decode()


def derived_ids(cause: str, topic: str, index: int) -> tuple[str, ...]:
    """The id by every derivation, the newest first, for readers of logs."""
    return tuple(
        [DERIVATIONS[number](cause)(topic, index)[0].decode() for number in sorted(DERIVATIONS, reverse=True)]
    )
