"""Sentences for people on the faults of a body, by the kinds of fault that validation names."""

from typing import Any

from pydantic_core import ErrorDetails

from shared.events.language import in_words

_TIME = "must be a time with its distance from UTC, e.g. 2026-04-18T08:05:00Z"
_WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "date_type": "must be a day, e.g. 2026-04-18",
    "date_parsing": "must be a day, e.g. 2026-04-18",
    "date_from_datetime_parsing": "must be a day, e.g. 2026-04-18",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "tuple_type": "must be a list",
    "model_type": "must be an object",
}
_WITH_BOUND = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "must not be empty",
    "enum": "must be one of {expected}",
}


def sentence(fault: ErrorDetails) -> str:
    """What is wrong with a field, and how it must be. Never the value, which may be a person's name."""
    name = ".".join(map(str, fault["loc"])) or "The body"
    kind, context = fault["type"], dict[str, Any](fault.get("ctx", {}))
    if kind == "missing":
        return f"{name} is missing. Give {name}=VALUE."
    if kind in _WORDS:
        return f"{name} {_WORDS[kind]}."
    if kind in _WITH_BOUND:
        return f"{name} {_WITH_BOUND[kind].format(**context)}."
    words = in_words(fault["msg"])
    if kind == "string_pattern_mismatch" and words == fault["msg"]:
        words = "It has a form or a character that can't stand here"
    return f"{name}: {words.removesuffix('.')}."
