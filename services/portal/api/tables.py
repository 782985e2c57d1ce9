"""Tables as files for spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from fastapi import Response

from services.portal.api.pages import NOT_KEPT
from shared.translation import heading


def table(name: str, columns: Sequence[str], rows: Iterable[object]) -> Response:
    """The rows as a CSV file that spreadsheets open with their headings."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([heading(column) for column in columns])
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    # Without this mark spreadsheets take the text for another encoding.
    content = "\ufeff" + text.getvalue()
    headers = {**NOT_KEPT, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> object:
    """The value as a cell. A spreadsheet must not take a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
