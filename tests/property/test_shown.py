"""Whatever a model of the published language takes can be shown: no event breaks a command that reads it."""

import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import console
from cli.terminal import app as terminal_app
from cli.till import app as till_app
from deploy.topics import all_topics
from edge.spool import Owner, Spool
from ops.trace import LotHistory, TimelineEntry
from ops.trace.descriptions import describe
from shared.events.language import Body, Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from tests.support.examples import examples

PLACES = ("Asia/Makassar", "America/Lima", "Pacific/Kiritimati", "UTC")
WHOLE = 2**53
DAYS = ("0001-01-01", "1970-01-01", "2026-04-18", "9999-12-31")
MOMENTS = ("1970-01-01T00:00:00Z", "2026-04-18T04:00:00.123Z", "2099-12-31T23:59:59.999Z")
ODD = st.sampled_from(
    ["\x1b[2J", "\x1b]0;x\x07", "\u202e", "\u200b", "\x9b", "[red]", "[/]", ":smile:", "\n", "💥", "%s", "{x}"]
)
TEXT = st.lists(ODD | st.text(max_size=5), max_size=4).map("".join)


def json_of(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The JSON that fits a model's schema, its ends and odd text above all."""
    if "$ref" in schema:
        return json_of(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return st.one_of(*(json_of(member, defs) for member in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object" if "properties" not in schema:
            names = text_of(schema.get("propertyNames", {}))
            return st.dictionaries(names, json_of(schema["additionalProperties"], defs), max_size=3)
        case "object":
            return st.fixed_dictionaries({name: json_of(part, defs) for name, part in schema["properties"].items()})
        case "array":
            return st.lists(json_of(schema["items"], defs), min_size=schema.get("minItems", 0), max_size=3)
        case "integer":
            least, most = schema.get("minimum", -WHOLE), schema.get("maximum", WHOLE)
            return st.sampled_from([least, most]) | st.integers(least, most)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string":
            return text_of(schema)
        case other:
            raise TypeError(f"no value is known for {other}")


def text_of(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    match schema.get("format"), schema.get("pattern"):
        case "date", _:
            return st.sampled_from(DAYS)
        case "date-time", _:
            return st.sampled_from(MOMENTS)
        case _, r"^[^\x00]*$":
            return TEXT.map(lambda text: text.replace("\0", "")[:500])
        case _, r"^[^\x00-\x1f\x7f]+$":
            return TEXT.map(lambda text: "".join(c for c in text if c >= " " and c != "\x7f")[:80] or "x")
        case _:
            return st.sampled_from(["X", "PR-KPG", "PR-KPG-KTI-230418-007-4", "a/b:c.d_e-f"])


def bodies(body: type[Body]) -> st.SearchStrategy[Body]:
    """Those of the JSON that the model takes: what it refuses reaches nobody."""

    def valid_body(value: Any) -> Body | None:
        try:
            return body.model_validate_json(json.dumps(value))
        except ValueError:
            return None

    schema = body.model_json_schema()
    made: st.SearchStrategy[Any] = json_of(schema, schema.get("$defs", {})).map(valid_body)
    return made.filter(lambda value: value is not None)


OF_TILLS = list(TILL.bodies)
ALL = sorted({body for topic in all_topics() for body in topic.bodies}, key=lambda body: body.__name__)


@examples(300)
@given(st.sampled_from(ALL).flatmap(bodies), st.sampled_from(PLACES), st.booleans())
def test_a_trace_shows_whatever_was_said_of_a_lot(body: Body, place: str, terminal: bool) -> None:
    at = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
    lot = str(getattr(body, "lot", None) or "X")
    entries = tuple(TimelineEntry(at, "kind", text, "who", "where") for text in describe(body, lot))
    rows = [{"when": console.local(at, place), "what": entry.text} for entry in entries]
    table = render(terminal, lambda: console.show_table(["when", "what"], rows, "nothing"))
    assert all(c.isprintable() or c in "\n\t" for c in table)
    render(terminal, lambda: console.show_json(LotHistory(lot, "F", "P", UTC, entries).as_dict()))


def render(terminal: bool, show: Any) -> str:
    file = io.StringIO()
    with patch.object(console, "out", console.PlainConsole(file=file, force_terminal=terminal, color_system=None)):
        show()
    return file.getvalue()


@examples(30)
@given(st.lists(st.sampled_from(TERMINAL.bodies).flatmap(bodies), min_size=1, max_size=5), st.booleans())
def test_a_terminal_lists_whatever_it_holds(held: list[Body], as_json: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keep(Path(folder) / "terminal" / "PR-KPG.T1.spool", TERMINAL, "terminal/PR-KPG/T1", held)
        words = ["--facility", "PR-KPG", "--terminal", "T1", "--spool-dir", folder, "list", "--all"]
        check(CliRunner().invoke(terminal_app, [*words, *(["--json"] if as_json else [])]), as_json, len(held))


@examples(30)
@given(
    st.lists(
        st.sampled_from(OF_TILLS).flatmap(bodies),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_a_till_lists_whatever_it_holds(held: list[Body], as_json: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keep(Path(folder) / "till" / "F.B1.T1.spool", TILL, "till/F.B1/T1", held)
        words = ["--booth", "F.B1", "--till", "T1", "--spool-dir", folder, "list"]
        check(CliRunner().invoke(till_app, [*words, *(["--json"] if as_json else [])]), as_json, len(held))


def keep(file: Path, topic: Topic, source: str, bodies: list[Body]) -> None:
    spool = Spool(Owner(file, topic, source))
    for body in bodies:
        spool.append(lambda _, body=body: body, datetime(1970, 1, 1, tzinfo=UTC))  # type: ignore[misc]
    spool.close()


def check(ended: Any, as_json: bool, rows: int) -> None:
    assert ended.exit_code == 0, ended.output
    assert all(c.isprintable() or c in "\n\t" for c in ended.output)
    if as_json:
        assert len(json.loads(ended.output)) == rows
    else:
        assert len(ended.output.splitlines()) == rows + 1
