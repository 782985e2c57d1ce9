"""The command with which people change their own password."""

import typer

from cli.accounts.session import Json, PasswordStdin, known_password, new_password, service
from cli.console import say, show_json
from shared.translation import tr


def password(context: typer.Context, password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Change your own password. With --password-stdin the first line is the old one, and the second the new one."""
    with service(context) as api:
        old = known_password(from_stdin=password_stdin)
        api.ask("password", body={"old": old, "new": new_password(from_stdin=password_stdin)})
    if as_json:
        show_json({"changed": True})
    else:
        say(tr("Your password is changed."))
