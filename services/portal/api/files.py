"""Tables as files: every table of a page can be taken home as CSV, from the page's own address.

The file is made of the page itself, so that it has the rows that the reader sees, by the same filters. Where a
spreadsheet needs more than people read, such as codes or all rows, the page gives the file's rows beside it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import StringIO

from fastapi import Response

from shared.translation import Language, heading, language

# The query's name for the table that is wanted as a file.
FILE = "file"
# Amounts and counts as people read them, which a spreadsheet must read as numbers.
_NUMBER = re.compile(r"[+-]?(?:Rp)?\d{1,3}(?:\.\d{3})*|[+-]?\d+")
# Where commas are decimal, as in Indonesia, a spreadsheet begins another cell after a semicolon.
_PARTED = re.compile(r";([\s\"]*)(?=[=+\-@])")
# Content of a cell that a reader acts with, and that is no value.
_LEFT_OUT = frozenset({"form", "details", "button", "svg"})
_ROW_PARTS = frozenset({"th", "td"})
# Where a comma parts the decimals, as in Indonesia, spreadsheets take semicolons between cells.
SEPARATORS: Mapping[Language, str] = {Language.INDONESIAN: ";", Language.ENGLISH: ","}


@dataclass(frozen=True, slots=True)
class FileTable:
    """A table as a file has it: its title, and its rows from the headings on."""

    title: str
    rows: Iterable[Sequence[object]]


def page_table(page: str, name: str) -> FileTable | None:
    """The table of the page with this name, or None."""
    reader = _TableReader(name)
    reader.feed(page)
    return FileTable(reader.title, reader.rows) if reader.is_found else None


def table_of(title: str, columns: Sequence[str], rows: Iterable[object]) -> FileTable:
    """A table with these attributes of the rows, below their headings. Rows are read when the file is written."""
    return FileTable(title, _with_headings(columns, rows))


def _with_headings(columns: Sequence[str], rows: Iterable[object]) -> Iterator[Sequence[object]]:
    yield [heading(column) for column in columns]
    for row in rows:
        yield [getattr(row, column) for column in columns]


def csv_file(table: FileTable, headers: dict[str, str]) -> Response:
    """A CSV file that spreadsheets open in the right encoding, and in columns where people read its language."""
    text = StringIO()
    csv.writer(text, delimiter=SEPARATORS[language()]).writerows([cell(value) for value in row] for row in table.rows)
    # Without this mark spreadsheets take the text for another encoding.
    content = "\ufeff" + text.getvalue()
    disposition = {"Content-Disposition": f'attachment; filename="{file_name(table.title)}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers={**headers, **disposition})


def file_name(title: str) -> str:
    """`what-is-short` for `What is short`."""
    return re.sub(r"[^0-9A-Za-z.]+", "-", title).strip("-") or "table"


def cell(value: object) -> object:
    """The value as a cell. A spreadsheet must not take a text for a formula."""
    if not isinstance(value, str):
        return value
    text = _PARTED.sub(r";'\1", value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def number(text: str) -> int | str:
    """`Rp1.250.000` as 1250000. What is no number stays a text."""
    if not _NUMBER.fullmatch(text):
        return text
    return int(text.replace("Rp", "").replace(".", ""))


@dataclass
class _TableReader(HTMLParser):
    """Reads the table whose `data-file` is `wanted`."""

    wanted: str
    title: str = ""
    is_found: bool = False
    rows: list[list[str | int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._region = ""
        self._is_reading = False
        self._is_number = False
        self._left_out: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "div" and "aria-label" in attributes:
            self._region = attributes["aria-label"]
        elif tag == "table" and attributes.get("data-file") == self.wanted:
            self._is_reading = self.is_found = True
            self.title = self._region
        elif self._is_reading:
            self._begin(tag, attributes)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _LEFT_OUT:
            self._left_out.append(tag)
        elif tag == "tr":
            self.rows.append([])
        elif tag in _ROW_PARTS:
            self._cell, self._is_number = [], "number" in attributes.get("class", "").split()

    def handle_endtag(self, tag: str) -> None:
        if not self._is_reading:
            return
        if self._left_out and tag == self._left_out[-1]:
            self._left_out.pop()
        elif tag == "table":
            self._is_reading = False
        elif tag in _ROW_PARTS and self._cell is not None:
            text = " ".join("".join(self._cell).split())
            self.rows[-1].append(number(text) if self._is_number else text)
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._left_out:
            self._cell.append(data)
