"""Each fault of a mended body is said in a sentence of Karya's, and never in the validator's words."""

from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from ops import faults
from shared.events.language import Body, Day, Id, PriceRupiah, Qty, Text, Typed, Utc
from shared.events.sales import PaymentKind

pytestmark = pytest.mark.unit


class Part(Body):
    qty: Qty


class Whole(Body):
    id: Id = "L1"
    typed: Typed = "KTI"
    text: Text = ""
    price: PriceRupiah = 0
    at: Utc | None = None
    day: Day | None = None
    kind: PaymentKind = PaymentKind.CASH
    yes: bool = False
    parts: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"parts": [{}]}, "parts.0.qty is missing. Give parts.0.qty=VALUE."),
        ({"parts": [{"qty": "3"}]}, "parts.0.qty must be a whole number."),
        ({"parts": [{"qty": 1.5}]}, "parts.0.qty must be a whole number."),
        ({"parts": [{"qty": 0}]}, "parts.0.qty must be at least 1."),
        ({"parts": [3]}, "parts.0 must be an object."),
        ({"parts": 3}, "parts must be a list."),
        ({"price": 2_000_000_000}, "price must be at most 1000000000."),
        (
            {"id": ""},
            "id: It has at most 120 letters, digits, '.', '_', ':', '/' and '-', and begins with a letter or",
        ),
        ({"id": 3}, "id must be text."),
        ({"typed": "\x07"}, "typed: It has a form or a character that can't stand here."),
        ({"typed": ""}, "typed must not be empty."),
        ({"text": "x" * 501}, "text has more than 500 characters."),
        ({"at": "soon"}, "at must be a time with its distance from UTC, e.g. 2026-04-18T08:05:00Z."),
        ({"at": "2026-04-18T08:05:00"}, "at must be a time with its distance from UTC, e.g. 2026-04-18T08:05:00Z."),
        ({"at": "1600-04-18T08:05:00Z"}, "at: outside the years 1970 to 2099."),
        ({"day": "18.4.2026"}, "day must be a day, e.g. 2026-04-18."),
        ({"kind": "beads"}, "kind must be one of 'cash'"),
        ({"yes": "no"}, "yes must be true or false."),
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_fault_is_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        Whole.model_validate_json(to_json(fields))
    said = faults.sentence(wrong.value.errors(include_url=False, include_input=False)[0])
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert "Input should" not in said
