"""Messages: templates with values, in English and Indonesian."""

from collections.abc import Iterator

import pytest

from shared.errors import UnknownLanguage
from shared.translation import Language, language_of, received, tr, translated, use_language
from shared.wording import Message, message_of

LAST_DAY = "The last day comes before the first."


@pytest.fixture(autouse=True)
def indonesian() -> Iterator[None]:
    use_language(Language.INDONESIAN)
    yield
    use_language(None)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "id"),
        ({"LANG": "C.UTF-8"}, "id"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id_ID.UTF-8", "KARYA_LANG": "EN"}, "en"),
        ({"LANG": "en_GB.UTF-8", "KARYA_LANG": ""}, "en"),
    ],
)
def test_the_language_is_the_chosen_one_else_that_of_the_locale_else_indonesian(
    environment: dict[str, str], language: str
) -> None:
    assert language_of(environment) == language


def test_an_unknown_language_is_refused_in_both() -> None:
    with pytest.raises(UnknownLanguage, match=r"pilih id atau en\. .* choose id or en"):
        language_of({"KARYA_LANG": "fr"})


def test_a_message_is_translated_with_its_values_and_words() -> None:
    message = Message(
        "Booth {booth} is {status:word}; this is possible only while it is open.", booth="B1", status="closing"
    )
    assert str(message) == "Booth B1 is closing; this is possible only while it is open."
    assert translated(message) == "Stan B1 sedang ditutup; ini hanya dapat dilakukan selama stan dibuka."


def test_a_message_among_the_values_is_translated_too() -> None:
    message = Message("{field}: {reason}", field="qty", reason=Message("It must be at least {least}.", least=1))
    assert (str(message), translated(message)) == ("qty: It must be at least 1.", "qty: Sekurang-kurangnya 1.")
    assert message_of(message.template, message.plain_values) == message
    assert received(str(message), "{field}: {reason}", message.plain_values) == str(message), "no such template"


def test_a_text_that_comes_in_both_languages_is_shown_in_the_readers() -> None:
    assert tr("{booth}: {why}.", booth="B1", why="too late", why_id="terlambat") == "B1: terlambat."
    use_language(Language.ENGLISH)
    assert tr("{booth}: {why}.", booth="B1", why="too late", why_id="terlambat") == "B1: too late."


@pytest.mark.parametrize(("qty", "text"), [(1, "1 piece, 1.000, Rp2.500"), (3, "3 pieces, 1.000, Rp2.500")])
def test_numbers_have_formats(qty: int, text: str) -> None:
    assert tr("{qty:piece|pieces}, {all:thousands}, {sum:rupiah}", qty=qty, all=1000, sum=2500) == text


def test_an_event_of_another_version_is_shown_in_english() -> None:
    assert received(LAST_DAY, LAST_DAY, {}) == "Hari terakhir mendahului hari pertama."
    assert received("Something {new}.", "Something {new}.", {}) == "Something {new}."
    # Its values do not fit the template that is known here.
    template = "{festival} has no booth {booth}."
    assert received("ODOP has no booth B1.", template, {"festival": "ODOP"}) == "ODOP has no booth B1."


def test_a_value_is_never_taken_for_a_template() -> None:
    assert tr("{text}: {other}", text="{other}", other="{text.__class__}") == "{other}: {text.__class__}"
    assert received("x", LAST_DAY + "{a.__class__}", {"a": 1}) == "x"
