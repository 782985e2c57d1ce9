"""Commands that show accounts."""

from datetime import datetime
from typing import Annotated

import typer

from cli.accounts.session import ACCOUNTS, Account, Json, role_text, service, subject_of
from cli.console import local, say, show_json, show_table
from cli.festival.client import Row
from shared.translation import heading, tr, word


def list_accounts(
    context: typer.Context,
    role: Annotated[
        str | None,
        typer.Option(metavar="ROLE[:SCOPE]", help="Only accounts with this role, e.g. cashier or organiser:ODOP."),
    ] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Show closed accounts too.")] = False,
    as_json: Json = False,
) -> None:
    """List accounts with their roles. Administrators see logins and names as well."""
    with service(context) as api:
        rows = [
            row
            for row in api.all(ACCOUNTS, by="subject")
            if (closed or not row.get("closed_at")) and (role is None or _has(row, role))
        ]
    if as_json:
        show_json(rows)
        return
    columns = ["subject", "login", "name", "roles", "status"]
    show_table(columns, [_line(row) for row in rows], tr("No account fits."), words=("status",))


def show(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Show one account."""
    with service(context) as api:
        row = api.get(ACCOUNTS, subject_of(api, account))
    if as_json:
        show_json(row)
        return
    line = _line(row)
    for name in ("subject", "login", "name", "roles"):
        if line.get(name):
            say(f"{heading(name)}: {line[name]}")
    say(f"{heading('status')}: {word(line['status'])}")
    if row.get("closed_at"):
        say(tr("closed: {moment}", moment=local(datetime.fromisoformat(row["closed_at"]), None)))


def _has(row: Row, role: str) -> bool:
    return any(role in (held["role"], role_text(held)) for held in row["roles"])


def _line(row: Row) -> Row:
    status = "closed" if row.get("closed_at") else "waits for a reset" if row.get("waits_for_reset") else "open"
    return {**row, "roles": " ".join(map(role_text, row["roles"])), "status": status}
