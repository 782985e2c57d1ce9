"""One long event in as many records as it needs, which a reader takes only whole."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, cast

from shared.events.language import MAX_VALUE_BYTES, Body

# Of the rows in a part. The rest of the largest record is for what stands in each part: names and two sentences.
ROW_BYTES = MAX_VALUE_BYTES - 32 * 1024


class Parted(Protocol):
    """An event with the fields that make it a part: part number `part` of `parts`, and the digest of the whole."""

    part: int
    parts: int
    digest: str


B = TypeVar("B", bound=Body)


def in_parts(whole: B, row_bytes: int = ROW_BYTES) -> Iterator[B]:
    """The event in parts whose rows take at most `row_bytes` of JSON each, in the order of the rows.

    The rows are the entries of all fields that are tuples of models. Every other field stands in each part.
    """
    rows = [(name, row) for name in _row_fields(whole) for row in getattr(whole, name)]
    groups: list[dict[str, list[Body]]] = [{}]
    size = 0
    for name, row in rows:
        bytes = len(row.model_dump_json().encode()) + 1
        if size + bytes > row_bytes and groups[-1]:
            groups.append({})
            size = 0
        groups[-1].setdefault(name, []).append(row)
        size += bytes
    sign = _digest(whole)
    for number, group in enumerate(groups, 1):
        update: dict[str, Any] = {name: tuple(group.get(name, ())) for name in _row_fields(whole)}
        yield whole.model_copy(update={**update, "part": number, "parts": len(groups), "digest": sign})


def joined(parts: Sequence[B]) -> B | None:
    """The whole event of these parts, in their order; None unless they are all of it and nothing else."""
    if not parts:
        return None
    first = cast(Parted, parts[0])
    numbers = [(cast(Parted, part).part, cast(Parted, part).parts, cast(Parted, part).digest) for part in parts]
    if numbers != [(number, len(parts), first.digest) for number in range(1, len(parts) + 1)]:
        return None
    update: dict[str, Any] = {
        name: tuple(row for part in parts for row in getattr(part, name)) for name in _row_fields(parts[0])
    }
    whole = parts[0].model_copy(update={**update, "part": 1, "parts": 1, "digest": ""})
    # Events without a digest are older than parts, and whole.
    return whole if first.digest in ("", _digest(whole)) else None


def _row_fields(body: Body) -> Iterable[str]:
    return [
        name
        for name in type(body).model_fields
        if isinstance(value := getattr(body, name), tuple) and all(isinstance(row, Body) for row in value)
    ]


def _digest(whole: Body) -> str:
    # Defaults are left out: a field that the event gains later must not change the digest of older ones.
    value = whole.model_copy(update={"part": 1, "parts": 1, "digest": ""}).model_dump_json(exclude_defaults=True)
    return hashlib.sha256(value.encode()).hexdigest()[:32]
