"""Duplicate names in JSON objects. They are refused, because readers differ in which value they take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from shared.wording import Message

NAME_TWICE = Message("This name comes twice in the same object.")

# The types of most fields.
_PLAIN = frozenset({str, int, bool, type(None), date, datetime, AwareDatetime})

Place: TypeAlias = tuple[str | int, ...]


class _ComesTwice(Exception):
    """Ends the quick check at the first duplicate."""


@dataclass(frozen=True, slots=True)
class _Twice:
    """Stands for an object, with the name that came again."""

    name: str


def names_in(body: BaseModel) -> int:
    """The number of names in the JSON of this body that its models know, each once per object."""
    names = len(body.__pydantic_fields_set__)
    for field in _holding_models(type(body)):
        value = getattr(body, field)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, BaseModel):
                names += names_in(item)
    return names


@cache
def _holding_models(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields whose type may hold a model."""
    return tuple(name for name, field in model.model_fields.items() if not _plain(field.annotation))


def _plain(annotation: Any) -> bool:
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        parts = parts[:1]
    if parts:
        return all(_plain(part) for part in parts if part is not ...)
    return annotation in _PLAIN or (isinstance(annotation, type) and issubclass(annotation, Enum))


def each_once(value: bytes, names: int) -> bool:
    """True if certainly no name comes twice in this JSON, which has `names` different ones.

    Every name ends in a quote before a colon, with at most white space between them. Without white space there are no
    more names than such places. This costs a fraction of parsing, and is False for much valid JSON.
    """
    spaced = b'" ' in value or b"\n" in value or b"\r" in value or b"\t" in value
    return not spaced and value.count(b'":') <= names


def name_twice(value: bytes) -> Place | None:
    """The place of the first duplicate name, at any depth and however it is escaped, or None.

    `value` must be valid JSON. Raises ValueError otherwise.
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
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    for name, _ in pairs:
        if name not in members:
            return _Twice(name)
        del members[name]
    raise AssertionError("no name came twice")


def _place(part: Any) -> Place | None:
    if isinstance(part, _Twice):
        return (part.name,)
    members = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return next(((at, *place) for at, inner in members if (place := _place(inner)) is not None), None)


# Numbers stay text: Python refuses to parse the longest.
_QUICK = json.JSONDecoder(object_pairs_hook=_checked, parse_int=str, parse_float=str)
_WHOLE = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str)
