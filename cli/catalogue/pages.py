"""Commands that show the catalogue, the history of its entries, and the reports that wait for it."""

from datetime import datetime
from typing import Annotated, Any

import typer

from cli.catalogue.session import CATALOGUE, EntryId, Json, entries, known_entry, service
from cli.console import local, say, show_json, show_table
from cli.festival.client import Row
from shared import shown
from shared.events.catalogue import EntryKind
from shared.translation import heading, tr

_DETAIL_COLUMNS = {
    "category": "category",
    "unit": "unit",
    "max_qty": "at most",
    "shelf_life_days": "keeps days",
    "usual_price_rupiah": "usual price",
    "facility_kind": "kind",
    "zone": "zone",
    "island": "island",
    "products": "products",
    "days": "days",
}


def list_entries(
    context: typer.Context,
    kind: Annotated[EntryKind | None, typer.Option(help="Only entries of this kind.")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="Show retired entries too.")] = False,
    as_json: Json = False,
) -> None:
    """List the entries of the catalogue."""
    with service(context) as api:
        rows = [
            row
            for row in entries(api)
            if (kind is None or row["kind"] == kind.value) and (retired or "retired_at" not in row)
        ]
        if as_json:
            show_json(rows)
            return
        columns = ["entry", "name", "revision", "details", "retired"]
        show_table(columns, [_line(row) for row in rows], tr("The catalogue is empty; `karya topics` sows it."))


def show(context: typer.Context, entry: EntryId, as_json: Json = False) -> None:
    """Show an entry as it is now."""
    with service(context) as api:
        row = known_entry(api, entry)
        if as_json:
            show_json(row)
            return
        say(
            tr(
                "{entry}, revision {revision}: {name}",
                entry=row["entry"],
                revision=row["revision"],
                name=row.get("name", ""),
            ).rstrip(": ")
        )
        for name, word in _DETAIL_COLUMNS.items():
            if name in row:
                say(f"{heading(word)}: {_value(name, row[name])}")
        if "retired_at" in row:
            say(tr("retired: {moment}", moment=_moment(row["retired_at"])))


def history(context: typer.Context, entry: EntryId, as_json: Json = False) -> None:
    """Show all revisions of an entry, the first one first."""
    with service(context) as api:
        rows = api.get(CATALOGUE, known_entry(api, entry)["entry"], "history")
        if as_json:
            show_json(rows)
            return
        columns = ["revision", "changed", "name", "details", "retired", "command"]
        show_table(columns, [_line(row) for row in rows], "")


def waiting(
    context: typer.Context,
    facility: Annotated[str | None, typer.Option(help="Only reports of this facility.")] = None,
    as_json: Json = False,
) -> None:
    """List reports that wait until their facility or product is in the catalogue."""
    with service(context) as api:
        rows = api.all("waiting-reports", by="taken_at", facility=facility)
        if as_json:
            show_json(rows)
            return
        columns = ["facility", "terminal", "product", "qty", "made_on", "taken", "report"]
        lines = [{**row, "taken": _moment(row["taken_at"])} for row in rows]
        show_table(columns, lines, tr("No report waits for the catalogue."))


def _line(row: Row) -> Row:
    details = [f"{heading(word)} {_value(name, row[name])}" for name, word in _DETAIL_COLUMNS.items() if name in row]
    return {
        **row,
        "details": ", ".join(details),
        "changed": _moment(row["changed_at"]),
        "retired": _moment(row["retired_at"]) if "retired_at" in row else None,
    }


def _value(name: str, value: Any) -> str:
    if name == "usual_price_rupiah":
        return shown.rupiah(value)
    return " ".join(value) if isinstance(value, list) else str(value)


def _moment(text: str) -> str:
    return local(datetime.fromisoformat(text), None)
