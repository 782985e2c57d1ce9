"""One rule for each kind of name, which nobody who uses it later contradicts."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from edge.terminal.terminal import Terminal
from shared.errors import WrongEntry
from shared.events import names
from shared.events.language import Id
from tests.support.examples import examples

pytestmark = pytest.mark.unit

RULES = {name: rule for name, rule in vars(names).items() if isinstance(rule, names.NameRule)}
ODD = st.text(st.sampled_from("AaZz09_-./: \u00e9\u0663\n"), max_size=8)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (names.FESTIVAL, "PEKAN_RAYA"),
        (names.FESTIVAL, "F" * 40),
        (names.BOOTH, "PEKAN_RAYA.B_07"),
        (names.TILL, "KASIR_1"),
        (names.TILL, "kasir.depan-2"),
        (names.TERMINAL, "T1"),
        (names.PRODUCT, "KTI"),
        (names.FACILITY, "PR-KPG"),
        (names.CATEGORY, "kerajinan-tangan"),
    ],
)
def test_a_name_that_can_be(rule: names.NameRule, name: str) -> None:
    assert rule.wrong(name) is None


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (names.FESTIVAL, "PEKAN.RAYA"),
        (names.FESTIVAL, "-X"),
        (names.FESTIVAL, "F" * 41),
        (names.BOOTH, "ODOP"),
        (names.BOOTH, "ODOP.B.1"),
        (names.BOOTH, "ODOP."),
        (names.TILL, "KASIR 1"),
        (names.TILL, "../T1"),
        (names.TILL, ""),
        (names.TILL, "T1\n"),
        (names.PRODUCT, "kti"),
        (names.PRODUCT, "KT1"),
        (names.FACILITY, "PRKPG"),
    ],
)
def test_a_name_that_can_not_be_hears_the_rule(rule: names.NameRule, name: str) -> None:
    assert rule.wrong(name) == rule.words


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_name_is_an_id_of_the_language(rule: names.NameRule) -> None:
    @given(st.from_regex(rule.pattern, fullmatch=True))
    @examples(50)
    def is_an_id(name: str) -> None:
        assert TypeAdapter(Id).validate_python(name) == name
        assert name.isascii()

    is_an_id()


@given(ODD)
@examples(100)
def test_a_terminal_takes_what_the_rule_takes_and_nothing_else(name: str) -> None:
    rightly = names.TERMINAL.wrong(name.strip()) is None
    with TemporaryDirectory() as folder:
        try:
            with Terminal(Path(folder), "PR-KPG", name):
                is_accepted = True
        except WrongEntry:
            is_accepted = False
    assert is_accepted == rightly
