"""Every text for people is in the catalogue; what is not swept yet is listed, and the lists only shrink."""

import ast
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from docsite import words
from shared.translation import CATALOGUE, catalogue
from shared.wording import fields

# Calls whose first text a person reads.
SHOWN = frozenset({"say", "warn", "BadParameter", "WrongEntry", "NotAnswered", "SpoolFailed", "NotReached", "prompt"})

# Modules with texts that are not translated yet.
UNSWEPT: frozenset[str] = frozenset(
    {
        "cli/bench.py",
        "cli/catalogue/bulk.py",
        "cli/catalogue/pages.py",
        "cli/catalogue/session.py",
        "cli/chaos.py",
        "cli/console.py",
        "cli/demo.py",
        "cli/dlq.py",
        "cli/festival/client.py",
        "cli/festival/festivals.py",
        "cli/festival/goods.py",
        "cli/festival/prices.py",
        "cli/festival/refills.py",
        "cli/festival/revising.py",
        "cli/festival/session.py",
        "cli/festival/takings.py",
        "cli/festival/tills.py",
        "cli/festival/transfers.py",
        "cli/parameters.py",
        "cli/rebuild.py",
        "cli/spool.py",
        "cli/stack.py",
        "cli/strays.py",
        "cli/terminal.py",
        "cli/till/booth.py",
        "cli/till/cash.py",
        "cli/till/receipts.py",
        "cli/till/session.py",
        "cli/topics.py",
        "cli/trace.py",
        "cli/verify.py",
        "edge/spool/backup.py",
        "edge/spool/check.py",
        "edge/spool/file.py",
        "edge/spool/records.py",
        "edge/sync.py",
        "edge/terminal/maker.py",
        "edge/terminal/terminal.py",
        "edge/till/basket.py",
        "edge/till/receipts.py",
        "edge/till/till.py",
        "ops/dlq.py",
        "ops/rebuild/partitions.py",
        "ops/rebuild/replay.py",
        "ops/rebuild/switching.py",
        "ops/strays.py",
        "ops/trace/__init__.py",
        "ops/verify/log.py",
        "services/festival/domain/allocation/allocation.py",
        "services/festival/domain/allocation/revising.py",
        "services/festival/domain/closing.py",
        "services/festival/domain/logistics/losses.py",
        "services/festival/domain/logistics/shipment.py",
        "services/festival/domain/logistics/transfer.py",
        "services/festival/domain/replenishment/replenish.py",
        "services/festival/domain/tills.py",
        "shared/runtime/service.py",
        "shared/typed.py",
    }
)


def untranslated() -> list[str]:
    """Texts without a translation. Help is not swept yet: a text of help may lack one."""
    help_texts = words.help_texts()
    return sorted(text for context, text in words.entries() - catalogue().keys() if text not in help_texts)


def bare_texts(source: str) -> list[str]:
    """Texts that the module shows or refuses with, and that go through no translation."""
    bare = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            shown = {"Rejection": 2}.get(name, 0 if name in SHOWN else None)
            if shown is not None and len(node.args) > shown and _is_text(node.args[shown]):
                bare.append(ast.unparse(node.args[shown]))
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


def test_a_translation_has_the_fields_of_its_text() -> None:
    assert not [text for (_, text), translation in catalogue().items() if fields(text) != fields(translation)]


def test_no_module_shows_a_text_that_is_not_translated() -> None:
    assert modules_with_bare_texts() == UNSWEPT


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
