"""How the id of an event follows from what caused it: the same at every redo, so that copies can be told.

Each derivation has a number. A lane and its journal keep the number that each batch was worked with, so that a
rebuild makes the ids of that time.
"""

from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from shared.errors import UnknownVersion
from shared.events.ids import named_uuid

# The id of the event at an index of what a cause brought about on a topic.
Derivation: TypeAlias = Callable[[str, str, int], str]

_NAMESPACE = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff").bytes


def _by_name(cause: str, topic: str, index: int) -> str:
    return named_uuid(_NAMESPACE, f"{cause}\n{topic}\n{index}")


DERIVATIONS: dict[int, Derivation] = {1: _by_name}
# The number of lanes and journals that were written before they had one.
FIRST = 1
CURRENT = 1


def derivation(number: int) -> Derivation:
    """The derivation with this number. Raises UnknownVersion for a number of a newer Karya."""
    known = DERIVATIONS.get(number)
    if known is None:
        raise UnknownVersion(
            f"Ids were derived in way {number}, and this Karya knows {', '.join(map(str, DERIVATIONS))}: "
            "use the newer one."
        )
    return known


def derived_id(cause: str, topic: str, index: int) -> str:
    """The id, by the current derivation, of the event at `index` of what `cause` brought about on `topic`."""
    return DERIVATIONS[CURRENT](cause, topic, index)


def derived_ids(cause: str, topic: str, index: int) -> tuple[str, ...]:
    """The id by every derivation, the current one first: for readers of logs that may be older."""
    return tuple([DERIVATIONS[number](cause, topic, index) for number in sorted(DERIVATIONS, reverse=True)])
