"""Commands that change the account of somebody else: its roles, its end, and a new password."""

import typer

from cli.accounts.session import ACCOUNTS, Account, Json, RoleArgument, service, subject_of
from cli.console import say, show_json
from cli.festival.session import Reason, show_answer
from shared.access.rights import Grant
from shared.translation import tr


def grant(context: typer.Context, account: Account, role: RoleArgument, as_json: Json = False) -> None:
    """Grant a role to an account. It is in tokens that are made from now on."""
    _change(context, account, role, "grant", as_json=as_json)


def revoke(context: typer.Context, account: Account, role: RoleArgument, as_json: Json = False) -> None:
    """Withdraw a role from an account. A token made before may name it for five minutes."""
    _change(context, account, role, "withdraw", as_json=as_json)


def close(context: typer.Context, account: Account, reason: Reason = "", as_json: Json = False) -> None:
    """Close an account for good: nobody signs in with it any more."""
    with service(context) as api:
        subject = subject_of(api, account)
        answer = api.command(ACCOUNTS, subject, "close", body={"reason": reason})
        show_answer(answer, tr("Account {subject} is closed.", subject=subject), as_json=as_json)


def reset(context: typer.Context, account: Account, as_json: Json = False) -> None:
    """Make a code with which the owner of an account chooses a new password. It is valid once, for 24 hours."""
    with service(context) as api:
        subject = subject_of(api, account)
        row = api.ask(ACCOUNTS, subject, "reset", body={})
    if as_json:
        show_json(row)
        return
    say(row["code"])
    say(tr("Whoever has this code chooses a new password: `karya accounts restore CODE`."))


def _change(context: typer.Context, account: str, role: Grant, verb: str, *, as_json: bool) -> None:
    with service(context) as api:
        subject = subject_of(api, account)
        body = {"role": role.role.value, "scope": role.scope}
        answer = api.command(ACCOUNTS, subject, "roles", verb, body=body)
        if verb == "grant":
            message = tr("Account {subject} has the role {role}.", subject=subject, role=str(role))
        else:
            message = tr("Account {subject} no longer has the role {role}.", subject=subject, role=str(role))
        show_answer(answer, message, as_json=as_json)
