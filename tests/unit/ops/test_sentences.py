"""Whatever operations says of what it found or refuses, an Indonesian reader gets it in Indonesian."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.rebuild.documents import DocumentDifference
from ops.verify.report import Check, sentences
from shared.translation import Language, catalogue, received, translated, use_language
from shared.wording import wordless
from tests.support.raised_errors import raised_errors

ROOT = Path(__file__).parents[3]
# The place of the template among the arguments of what makes a sentence.
TEMPLATE_AT = {"fail": 0, "note": 0, "expect": 1, "expect_equal": 2, "Message": 0}
# They take a message that is made elsewhere, or hand on a template that they were given.
HANDED_ON = {("ops/verify/report.py", "template")}
REFUSED_WITH = {"PageRefused": 1, "problem": 2} | dict.fromkeys(raised_errors(), 0)


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call in ops, with its module and the name of what is called."""
    for path in sorted((ROOT / "ops").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield str(path.relative_to(ROOT)), node, name


def templates() -> Iterator[tuple[str, int, ast.expr]]:
    """Every template of a sentence, with its module and line."""
    for module, call, name in calls():
        place = TEMPLATE_AT.get(name)
        if place is not None and len(call.args) > place:
            yield module, call.lineno, call.args[place]


def test_every_sentence_of_operations_is_a_literal_with_an_indonesian_text() -> None:
    wrong, known = [], 0
    for module, line, template in templates():
        match template:
            case ast.Constant(value=str() as text) if wordless(text) or (None, text) in catalogue():
                known += 1
            case ast.Name(id=name) if (module, name) in HANDED_ON:
                pass
            case _:
                wrong.append(f"{module}:{line} {ast.unparse(template)}")
    assert not wrong
    assert known > 250, "the sentences are found"


def test_no_refusal_of_operations_is_a_bare_text() -> None:
    bare = [
        f"{module}:{call.lineno} {ast.unparse(text)}"
        for module, call, name in calls()
        if (place := REFUSED_WITH.get(name)) is not None and len(call.args) > place
        for text in [call.args[place]]
        if isinstance(text, ast.Constant | ast.JoinedStr | ast.BinOp)
    ]
    assert not bare


@pytest.fixture
def indonesian() -> Iterator[None]:
    use_language(Language.INDONESIAN)
    yield
    use_language(Language.ENGLISH)


@pytest.mark.usefixtures("indonesian")
def test_a_sentence_comes_over_http_and_is_read_in_indonesian() -> None:
    check = Check("booth stock", "made up")
    difference = DocumentDifference("lot-7", only="live").message
    check.expect_equal((3, None), (4, "x"), "booth {booth}: {first} by festival, by sales {second}", booth="B1")
    check.fail("{subject}: below zero: {state}", subject=difference, state={"qty": -1})
    first, second = sentences(check.violations)
    assert first["detail"] == "booth B1: (3, None) by festival, by sales (4, 'x')"
    assert received(**as_received(first)) == "stan B1: (3, None) menurut festival, menurut sales (4, 'x')"
    assert received(**as_received(second)) == "lot-7: hanya yang berjalan: di bawah nol: {'qty': -1}"
    assert translated(difference) == "lot-7: hanya yang berjalan"


def as_received(row: dict[str, object]) -> dict[str, object]:
    return {"message": row["detail"], "template": row["template"], "values": row["values"]}
