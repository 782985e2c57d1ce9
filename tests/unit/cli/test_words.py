"""Every text for people is in the catalogue; modules that only operators read are listed."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from docsite import words
from shared.translation import CATALOGUE, catalogue
from shared.wording import fields
from tests.support.raised_errors import raised_errors

# Errors whose text no command shows: a service logs them, or writes them into a dead letter.
UNSHOWN_ERRORS = {
    "ForeignWrite": "a bug in our code; parks its key",
    "UndeclaredRead": "a bug in our code; parks its key",
    "Unusable": "why a record is a dead letter; operators read it",
    "FenceMoved": "a step begins again",
    "LaneOutOfRange": "a lane stops; operators read it",
    "NotRelayed": "the relay tries again",
    "UnknownVersion": "a service does not start; programmers read it",
    "UnknownLanguage": "says it in both languages, as neither is known to be read",
}
# Calls in which a later text is read.
LATER = {
    "Rejection": 2,
    "show_table": 2,
    "show_answer": 1,
    "show_answers": 2,
    "HTTPException": 1,
    "PageRefused": 1,
    "problem": 2,
}

# Modules with texts in English alone: only operators and programmers read them, who also read logs, settings and
# this documentation in English. No facility, cashier or organiser runs these commands. All help texts are translated.
FOR_OPERATORS: frozenset[str] = frozenset(
    {
        "cli/bench.py",
        "cli/chaos.py",
        "cli/demo.py",
        "cli/dlq.py",
        "cli/topics.py",
        "deploy/docker_stack.py",
        "deploy/local/jars.py",
        "deploy/local/kafka.py",
        "deploy/local/kafka_cache.py",
        "deploy/local/mongo.py",
        "deploy/local/server.py",
        "deploy/stack.py",
        "services/production/reference.py",
        "shared/runtime/service.py",
    }
)


# Calls whose first text a person reads.
SHOWN_CALLS = frozenset({"say", "warn", "BadParameter", "prompt", "confirm", "TextColumn", "status", "update"})


@cache
def shown() -> frozenset[str]:
    return SHOWN_CALLS | (raised_errors() - UNSHOWN_ERRORS.keys())


def untranslated() -> list[str]:
    return sorted(text for _, text in words.entries() - catalogue().keys())


def bare_texts(source: str) -> list[str]:
    """Texts that the module shows or refuses with, and that go through no translation."""
    bare = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = LATER.get(name, 0 if name in shown() else None)
            if place is not None and len(node.args) > place and _is_text(node.args[place]):
                bare.append(ast.unparse(node.args[place]))
    return bare


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str() as text):
            return any(map(str.isalpha, text))
        case ast.JoinedStr(values=parts):
            return any(_is_text(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _is_text(left) or _is_text(right)
    return False


def modules_with_bare_texts() -> set[str]:
    return {
        str(path.relative_to(words.ROOT))
        for room in words.ROOMS
        for path in (words.ROOT / room).rglob("*.py")
        if bare_texts(path.read_text(encoding="utf-8"))
    }


def test_the_catalogue_is_what_make_words_writes() -> None:
    content, _ = words.updated()
    assert CATALOGUE.read_text(encoding="utf-8") == content, "run `make words`"


def test_every_text_has_a_translation() -> None:
    assert not untranslated(), "write the Indonesian texts into the catalogue"


def test_a_verb_agrees_with_a_number_that_may_be_one() -> None:
    plural = re.compile(r"\|[^}]*\}[^.:;,]*\b(are|were|have|do|they)\b")
    assert not [text for _, text in catalogue() if plural.search(text)], "put the verb into the number's format"


def test_a_translation_has_the_fields_of_its_text() -> None:
    assert not [text for (_, text), translation in catalogue().items() if fields(text) != fields(translation)]


def test_no_module_shows_a_text_that_is_not_translated() -> None:
    assert modules_with_bare_texts() == FOR_OPERATORS


def test_the_shown_errors_are_those_of_the_code() -> None:
    assert {"ServersNotConfigured", "BadSettings", "TopicsRefused", "PartitionsDiffer", "StackError"} <= shown()
    assert UNSHOWN_ERRORS.keys() <= raised_errors()


def test_the_catalogue_is_read_as_babel_reads_it() -> None:
    with CATALOGUE.open("rb") as file:
        entries = {
            (message.context, message.id): message.string for message in read_po(file, locale="id") if message.id
        }
    assert catalogue() == {entry: text for entry, text in entries.items() if text}


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ('say("Kept.")', 1),
        ('say(tr("Kept."))', 0),
        ('raise typer.BadParameter(f"{zone} is unknown")', 1),
        ('Rejection("lot", REASON, "Unknown")', 1),
        ('Rejection("lot", REASON, Message("Unknown"))', 0),
        ('say(f"{lot}: {qty}")', 0),
    ],
)
def test_a_text_outside_the_catalogue_is_found(source: str, bare: int) -> None:
    assert len(bare_texts(source)) == bare


def test_a_text_reaches_the_catalogue(tmp_path: Path) -> None:
    tree = ast.parse('say(tr("Kept."))\nshow_table(["lot", column], rows, "x")\nMessage("Gone.")')
    assert set(words.texts_of(tree)) == {(None, "Kept."), ("heading", "lot"), (None, "Gone.")}
    template = '{% if x %}<p>{{ tr("{lot} is kept.", lot=x) }}</p>{{ heading("lot") }}{{ word(x) }}{% endif %}'
    assert set(words.texts_of_template(template)) == {(None, "{lot} is kept."), ("heading", "lot")}
