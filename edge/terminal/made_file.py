"""A file of made goods, as spreadsheets save it: each line becomes an entry, or is refused with a reason. Pure.

Semicolons, commas or tabs divide the cells. The first line names the columns, in Indonesian or English.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from edge.terminal.terminal import MadeEntry
from shared import typed
from shared.errors import WrongEntry
from shared.sheet import divider_of, rows_of, text_of
from shared.translation import translated
from shared.wording import Message, as_message

MAX_LINES = 10_000
_NAMES = {
    "product": ("product", "produk", "kode", "kode produk"),
    "qty": ("qty", "jumlah", "quantity", "pieces"),
    "made_on": ("made on", "tanggal", "made", "tanggal dibuat", "dibuat"),
    "best_before": ("best before", "baik sebelum", "kedaluwarsa"),
    "maker": ("maker", "pembuat"),
}
_IN_INDONESIAN = {column: names[1].replace(" ", "_") for column, names in _NAMES.items()}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names}
_IGNORED = ("reason", "alasan", "line", "baris")  # of a file of refused lines
_WHOLE_FRACTION = re.compile(r"([0-9.]*[0-9]),0{1,2}|([0-9]+)\.0{1,2}")
_MIDNIGHT = re.compile(r"[ T]0{1,2}[:.]00(?:[:.]00)?$")
_NUMERIC_DAY = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}")
_SERIAL = re.compile(r"[0-9]{5}(?:[.,]0*)?")
_HOW = Message("Write year, month and day, e.g. 2026-04-18.")


@dataclass(frozen=True, slots=True)
class MadeLine:
    """One line of a file: `entry`, or the reason of its `refusal`. `number` counts all lines of the file from 1."""

    number: int
    cells: tuple[str, ...]
    entry: MadeEntry | None = None
    refusal: Message | None = None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """The lines of a file below its `header`, without empty ones."""

    header: tuple[str, ...]
    divider: str
    lines: tuple[MadeLine, ...]


def read_file(data: bytes, today: date, *, day_first: bool = False) -> MadeFile:
    """The lines of a file. `today`: the day of lines without a day of making.

    A day like 03/04/2026 is read as day, month and year if another day of the file can only be meant so, or by
    `day_first`. Raises WrongEntry for a file that is no table of these columns.
    """
    text = text_of(data)
    rows = rows_of(text)
    if not rows:
        raise WrongEntry(Message("The file is empty. Its first line names the columns, e.g. product;qty;made_on."))
    (_, header), *below = rows
    columns = _columns(header)
    if len(below) > MAX_LINES:
        raise WrongEntry(
            Message(
                "The file has {lines} lines; at most {most} can be recorded at once.",
                lines=len(below),
                most=MAX_LINES,
            )
        )
    days = [
        cells[columns[name]]
        for _, cells in below
        for name in ("made_on", "best_before")
        if _has(columns, name, cells)
    ]
    day_first = day_first or _says_day_first(days)
    lines = [_line(number, cells, header, columns, today, day_first) for number, cells in below]
    return MadeFile(tuple(header), divider_of(text), tuple(lines))


def refused_text(file: MadeFile, refused: Iterable[MadeLine]) -> str:
    """A file of refused lines with their reasons, to be mended and recorded again."""
    columns = [index for index, name in enumerate(file.header) if _folded(name) not in _IGNORED]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=file.divider, lineterminator="\r\n")
    writer.writerow([*(file.header[index] for index in columns), "line", "reason"])
    for line in refused:
        cells = [line.cells[index] if index < len(line.cells) else "" for index in columns]
        # Nobody knows which cells of a line that is too long belong together: it stays too long.
        written = line.cells if any(line.cells[len(file.header) :]) else cells
        writer.writerow([*written, line.number, translated(line.refusal or "")])
    return text.getvalue()


def _folded(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _columns(header: Sequence[str]) -> dict[str, int]:
    """The place of each column. Raises WrongEntry for a name that is unknown, twice, or missing."""
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        folded_name = _folded(name)
        if folded_name in _IGNORED or not folded_name:
            continue
        column = _COLUMN_OF.get(folded_name)
        if column is None:
            raise WrongEntry(
                Message(
                    "There is no column {name}. The first line of the file names columns of: {known}.",
                    name=repr(name),
                    known=", ".join(_NAMES),
                    known_id=", ".join(_IN_INDONESIAN.values()),
                )
            )
        if column in columns:
            raise WrongEntry(Message("The column {name} comes twice. Please keep one of them.", name=repr(name)))
        columns[column] = index
    for required_column in ("product", "qty"):
        if required_column not in columns:
            raise WrongEntry(
                Message(
                    "The first line of the file names no column {name}, e.g. product;qty;made_on.",
                    name=required_column,
                    name_id=_IN_INDONESIAN[required_column],
                )
            )
    return columns


def _has(columns: dict[str, int], name: str, cells: Sequence[str]) -> bool:
    return name in columns and columns[name] < len(cells)


def _says_day_first(days: Iterable[str]) -> bool:
    """Whether a day of the file can only be day, month and year, and none only month, day and year."""
    pairs = [(int(match[1]), int(match[3])) for day in days if (match := _NUMERIC_DAY.fullmatch(_bare(day)))]
    return any(first > 12 for first, _ in pairs) and not any(second > 12 for _, second in pairs)


def _line(
    number: int, cells: list[str], header: Sequence[str], columns: dict[str, int], today: date, day_first: bool
) -> MadeLine:
    if any(cells[len(header) :]):
        refusal = Message(
            "This line has {cells} cells, the first line has {columns}. A number with a comma needs quotes, or "
            "semicolons between the cells.",
            cells=len(cells),
            columns=len(header),
        )
        return MadeLine(number, tuple(cells), refusal=refusal)
    values = {name: cells[index] for name, index in columns.items() if index < len(cells) and cells[index]}
    try:
        entry = _entry(values, today, day_first)
    except WrongEntry as wrong:
        return MadeLine(number, tuple(cells), refusal=as_message(wrong.message))
    return MadeLine(number, tuple(cells), entry)


def _entry(values: dict[str, str], today: date, day_first: bool) -> MadeEntry:
    for name in ("product", "qty"):
        if name not in values:
            raise WrongEntry(Message("The column {name} is empty.", name=name, name_id=_IN_INDONESIAN[name]))
    best_before = values.get("best_before")
    return MadeEntry(
        values["product"],
        _whole(values["qty"]),
        _day(values["made_on"], day_first) if "made_on" in values else today,
        _day(best_before, day_first) if best_before else None,
        values.get("maker"),
    )


def _whole(text: str) -> int:
    """A whole number, also as a spreadsheet writes it: `12,0`, `12.00`, `1.250,00`."""
    fraction = _WHOLE_FRACTION.fullmatch(text)
    return typed.whole((fraction[1] or fraction[2]) if fraction else text)


def _bare(text: str) -> str:
    return _MIDNIGHT.sub("", text.strip())


def _day(text: str, day_first: bool) -> date:
    """A day: `2026-04-18`, `18.04.2026`, `18/04/2026`, `18-4-2026`. Raises WrongEntry if it can mean two days."""
    bare = _bare(text)
    match = _NUMERIC_DAY.fullmatch(bare)
    if match is None:
        return typed.day(_iso_or_refused(bare))
    first, divider, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
    if second > 12 >= first:
        raise WrongEntry(Message("{day} can only be month, day and year. {how}", day=repr(text), how=_HOW))
    if first <= 12 and first != second and divider != "." and not day_first:
        raise WrongEntry(
            Message(
                "{day} can mean {one} or {other}. {how} With --day-first the day comes before the month in the whole "
                "file.",
                day=repr(text),
                one=f"{year}-{second:02}-{first:02}",
                other=f"{year}-{first:02}-{second:02}",
                how=_HOW,
            )
        )
    return typed.day(f"{year}-{second:02}-{first:02}")


def _iso_or_refused(text: str) -> str:
    if _SHORT_YEAR.fullmatch(text):
        raise WrongEntry(Message("{day} has a year of two digits. {how}", day=repr(text), how=_HOW))
    if _SERIAL.fullmatch(text):
        raise WrongEntry(
            Message(
                "{day} is how a spreadsheet counts days. Show the column as a date. {how}", day=repr(text), how=_HOW
            )
        )
    return text
