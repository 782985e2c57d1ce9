"""One event as read from a topic, and sums of such events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json

Json: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = tuple[str, str]
Triple: TypeAlias = tuple[str, str, str]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event: `type` without its version, `source` and `id` from its headers, `cause`: the id of the event that
    made its writer publish it."""

    type: str
    source: str
    id: str
    cause: str
    value: bytes

    @property
    def json(self) -> Json:
        """The body as plain JSON. The writing service has checked it against its model."""
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
    def pair(self) -> tuple[int, int]:
        return self.qty, self.rupiah


def keep_latest(latest: dict[K, Json], key: K, body: Json) -> None:
    """Keep `body` in `latest` under `key`, unless a body with the same or a higher revision is there."""
    if key not in latest or latest[key]["revision"] < body["revision"]:
        latest[key] = body
