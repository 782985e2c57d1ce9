"""`karya catalogue import`: many entries from a CSV file, each line a command."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.catalogue.changes import merged
from cli.catalogue.session import ENTRIES, Json, service
from cli.console import say, show_table
from cli.festival.client import Answer, AnswerStatus, Row, ServiceClient
from cli.festival.session import message_of, show_answers
from cli.files import content_of
from shared import typed
from shared.errors import WrongEntry
from shared.events.catalogue import TERMS, EntryKind, entry_id
from shared.sheet import rows_of, text_of
from shared.translation import tr, translated
from shared.wording import Message, as_message

AT_ONCE = 8
# Each column with the function that reads its cells. An empty cell leaves the entry's field as it is.
_READERS: dict[str, Callable[[str], Any]] = {
    "name": str,
    "category": str,
    "unit": str,
    "max_qty": typed.whole,
    "shelf_life_days": typed.whole,
    "usual_price_rupiah": typed.rupiah,
    "facility_kind": str,
    "zone": str,
    "island": str,
    "products": lambda text: [typed.product(code) for code in text.replace(",", " ").split()],
    "days": typed.whole,
}
_FIELDS: dict[EntryKind, tuple[str, ...]] = {
    **dict.fromkeys(TERMS, ("name",)),
    EntryKind.PRODUCT: ("name", "category", "unit", "max_qty", "shelf_life_days", "usual_price_rupiah"),
    EntryKind.FACILITY: ("name", "facility_kind", "zone", "island", "products"),
    EntryKind.LEAD_TIME: ("days",),
}
_OPTIONAL = frozenset({"shelf_life_days", "usual_price_rupiah", "island", "products"})
_COMMANDS = {
    **dict.fromkeys(TERMS, "set-term"),
    EntryKind.PRODUCT: "set-product",
    EntryKind.FACILITY: "set-facility",
    EntryKind.LEAD_TIME: "set-lead-time",
}
_COLUMNS = ("kind", "code", *_READERS)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: the entry, and its fields whose cells are not empty."""

    number: int
    kind: EntryKind
    code: str
    fields: dict[str, Any]

    @property
    def entry(self) -> str:
        return entry_id(self.kind, self.code)


def import_entries(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A CSV file; its first line names columns.", dir_okay=False, exists=True)
    ],
    as_json: Json = False,
) -> None:
    """Add or change many entries from a CSV file. Nothing is sent while a line can't be read.

    Columns: kind (category, unit, island, product, facility or lead-time), code (of a lead time both islands, e.g.
    timor/jawa), name, category, unit, max_qty, shelf_life_days, usual_price_rupiah, facility_kind, zone, island,
    products (codes with spaces between) and days. An empty field stays as it is.
    """
    with service(context) as api:
        lines = read_lines(text_of(content_of(str(file))))
        answers = [*_given(api, lines)]
    if as_json:
        show_answers([(_row(line), answer) for line, answer in answers], (), "", as_json=True)
        return
    statuses = Counter(answer.status for _, answer in answers)
    say(
        tr(
            "{count} of {rows} entries are in the catalogue.",
            count=statuses[AnswerStatus.DONE],
            rows=len(answers),
        )
    )
    if count := statuses[AnswerStatus.ACCEPTED]:
        say(tr("The outcome of {count} is not known yet; `karya catalogue list` shows it later.", count=count))
    if statuses[AnswerStatus.REFUSED]:
        refused_rows = [
            {**_row(line), "field": answer.field, "message": message_of(answer)}
            for line, answer in answers
            if answer.status is AnswerStatus.REFUSED
        ]
        show_table(["line", "entry", "field", "message"], refused_rows, "")
        raise typer.Exit(1)


def _row(line: Line) -> Row:
    return {"line": line.number, "entry": line.entry}


def read_lines(text: str) -> list[Line]:
    """The lines of a CSV file, in the order in which entries name each other. Raises WrongEntry with all faults."""
    (_, columns), *below = rows_of(text) or [(1, [])]
    if missing := {"kind", "code"} - set(columns):
        raise WrongEntry(
            Message("The first line of the file lacks these columns: {columns}.", columns=", ".join(sorted(missing)))
        )
    if unknown := [name for name in columns if name not in _COLUMNS]:
        raise WrongEntry(
            Message(
                "{column!r} is no column here. Columns are {columns}.", column=unknown[0], columns=", ".join(_COLUMNS)
            )
        )
    lines, faults = list[Line](), list[Message]()
    first_line: dict[str, int] = {}
    for number, cells in below:
        try:
            line = _line(number, columns, cells)
            if (first := first_line.setdefault(line.entry, number)) != number:
                raise WrongEntry(
                    Message("{entry} stands on line {first} too; keep one of them.", entry=line.entry, first=first)
                )
            lines.append(line)
        except WrongEntry as wrong:
            faults.append(Message("line {line}: {wrong}", line=number, wrong=wrong.message))
    if faults:
        heading = Message("Nothing was sent, because these lines can't be read:")
        raise WrongEntry("\n".join(map(translated, [heading, *faults])))
    order = list(EntryKind)
    return sorted(lines, key=lambda line: (order.index(line.kind), line.number))


def _line(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    if any(cells[len(columns) :]):
        raise WrongEntry(
            Message(
                "The line has more cells than the first line has columns. Products of a facility have spaces between "
                "them."
            )
        )
    row = dict(zip_longest(columns, cells[: len(columns)], fillvalue=""))
    try:
        kind = EntryKind(row["kind"])
    except ValueError:
        raise WrongEntry(
            Message("{kind!r} is no kind. Kinds are {kinds}.", kind=row["kind"], kinds=", ".join(EntryKind))
        ) from None
    code = row["code"]
    if kind is EntryKind.PRODUCT:
        code = typed.product(code)
    elif kind is EntryKind.FACILITY:
        code = typed.facility(code)
    texts = {name: text for name, text in row.items() if name in _READERS and text}
    if foreign := [name for name in texts if name not in _FIELDS[kind]]:
        raise WrongEntry(
            Message("A {kind:word} has no {column}; leave that field empty.", kind=kind.value, column=foreign[0])
        )
    return Line(number, kind, code, {name: _READERS[name](text) for name, text in texts.items()})


def _given(api: ServiceClient, lines: list[Line]) -> Iterator[tuple[Line, Answer]]:
    """The outcome of each line. The lines of a kind are sent after those of the kinds that it may name."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kind in EntryKind:
            of_kind = [line for line in lines if line.kind is kind]
            yield from zip(of_kind, pool.map(lambda line: _give(api, line), of_kind), strict=True)


def _give(api: ServiceClient, line: Line) -> Answer:
    fields = {name: line.fields.get(name) for name in _FIELDS[line.kind]}
    columns = {name: Message("the column {name}", name=name) for name in fields if name not in _OPTIONAL}
    try:
        body: Row = merged(api, line.kind, line.code, fields, columns)
    except WrongEntry as wrong:
        message = as_message(wrong.message)
        return Answer(
            "",
            AnswerStatus.REFUSED,
            "entry",
            "missing",
            message.english,
            message.template,
            message.plain_values,
        )
    if line.kind is EntryKind.FACILITY:
        body["products"] = body["products"] or []
    return api.command(ENTRIES, line.entry, _COMMANDS[line.kind], body=body)
