"""Commands about codes: a code of an invitation brings a role, a code of a reset a new password."""

from datetime import datetime
from typing import Annotated

import typer

from cli.accounts.session import (
    Json,
    PasswordStdin,
    RoleArgument,
    new_password,
    service,
)
from cli.console import local, say, show_json
from cli.parameters import between
from cli.sessions import STRANGER
from shared import typed
from shared.translation import tr

LONGEST_HOURS = 24 * 30

Code = Annotated[str, typer.Argument(help="The code that you were given.")]
Login = Annotated[str, typer.Option(prompt=True, help="The login that you choose.")]


def invite(
    context: typer.Context,
    role: RoleArgument,
    hours: Annotated[
        int, typer.Option(parser=between(typed.whole, 1, LONGEST_HOURS), help="For how many hours the code is valid.")
    ] = 72,
    as_json: Json = False,
) -> None:
    """Make a code that brings a role. It is valid once: whoever has it gets the role."""
    body = {"role": role.role.value, "scope": role.scope, "hours": hours}
    with service(context) as api:
        row = api.ask("invitations", body=body)
    if as_json:
        show_json(row)
        return
    say(row["code"])
    until = local(datetime.fromisoformat(row["expires_at"]), None)
    say(tr("Brings the role {role}, once, until {until}. Give it to one person alone.", role=str(role), until=until))
    say(tr("With an account: `karya accounts accept CODE`. Without one: `karya accounts register CODE`."))


def accept(context: typer.Context, code: Code, as_json: Json = False) -> None:
    """Take the role of an invitation into your own account."""
    with service(context) as api:
        row = api.ask("invitations", code.strip(), "accept", body={})
        api.renew()
    if as_json:
        show_json(row)
        return
    say(tr("Your account has the role of the invitation. `karya whoami` shows your roles."))


def register(
    context: typer.Context,
    code: Code,
    login: Login,
    name: Annotated[str, typer.Option(prompt=True, help="Your name, which administrators alone see.")],
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Open an account with the code of an invitation."""
    with service(context, STRANGER) as api:
        body = {"login": login.strip(), "name": name.strip(), "password": new_password(from_stdin=password_stdin)}
        row = api.ask("invitations", code.strip(), "account", body=body)
    if as_json:
        show_json(row)
        return
    say(tr("Your account is open. Sign in: `karya login {login}`.", login=login.strip()))


def restore(
    context: typer.Context,
    code: Code,
    login: Annotated[
        str | None, typer.Option(help="The login that you want; needed only if the former one was lost.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Your name, if the former one was lost.")] = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Choose a new password with the code of a reset. Every session of the account ends."""
    with service(context, STRANGER) as api:
        body = {"password": new_password(from_stdin=password_stdin), "login": login, "name": name}
        row = api.ask("resets", code.strip(), "password", body=body)
    if as_json:
        show_json(row)
        return
    say(tr("You have a new password. Sign in: `karya login`."))
