"""Names in JSON objects: one that comes twice is refused, for every reader would take another of its values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from pydantic import BaseModel

NAME_TWICE = "This name comes twice in the same object."

# What most fields hold.
_PLAIN = frozenset({str, int, bool, type(None), datetime})

Place: TypeAlias = tuple[str | int, ...]


class _ComesTwice(Exception):
    """Ends the quick reading."""


@dataclass(frozen=True, slots=True)
class _Twice:
    """Stands for an object, and says which of its names came again."""

    name: str


def names_in(body: BaseModel) -> int:
    """How many names the JSON had that this was read from, as far as its models know them, each once per object."""
    names = len(body.__pydantic_fields_set__)
    for held in body.__dict__.values():
        kind = type(held)
        if kind is tuple:
            for item in held:
                if isinstance(item, BaseModel):
                    names += names_in(item)
        elif kind not in _PLAIN and isinstance(held, BaseModel):
            names += names_in(held)
    return names


def each_once(value: bytes, names: int) -> bool:
    """Whether it is certain that no name comes twice in this JSON, in which `names` different ones were found.

    Every name ends in a quote before a colon, with white space between them at most, so that without any there are
    no more names than such places. A fraction of what reading all of it costs; False for much that is right.
    """
    spaced = b'" ' in value or b"\n" in value or b"\r" in value or b"\t" in value
    return not spaced and value.count(b'":') <= names


def name_twice(value: bytes) -> Place | None:
    """Where the first name is that comes twice in one object, at any depth and however it is escaped, or None.

    `value` is valid JSON. Raises ValueError otherwise.
    """
    text = value.decode()
    try:
        _QUICK.decode(text)
    except _ComesTwice:
        return _place(_WHOLE.decode(text))
    return None


def _checked(pairs: Sequence[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _ComesTwice


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    for name, _ in pairs:
        if name not in found:
            return _Twice(name)
        del found[name]
    raise AssertionError("no name came twice")


def _place(part: Any) -> Place | None:
    if isinstance(part, _Twice):
        return (part.name,)
    held = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return next(((at, *place) for at, inner in held if (place := _place(inner)) is not None), None)


# Numbers stay text: Python refuses to read the longest.
_QUICK = json.JSONDecoder(object_pairs_hook=_checked, parse_int=str, parse_float=str)
_WHOLE = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str)
