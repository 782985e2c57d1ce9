"""Names in JSON objects: one that comes twice is refused, for every reader would take another of its values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

NAME_TWICE = "This name comes twice in the same object."

# What most fields hold.
_PLAIN = frozenset({str, int, bool, type(None), date, datetime, AwareDatetime})

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
    for field in _holding_models(type(body)):
        held = getattr(body, field)
        for item in held if isinstance(held, tuple) else (held,):
            if isinstance(item, BaseModel):
                names += names_in(item)
    return names


@cache
def _holding_models(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields whose type is not one of those that surely hold no model."""
    return tuple(name for name, field in model.model_fields.items() if not _plain(field.annotation))


def _plain(annotation: Any) -> bool:
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        parts = parts[:1]
    if parts:
        return all(_plain(part) for part in parts if part is not ...)
    return annotation in _PLAIN or (isinstance(annotation, type) and issubclass(annotation, Enum))


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
