"""What a person typed is read as Indonesians write it, or refused; never taken for another number."""

from collections.abc import Callable
from datetime import date, time

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cli import parameters
from shared import typed
from shared.errors import BadSettings, WrongEntry
from shared.events.language import MAX_WHOLE
from shared.events.lot_number import LotNumber
from shared.settings import Settings
from shared.shown import rupiah, thousands
from tests.support.examples import examples

pytestmark = pytest.mark.unit

LOT = str(LotNumber("PR-KPG", "KTI", date(2023, 4, 18), 7))
NUMBERS = st.integers(0, MAX_WHOLE)
# What people type, and what looks like it: signs, marks, digits of other scripts, spaces, words.
LOOKALIKES = st.text(st.sampled_from("0123456789..,,-+ _eERrpPbk'\u00a0\u0663\uff11\u00b2\u2212"), max_size=12)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("1.250", 1250), ("1250", 1250), ("150.000", 150_000), (" 12 ", 12), ("1.000.000", 10**6)],
)
def test_a_whole_number_is_read_with_dots_or_without(text: str, number: int) -> None:
    assert (typed.whole(text), typed.change(text), typed.rupiah(text)) == (number, number, number)


@pytest.mark.parametrize(
    "text", ["Rp150.000", "Rp 150.000", "rp150000", "RP. 150.000", "Rp\u00a0150.000", "150.000,-"]
)
def test_an_amount_may_say_that_it_is_rupiah(text: str) -> None:
    assert typed.rupiah(text) == 150_000


@pytest.mark.parametrize(("text", "number"), [("-1.000", -1000), ("+5", 5), ("-3", -3), ("3", 3), ("-0", 0)])
def test_a_change_may_have_a_sign(text: str, number: int) -> None:
    assert typed.change(text) == number


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("1.5", "1 and a fraction"),
        ("1,5", "1 and a fraction"),
        ("1.50", "1 and a fraction"),
        ("150.00", "150 and a fraction"),
        ("0.150", "0 and a fraction"),
        ("1,250", "can mean 1.250 or"),
        ("1,250,000", "can mean 1.250.000 or"),
        ("007", "begins with 0"),
        ("150rb", "150 and a word"),
        ("2 jt", "2 and a word"),
        ("1,5jt", "not understood"),
        ("1e3", "not understood"),
        ("1_000", "not understood"),
        ("1 000", "not understood"),
        ("1.250.00", "not understood"),
        ("10.00.000", "not understood"),
        ("\u0663", "not understood"),
        ("\uff11\uff12", "not understood"),
        ("\u00b2", "not understood"),
        ("--5", "number with a sign"),
        ("-,5", "number with a sign|not understood"),
        ("0x10", "not understood"),
        ("nan", "not understood"),
        ("", "no number"),
        ("9" * 5000, "larger"),
        (str(MAX_WHOLE + 1), "larger"),
    ],
)
@pytest.mark.parametrize("read", [typed.whole, typed.change, typed.rupiah], ids=lambda read: read.__name__)
def test_what_is_in_doubt_is_refused_with_what_was_understood(
    read: Callable[[str], int], text: str, understood: str
) -> None:
    with pytest.raises(WrongEntry, match=understood):
        read(text)


@pytest.mark.parametrize("text", ["+5", "-5", "-1.000", "Rp5", "Rp-5"])
def test_pieces_have_neither_a_sign_nor_a_currency(text: str) -> None:
    with pytest.raises(WrongEntry):
        typed.whole(text)


@given(NUMBERS)
@examples(200)
def test_every_number_is_read_back_as_it_is_shown(number: int) -> None:
    assert typed.whole(thousands(number)) == typed.whole(str(number)) == number
    assert typed.rupiah(rupiah(number)) == typed.rupiah(f"Rp {thousands(number)},-") == number
    assert typed.change(f"-{thousands(number)}") == -number


