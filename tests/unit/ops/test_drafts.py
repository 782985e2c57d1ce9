"""A mended body: what may be changed, and what is refused with a sentence that helps."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.drafts import draft
from ops.letters import Letter
from shared import envelope
from shared.errors import NotMendable
from shared.events.inventory import INVENTORY
from shared.events.production import TERMINAL, ProductionReported
from shared.events.sales import TILL, ReceiptIssued
from tests.support.letters import REPORT, a_letter

pytestmark = pytest.mark.unit

RECEIPT = (
    b'{"booth":"ODOP.B07","till":"T1","device":"d1","seq":3,"previous":"r2","sold_at":"2026-04-18T02:30:00Z",'
    b'"price_list":1,"payment":{"kind":"cash"},'
    b'"lines":[{"line":1,"lot":null,"product":"KTI","qty":"many","unit_price_rupiah":250000}]}'
)


def refusal(letter: Letter, *edits: str, **options: Any) -> str:
    with pytest.raises(NotMendable) as refused:
        draft(letter, edits, **options)
    return str(refused.value)


def test_a_field_is_given_anew_and_the_others_stay() -> None:
    result = draft(a_letter(), ["qty=1.200"])
    assert result.body == ProductionReported(
        facility="PR-KPG", terminal="T1", product="KTI", qty=1200, made_on=date(2026, 4, 17), maker="p.mazcrdi4ewgq"
    )
    assert result.changed == ("qty",)


def test_a_field_without_a_value_is_taken_out() -> None:
    result = draft(a_letter(), ["qty=12", "maker="])
    assert isinstance(result.body, ProductionReported)
    assert result.body.maker is None
    assert result.changed == ("qty", "maker")


def test_a_field_inside_a_list_is_named_by_its_place() -> None:
    result = draft(a_letter(RECEIPT, topic=TILL, key=b"ODOP.B07"), ["lines.0.qty=2"])
    assert isinstance(result.body, ReceiptIssued)
    assert result.body.lines[0].qty == 2
    assert result.changed == ("lines",)


def test_digits_in_a_field_of_text_stay_text() -> None:
    result = draft(a_letter(), ["qty=3", "terminal=007"])
    assert isinstance(result.body, ProductionReported)
    assert result.body.terminal == "007"


def test_a_whole_body_replaces_what_can_not_be_read() -> None:
    whole = REPORT.replace(b'"12"', b"12")
    result = draft(a_letter(b'{"facility":'), body=whole)
    assert envelope.encode(result.body) == envelope.encode(ProductionReported.model_validate_json(whole))
    assert set(result.changed) == {"facility", "terminal", "product", "qty", "made_on", "maker"}


def test_the_key_must_be_that_of_the_record_unless_it_is_said_to_be_wrong() -> None:
    wrong = "The body's facility is LP-KPG, and the record's key is PR-KPG."
    assert refusal(a_letter(), "qty=12", "facility=LP-KPG").startswith(wrong)
    assert "--key LP-KPG" in refusal(a_letter(), "qty=12", "facility=LP-KPG")
    assert draft(a_letter(), ["qty=12", "facility=LP-KPG"], key="LP-KPG").topic is TERMINAL
    assert "the record has no key" in refusal(a_letter(key=None), "qty=12")


def test_the_event_is_named_if_the_letter_does_not_say_it() -> None:
    silent = a_letter(type="")
    assert refusal(silent, "qty=12").startswith("The letter does not say which event it is. Say --type with one")
    assert refusal(a_letter(type="Made.v9"), "qty=12").startswith(
        "Made.v9 is no event of karya.terminal.production.v1."
    )
    assert draft(silent, ["qty=12"], type="ProductionReported").changed == ("qty",)


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ([], "qty: It must be a whole number."),
        (["qty=many"], "qty: It must be a whole number."),
        (["qty=1.25"], "qty: It must be a whole number. '1.25' was understood as 1 and a fraction"),
        (["qty=12", "made_on=18.4.2026"], "made_on: It must be a day, as year, month and day, e.g. 2026-04-18."),
        (["qty=12", "product="], "product: This field is missing."),
        (["qty=12", "amount=3"], "ProductionReported.v1 has no field amount. It has: facility, terminal, product,"),
        (["qty"], "'qty' is no FIELD=VALUE, e.g. qty=12."),
        (["lines.0.qty=3"], "The body has no lines.0.qty"),
        (["product=[", "product.0=1"], "The body has no product.0"),
    ],
    ids=str,
)
def test_a_wrong_body_is_refused_with_what_is_wrong(edits: list[str], sentence: str) -> None:
    assert refusal(a_letter(), *edits).startswith(sentence)


def test_no_sentence_repeats_a_value_of_the_letter() -> None:
    assert "p.mazcrdi4ewgq" not in refusal(a_letter(), "product=")


def test_a_field_that_stands_twice_needs_a_whole_body() -> None:
    assert refusal(a_letter(b'{"qty":1,"qty":-1}'), "qty=1").startswith("qty stands twice in the body.")
    twice = REPORT.replace(b'"qty":"12"', b'"qty":12,"qty":13')
    assert refusal(a_letter(), body=twice).startswith("qty stands twice in the body.")


@pytest.mark.parametrize("value", [None, b"", b"[1]", b'{"facility":', b"\xff"])
def test_without_an_object_there_is_nothing_to_edit(value: bytes | None) -> None:
    assert refusal(a_letter(value), "qty=1").startswith("The body of this letter is no JSON object.")


def test_nobody_speaks_for_a_service() -> None:
    sentence = refusal(a_letter(topic=INVENTORY, key=b"L1", type="StockChanged.v1"), "on_hand=1")
    assert sentence.startswith("Only inventory may write karya.inventory.v1, so no person can publish a copy there.")


INNER = st.sampled_from(["qty", "lines", "0", "made_on"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(INNER, part),
    max_leaves=5,
)
FIELDS = st.dictionaries(st.sampled_from(["facility", "terminal", "product", "qty", "made_on", "maker", "x"]), JSON)
RIGHT = (
    "qty=3",
    "qty=1.000",
    "facility=PR-KPG",
    "terminal=1",
    "product=K",
    "made_on=2026-04-17",
    "maker=",
    "maker=m",
)
ODD = ("qty=", "qty.0=1", "qty=[", "qty.-1=2", "x.y=1", "=", "=3", "..=1", "made_on=", "maker=null", "qty=1e9", "0=1")
EDITS = st.lists(st.sampled_from(RIGHT) | st.sampled_from(ODD) | st.text(max_size=8), max_size=4)


@given(FIELDS | JSON, EDITS, st.booleans())
def test_whatever_is_entered_is_a_usable_copy_or_a_sentence(value: Any, edits: list[str], mostly_right: bool) -> None:
    letter = a_letter(json.dumps(value).encode())
    sentence = None
    try:
        result = draft(letter, [*edits, *(RIGHT if mostly_right else ())])
    except NotMendable as refused:
        sentence = str(refused)
    if sentence is not None:
        assert sentence
        assert "Input should" not in sentence
        return
    assert TERMINAL.key_of(result.body) == "PR-KPG"
    assert TERMINAL.by_type["ProductionReported.v1"].model_validate_json(envelope.encode(result.body)) == result.body
