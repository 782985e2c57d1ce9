"""Rows of objects as files for spreadsheets."""

from collections.abc import Iterable, Sequence

from fastapi import Response

from services.portal.api.files import csv_file
from services.portal.api.pages import NOT_KEPT
from shared.translation import heading


def table(name: str, columns: Sequence[str], rows: Iterable[object]) -> Response:
    """The CSV file `name`.csv with these attributes of the rows, below their headings."""
    values = ([getattr(row, column) for column in columns] for row in rows)
    return csv_file(name, [[heading(column) for column in columns], *values], NOT_KEPT)
