"""`karya accounts`: accounts, their roles, invitations and passwords."""

from collections.abc import Callable

import typer

from cli.accounts.changes import close, grant, reset, revoke
from cli.accounts.codes import accept, invite, register, restore
from cli.accounts.first import first
from cli.accounts.pages import list_accounts, show
from cli.accounts.passwords import password
from cli.accounts.session import choose

app = typer.Typer(no_args_is_help=True, help="Accounts and their roles: invite, grant, revoke, reset; over HTTP.")
app.callback()(choose)
COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_accounts,
    "show": show,
    "invite": invite,
    "accept": accept,
    "register": register,
    "grant": grant,
    "revoke": revoke,
    "close": close,
    "reset": reset,
    "restore": restore,
    "password": password,
    "first": first,
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)
