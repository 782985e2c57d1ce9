"""The mark of a record tells it from any other that may lie at its place."""

from dataclasses import replace
from typing import Any

import pytest

from shared.runtime.witness import mark
from tests.support.records import a_record

RECORD = a_record(offset=7)


@pytest.mark.parametrize(
    "other",
    [
        {"offset": 8},
        {"timestamp": RECORD.timestamp + 1},
        {"key": b"another"},
        {"key": None},
        {"value": RECORD.value + b" "},
        {"value": None},
        {"key": RECORD.key + RECORD.value[:1], "value": RECORD.value[1:]},
    ],
)
def test_another_record_has_another_mark(other: dict[str, Any]) -> None:
    assert mark(replace(RECORD, **other)) != mark(RECORD)


def test_no_key_is_not_an_empty_one() -> None:
    assert mark(replace(RECORD, key=None)) != mark(replace(RECORD, key=b""))


def test_the_same_record_has_the_same_mark_whatever_its_headers_look_like() -> None:
    # A header's name that is not text is spelled out on reading.
    assert mark(replace(RECORD, headers=())) == mark(RECORD)
