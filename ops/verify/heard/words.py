"""One event as it was read from a topic, and small sums of such events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json

Json: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = tuple[str, str]
Triple: TypeAlias = tuple[str, str, str]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Word:
    """One event: `type` without its version, `source` and `id` as its headers have them, `cause` the id of the event
    that made its writer say it."""

    type: str
    source: str
    id: str
    cause: str
    value: bytes

    @property
    def json(self) -> Json:
        """The body as plain JSON: what services write was checked against its model when it was made."""
        body: Json = from_json(self.value)
        return body


@dataclass(slots=True)
class Sum:
    """Pieces and rupiah."""

    qty: int = 0
    rupiah: int = 0

    def add(self, qty: int, rupiah: int) -> None:
        self.qty += qty
        self.rupiah += rupiah

    @property
    def both(self) -> tuple[int, int]:
        return self.qty, self.rupiah


def keep_last(known: dict[K, Json], key: K, body: Json) -> None:
    """Of two bodies the one with the higher revision stays."""
    if key not in known or known[key]["revision"] < body["revision"]:
        known[key] = body