@given(LOOKALIKES)
@examples(2000)
def test_what_is_read_is_what_the_number_looks_like(text: str) -> None:
    bare = text.strip()
    for read, before, behind in ((typed.whole, [""], [""]), (typed.change, ["", "+", "-"], [""])):
        try:
            number = read(text)
        except WrongEntry:
            continue
        texts = {str(abs(number)), thousands(abs(number))}
        assert bare in {f"{sign}{digits}{end}" for sign in before for digits in texts for end in behind}
        assert (number < 0) == (bare.startswith("-") and number != 0)
    try:
        amount = typed.rupiah(text)
    except WrongEntry:
        return
    assert bare.lower().removeprefix("rp").removeprefix(".").strip().removesuffix(",-") in {
        str(amount),
        thousands(amount),
    }


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3.0), ("0,5", 0.5), ("0.5", 0.5), ("1.500", 1500.0), ("12,25", 12.25)]
)
def test_what_is_measured_may_have_a_fraction(text: str, number: float) -> None:
    assert typed.number(text) == number


@pytest.mark.parametrize("text", ["0,500", "1,250", "nan", "inf", "1e3", "-1", ".5", "1_0", "\u0663"])
def test_a_fraction_that_may_be_thousands_is_refused(text: str) -> None:
    with pytest.raises(WrongEntry):
        typed.number(text)


@pytest.mark.parametrize(
    ("text", "at"), [("14.30", time(14, 30)), ("14:30", time(14, 30)), ("8.05", time(8, 5)), ("00.00", time())]
)
def test_a_time_of_day_has_a_dot_or_a_colon(text: str, at: time) -> None:
    assert typed.clock(text) == at


@pytest.mark.parametrize("text", ["24.00", "14.60", "14", "1430", "14,30", "14.3", "\u0661\u0664.30", "14:30:15", ""])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(WrongEntry, match="time of day"):
        typed.clock(text)


def test_a_day_is_written_from_the_year_on() -> None:
    assert typed.day("2026-04-18") == date(2026, 4, 18)


@pytest.mark.parametrize(
    "text", ["18-04-2026", "18/04/2026", "2026-4-18", "\uff12026-04-18", "20260418", "2026-02-30"]
)
def test_a_day_in_another_order_is_refused(text: str) -> None:
    with pytest.raises(WrongEntry, match="year"):
        typed.day(text)


def test_codes_and_lots_may_be_typed_small() -> None:
    assert typed.product(" kti ") == "KTI"
    assert typed.facility("pr-kpg") == "PR-KPG"
    assert typed.lot(LOT.lower().replace("-", " ")) == LOT


@pytest.mark.parametrize(
    ("read", "text"), [(typed.product, "KT1"), (typed.facility, "PRKPG"), (typed.lot, LOT[:-1] + "9")]
)
def test_codes_and_lots_that_can_not_be_are_refused(read: Callable[[str], str], text: str) -> None:
    with pytest.raises(WrongEntry, match=text):
        read(text)


def test_pairs_are_read_part_by_part() -> None:
    assert typed.pairs(["kti=150.000", "SVR=Rp5.000"], "KTI=1", typed.product, typed.rupiah) == {
        "KTI": 150_000,
        "SVR": 5_000,
    }


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["KTI"], "no name and number"),
        (["=3"], "no name and number"),
        (["KTI=1,250"], "can mean"),
        (["KTI="], "no number"),
        (["KTI=1", "kti=2"], "named twice"),
    ],
)
def test_pairs_in_doubt_are_refused(entries: list[str], message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        typed.pairs(entries, "KTI=1", typed.product)


def test_a_command_hears_the_same_and_leaves_a_default_alone() -> None:
    assert parameters.WHOLE("1.250") == parameters.WHOLE(1250) == 1250
    with pytest.raises(typer.BadParameter, match="1 and a fraction"):
        parameters.WHOLE("1.5")
    assert parameters.seconds(most=600)("0,5") == 0.5
    with pytest.raises(typer.BadParameter, match="understood as 1500; it must be from 0 to 600"):
        parameters.seconds(most=600)("1.500")


def test_a_setting_is_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARYA_MAX_BATCH", "1.000")
    assert Settings().max_batch == 1000
    monkeypatch.setenv("KARYA_MAX_BATCH", "1.5")
    with pytest.raises(BadSettings, match="1 and a fraction"):
        Settings()
