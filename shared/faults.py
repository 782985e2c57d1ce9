"""Sentences for people about values that a model refuses, in place of the validator's own words."""

import re
from collections.abc import Mapping
from typing import Any

from shared.events.language import ID_PATTERN
from shared.wording import Message, WrongValue, any_of

_BETWEEN_CHOICES = re.compile(", | or ")
_JSON_PLACE = re.compile(r"line ([0-9]+) column ([0-9]+)")
_NUMBER = Message("It must be a whole number.")
_DAY = Message("It must be a day, as year, month and day, e.g. 2026-04-18.")
_MOMENT = Message("It must be a point in time with its distance from UTC, e.g. 2026-04-18T08:05:00+08:00.")
_TEXT = Message("It must be a text.")
_LIST = Message("It must be a list.")
_YES_OR_NO = Message("It must be true or false.")
_OBJECT = Message("It must be an object with named fields.")

_BY_KIND: Mapping[str, Message] = {
    "missing": Message("This field is missing."),
    "extra_forbidden": Message("This field does not exist."),
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "float_type": Message("It must be a number."),
    "float_parsing": Message("It must be a number."),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": _MOMENT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "json_invalid": Message("It is no valid JSON."),
    "path_type": Message("It must be the path of a file or folder."),
}
_NOT_VALID = Message("This value is not valid.")


def fault_message(detail: Mapping[str, Any]) -> Message:
    """The sentence for one error of a validation, as `ValidationError.errors()` lists them."""
    kind = str(detail["type"])
    bounds: Mapping[str, Any] = detail.get("ctx", {})
    match kind:
        case "greater_than_equal":
            return Message("It must be at least {least}.", least=_number(bounds["ge"]))
        case "less_than_equal":
            return Message("It must be at most {most}.", most=_number(bounds["le"]))
        case "string_too_short" | "too_short":
            return Message("It is too short: at least {least} are needed.", least=int(bounds["min_length"]))
        case "string_too_long" | "too_long":
            return Message("It is too long: at most {most} are possible.", most=int(bounds["max_length"]))
        case "enum" | "literal_error":
            choices = _BETWEEN_CHOICES.split(str(bounds["expected"]).replace("'", ""))
            return Message("It must be one of {choices}.", choices=any_of(choices))
        case "string_pattern_mismatch" if bounds["pattern"] == ID_PATTERN:
            return Message(
                "It has at most 120 letters, digits, '.', '_', ':', '/' and '-', and begins with a letter or digit."
            )
        case "string_pattern_mismatch":
            return Message("It has characters that are not possible here.")
        case "unknown_filter" if bounds["known"]:
            return Message("This page has no such parameter. It has {known}.", known=str(bounds["known"]))
        case "unknown_filter":
            return Message("This page has no parameters.")
        case "value_error":
            error = bounds.get("error")
            return error.message if isinstance(error, WrongValue) else _NOT_VALID
    return _BY_KIND.get(kind, _NOT_VALID)


def not_json(error: ValueError) -> Message:
    """The sentence about a body that the JSON parser refused with this error."""
    if (match := _JSON_PLACE.search(str(error))) is None:
        return Message("The body is not JSON.")
    return Message("The body is not JSON: see line {line}, column {column}.", line=match[1], column=match[2])


def fault_sentence(detail: Mapping[str, Any]) -> str:
    """The field of one error of a validation and its sentence, in English, without the value."""
    return f"{'.'.join(map(str, detail['loc'])) or 'body'}: {fault_message(detail).english}"


def value_error(location: tuple[str | int, ...], message: Message) -> dict[str, Any]:
    """An error of a validation, in the form of those of `ValidationError.errors()`."""
    error = WrongValue(message)
    return {"type": "value_error", "loc": location, "msg": str(error), "ctx": {"error": error}}


def _number(bound: Any) -> int | str:
    return bound if isinstance(bound, int) else f"{bound:g}"
