"""The rows of a CSV file as spreadsheets save it: semicolons, commas or tabs divide the cells. Pure."""

import csv
import io

from shared.errors import WrongEntry
from shared.wording import Message

_DIVIDERS = (";", "\t", ",")


def text_of(data: bytes) -> str:
    """The text of the file, in the encoding in which spreadsheets save it."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        # What Excel writes where nobody chose UTF-8. Codes and numbers are the same in both.
        return data.decode("cp1252", errors="replace")


def divider_of(text: str) -> str:
    """The character between the cells, by the first line."""
    lines = text.splitlines()
    first = lines[0] if lines else ""
    if first.lower().startswith("sep=") and len(first) == len("sep=;"):
        return first[-1]
    return max(_DIVIDERS, key=first.count)


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    """The lines that hold anything, each with its number in the file. Raises WrongEntry for a line that is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider_of(text), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error:
        # The reader knows which of them it is, and says so in English alone.
        raise WrongEntry(
            Message(
                "Line {line} of the file can't be read: a quote in it is not closed, stands within a cell, or a cell "
                "has more than {most:thousands} characters.",
                line=reader.line_num,
                most=csv.field_size_limit(),
            )
        ) from None
    return [(number, cells) for number, cells in rows if any(cells) and not cells[0].lower().startswith("sep=")]
