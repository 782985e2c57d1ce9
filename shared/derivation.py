"""Deterministic event ids: a redo derives the same id from the same cause, so that readers recognise copies.

Each derivation has a number. A lane and its journal keep the number of each batch, so that a rebuild derives the ids
of that time.
"""

from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from shared.errors import UnknownVersion
from shared.events.ids import named_uuid

# The id of the event at an index among the events of a cause on a topic.
Derivation: TypeAlias = Callable[[str, str, int], str]

_NAMESPACE = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff").bytes


def _by_name(cause: str, topic: str, index: int) -> str:
    return named_uuid(_NAMESPACE, f"{cause}\n{topic}\n{index}")


DERIVATIONS: dict[int, Derivation] = {1: _by_name}
# The number of lanes and journals without a number.
FIRST = 1
CURRENT = 1


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
    """The id, by the current derivation, of the event at `index` among the events of `cause` on `topic`."""
    return DERIVATIONS[CURRENT](cause, topic, index)


def derived_ids(cause: str, topic: str, index: int) -> tuple[str, ...]:
    """The id by every derivation, the newest first, for readers of logs."""
    return tuple([DERIVATIONS[number](cause, topic, index) for number in sorted(DERIVATIONS, reverse=True)])
