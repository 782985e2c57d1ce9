"""The command with which people change their own password."""

import typer

from cli.accounts.session import Json, PasswordStdin, known_password, new_password, service
from cli.console import say, show_json
from cli.sessions import session_file
from shared.translation import tr


def password(context: typer.Context, password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Change your own password. All your sessions end.

    With --password-stdin the first line is the old password, and the second the new one.
    """
    with service(context) as api:
        old = known_password(from_stdin=password_stdin)
        api.ask("password", body={"old": old, "new": new_password(from_stdin=password_stdin)})
        if (file := session_file()) is not None:
            file.delete()
    if as_json:
        show_json({"changed": True})
    else:
        say(tr("Your password is changed, and all your sessions have ended. Sign in: `karya login`."))
