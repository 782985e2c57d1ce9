"""`make words`: brings the gettext catalogue up to date with the texts in the code.

New texts come in without a translation, and those that nobody shows any more go. No translation is guessed.
"""

import ast
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import typer
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from typer.main import get_command

from cli import app
from cli.festival.client import AnswerStatus
from cli.help_language import FRAMEWORK_TEXTS, paragraphs
from edge.terminal.terminal import ReportStatus
from edge.till.tracking import RecordStatus
from ops.letters import Status
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.booth import BoothStatus
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.domain.missing import MissingKind
from services.gateway.api.intake import IntakeStatus
from services.gateway.domain.held_record import HeldStatus
from services.inventory.domain.lot import ReservationStatus
from services.portal.api.apps import texts_of_script
from services.portal.api.assets import APPS
from services.portal.api.pages import TEMPLATES
from services.portal.domain.steps import StepState
from services.sales.domain.receipt import SaleStatus
from shared.events.catalogue import EntryKind
from shared.events.identity import Role
from shared.events.inventory import OrderRefusal, ReleaseCause
from shared.events.sales import AdjustmentCause, PaymentKind
from shared.translation import CATALOGUE, HEADING, Language, use_language
from shared.wording import WORD

ROOT = Path(__file__).parents[1]
ROOMS = ("cli", "deploy", "edge", "ops", "services", "shared")
CALLS = frozenset({"tr", "Message"})

Entry: TypeAlias = tuple[str | None, str]

# Statuses that sentences and tables show as words.
STATUSES: tuple[type[StrEnum], ...] = (
    AdjustmentCause,
    AnswerStatus,
    BoothStatus,
    EntryKind,
    FestivalStatus,
    HeldStatus,
    IntakeStatus,
    LineStatus,
    PaymentKind,
    RecordStatus,
    ReleaseCause,
    ReportStatus,
    RequestStatus,
    ReservationStatus,
    Role,
    SaleStatus,
    ShipmentStatus,
    Status,
    StepState,
    TransferStatus,
)
WORDS = (
    *("best-before day", "too late", "old list", "no reason", "not known", "yes", "after the count"),
    *("withdrawn: do not sell", "not settled", "withdrawn", "recalled", "recorded at another terminal", "overdue"),
    *("the zone of this machine", "counted", "provisional"),
    *(kind.value.replace("_", " ") for kinds in (MissingKind, OrderRefusal) for kind in kinds),
    *("the laboratory", "the local stack", "issued", "so far", "works", "in trouble", "down", "waits for a reset"),
    *("final",),
    *("its key waits", "holds", "broken", "the same", "different", "not compared", "not tried"),
    *("enrolled", "revoked", "stored before", "statement", "debit note", "credit note"),
    *("on hand", "written off", "still away", "found", "live", "rebuilt"),
    "no festival has opened the booth",
    "never counted in there",
    "the lot is of another product there",
    "more than was counted in",
    *sorted({status.value for statuses in STATUSES for status in statuses}),
)


def entries() -> set[Entry]:
    """Every text of the project for people, with its context."""
    texts: set[Entry] = {(None, text) for text in FRAMEWORK_TEXTS}
    texts |= {(None, text) for text in help_texts()}
    texts |= {(WORD, word) for word in WORDS}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            texts |= set(texts_of(ast.parse(path.read_text(encoding="utf-8"))))
    for path in sorted(TEMPLATES.glob("*.html")):
        texts |= set(texts_of_template(path.read_text(encoding="utf-8")))
    for path in sorted(APPS.rglob("*.js")):
        texts |= {(None, text) for text in texts_of_script(path.read_text(encoding="utf-8"))}
    return {(context, text) for context, text in texts if any(map(str.isalpha, re.sub(r"\{\w+\}", "", text)))}


def texts_of(tree: ast.Module) -> Iterator[Entry]:
    """The texts of the module: literals that `tr` and `Message` get, what a check says of its invariant and of what
    breaks it, and headings of tables. A list or table of headings that is named is called `columns`, or
    `..._COLUMNS`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str() as text), *_]) if name in CALLS:
                yield None, text
            case ast.Call(func=ast.Name(id="Check"), args=[_, ast.Constant(value=str() as about), *_]):
                yield None, about
            case ast.Call(func=ast.Attribute(attr="fail" | "note"), args=[ast.Constant(value=str() as text), *_]):
                yield None, text
            case ast.Call(func=ast.Attribute(attr="expect"), args=[_, ast.Constant(value=str() as text), *_]):
                yield None, text
            case ast.Call(
                func=ast.Attribute(attr="expect_equal"), args=[_, _, ast.Constant(value=str() as text), *_]
            ):
                yield None, text
            case ast.Call(func=ast.Name(id="show_table"), args=[ast.List(elts=columns), *_]):
                yield from _headings(columns)
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.List(elts=columns) | ast.Dict(values=columns),
            ) if name.lower().endswith("columns"):
                yield from _headings(columns)


def texts_of_template(source: str) -> Iterator[Entry]:
    """The texts of a page's template: literals that `tr` and `heading` get."""
    for call in Environment().parse(source).find_all(nodes.Call):
        match call:
            case nodes.Call(node=nodes.Name(name="tr"), args=[nodes.Const(value=str() as text), *_]):
                yield None, text
            case nodes.Call(node=nodes.Name(name="heading"), args=[nodes.Const(value=str() as text), *_]):
                yield HEADING, text


def _headings(columns: list[ast.expr]) -> Iterator[Entry]:
    yield from ((HEADING, str(column.value)) for column in columns if isinstance(column, ast.Constant))


def help_texts() -> set[str]:
    """The paragraphs of all help texts, in English."""
    use_language(Language.ENGLISH)
    root = get_command(app)
    return set(_helps(root, typer.Context(root)))


def _helps(command: Any, context: typer.Context) -> Iterator[str]:
    for help in (command.help, *(getattr(parameter, "help", None) for parameter in command.params)):
        yield from paragraphs(help or "") if help else ()
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            yield from _helps(below, typer.Context(below, parent=context, info_name=name))


def updated() -> tuple[str, int]:
    """The catalogue with exactly these entries, and how many of them have no translation."""
    with CATALOGUE.open("rb") as file:
        former = read_po(file, locale="id")
    catalogue = Catalog(locale="id", fuzzy=False)
    missing = 0
    for context, text in entries():
        message = former.get(text, context)
        translation = str(message.string) if message is not None else ""
        missing += not translation
        catalogue.add(text, translation, context=context)
    content = BytesIO()
    write_po(content, catalogue, width=118, sort_output=True, omit_header=True)
    return _HEADER + content.getvalue().decode("utf-8").strip("\n") + "\n", missing


_HEADER = """msgid ""
msgstr ""
"Language: id\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def main() -> None:
    """Write the catalogue. Ends with 1 if a text has no translation."""
    content, missing = updated()
    CATALOGUE.write_text(content, encoding="utf-8")
    if missing:
        print(f"{CATALOGUE.relative_to(ROOT)}: {missing} texts have no translation yet", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
