"""Lot numbers can be parsed again, and typing errors are detected."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.events.lot_number import MAX_COUNTER, LotNumber, check_character, parse

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHARACTERS = "0123456789" + LETTERS

numbers = st.builds(
    LotNumber,
    st.from_regex(r"[A-Z]{2}-[A-Z]{3}", fullmatch=True),
    st.from_regex(r"[A-Z]{3}", fullmatch=True),
    st.dates(date(2020, 1, 1), date(2099, 12, 31)),
    st.one_of(st.integers(1, 1500), st.integers(1, MAX_COUNTER)),
)


def test_check_character_of_a_published_example() -> None:
    # The example of the Global Release Identifier standard, which uses ISO/IEC 7064 MOD 37,36.
    assert check_character("A12425GABC1234002") == "M"


def test_a_number_reads_as_facility_product_day_counter_check() -> None:
    assert str(LotNumber("PR-KPG", "KTI", date(2023, 4, 18), 7)) == "PR-KPG-KTI-230418-007-4"
    assert str(LotNumber("PR-KPG", "KTI", date(2023, 4, 18), 1234)).startswith("PR-KPG-KTI-230418-1234-")


@given(numbers)
def test_every_number_reads_back(number: LotNumber) -> None:
    assert parse(str(number)) == number


@given(numbers, st.data())
def test_case_separators_and_look_alikes_do_not_matter(number: LotNumber, data: st.DataObject) -> None:
    bare = str(number).replace("-", "")
    body, check = bare[:-1], bare[-1]
    alike = {"0": "0Oo", "O": "0Oo", "1": "1Iil", "I": "1Ii"}
    typed = "".join(
        data.draw(st.sampled_from(list(alike.get(character, character + character.lower()))))
        + data.draw(st.sampled_from(["", " ", "-", "–"]))
        for character in body
    )
    assert parse(typed + data.draw(st.sampled_from([check, check.lower()]))) == number


@given(numbers, st.data())
def test_one_wrong_character_is_never_another_lot(number: LotNumber, data: st.DataObject) -> None:
    typed = str(number).replace("-", "")
    at = data.draw(st.integers(0, len(typed) - 1))
    replacement = data.draw(st.sampled_from(CHARACTERS))
    assert parse(typed[:at] + replacement + typed[at + 1 :]) in (None, number)


@given(numbers, st.data())
def test_one_wrong_check_character_is_shown(number: LotNumber, data: st.DataObject) -> None:
    typed = str(number)
    replacement = data.draw(st.sampled_from([c for c in CHARACTERS if c != typed[-1]]))
    assert parse(typed[:-1] + replacement) is None


@given(numbers, st.data())
def test_a_swap_is_another_lot_only_where_the_scheme_is_blind(number: LotNumber, data: st.DataObject) -> None:
    typed = str(number).replace("-", "")
    at = data.draw(st.integers(0, len(typed) - 2))
    first, second = typed[at], typed[at + 1]
    read = parse(typed[:at] + second + first + typed[at + 2 :])
    if read not in (None, number):
        assert _blind(typed[:at], first, second)


def test_swaps_pass_seldom() -> None:
    misses = swaps = 0
    for counter in range(1, 1000):
        typed = str(LotNumber("PR-KPG", "KTI", date(2023, 4, 18), counter)).replace("-", "")
        for at in range(len(typed) - 1):
            first, second = typed[at], typed[at + 1]
            if first != second:
                swaps += 1
                read = parse(typed[:at] + second + first + typed[at + 2 :])
                misses += read is not None and str(read).replace("-", "") != typed
    assert misses / swaps < 0.01


def _blind(before: str, first: str, second: str) -> bool:
    """Whether MOD 37,36 gives the same for `left right` and `right left` after `before`: once in 36 states
    of two characters that follow each other in the alphabet."""
    product = 36
    for character in before:
        product = ((product + CHARACTERS.index(character)) % 36 or 36) * 2 % 37
    low, high = sorted((CHARACTERS.index(first), CHARACTERS.index(second)))
    return high - low == 1 and (product + low) % 36 == 18


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(typed: str) -> None:
    number = parse(typed)
    assert number is None or parse(str(number)) == number
