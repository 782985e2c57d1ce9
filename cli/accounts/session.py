"""Shared by the commands about accounts: options, the client, roles as people type them, and passwords."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.console import exit_on_error
from cli.festival.client import Row, ServiceClient
from cli.parameters import between, parser_for
from cli.sessions import identity_url
from shared import typed
from shared.access.rights import Grant
from shared.access.session import ClientSession, TokenSource
from shared.errors import NotAnswered, WrongEntry
from shared.events.identity import SCOPES, SUBJECT, Role
from shared.translation import tr
from shared.wording import Message

ACCOUNTS = "accounts"
IDENTITY_SERVICE = "identity"
WAIT_SECONDS = 10
# No login is so short.
ME = "me"

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Account = Annotated[str, typer.Argument(help="The account's subject or login; `me` is your own.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]


def choose(
    context: typer.Context,
    wait: Annotated[
        int,
        typer.Option(
            parser=between(typed.whole, 0, 30), help="Seconds to wait for the outcome of a command, at most 30."
        ),
    ] = WAIT_SECONDS,
) -> None:
    context.obj = wait


@contextmanager
def service(context: typer.Context, signed_in: TokenSource | None = None) -> Iterator[ServiceClient]:
    """The identity service. An error is shown without a traceback and ends with exit code 1."""
    wait: int = context.obj
    with exit_on_error(), identity_service(wait, signed_in) as api:
        yield api


def identity_service(wait: int, signed_in: TokenSource | None = None) -> ServiceClient:
    """The identity service of this machine's session. Raises NotAnswered if its address is not known.

    No option gives another address: a token would go to a service that must not see it.
    """
    return ServiceClient(known_identity(), wait, IDENTITY_SERVICE, signed_in)


def known_identity() -> str:
    """The address of the identity service. Raises NotAnswered if it is not known."""
    if (url := identity_url()) is None:
        raise NotAnswered(
            Message("No identity service is known here: run `make up`, or set KARYA_IDENTITY_URL to its address.")
        )
    return url


def open_session(api: ServiceClient, identity: str, login: str, password: str) -> ClientSession:
    """A new session with identity, whose address is given. Raises NotAnswered."""
    asked_at = time.time()
    answer = api.ask("sessions", body={"login": login, "password": password})
    try:
        return ClientSession.from_answer(identity, answer, asked_at)
    except (KeyError, TypeError, ValueError):
        raise NotAnswered(Message("What answers at {url} is no identity service.", url=identity)) from None


def grant(text: str) -> Grant:
    """A role with its scope as a person types it, e.g. `organiser:ODOP`. Raises WrongEntry."""
    name, colon, scope = text.strip().partition(":")
    try:
        role = Role(name.strip().lower())
    except ValueError:
        raise WrongEntry(
            Message("{text!r} is no role. The roles are {roles}.", text=name, roles=", ".join(Role))
        ) from None
    rule = SCOPES.get(role)
    if rule is None:
        if colon:
            raise WrongEntry(Message("The role {role} has no scope: leave out {scope!r}.", role=role, scope=scope))
        return Grant(role)
    if not colon:
        raise WrongEntry(
            Message("The role {role} needs a scope, e.g. {example}.", role=role, example=_EXAMPLES[role])
        )
    if (wrong := rule.wrong(scope.strip())) is not None:
        raise WrongEntry(wrong)
    return Grant(role, scope.strip())


_EXAMPLES = {
    Role.FACILITY_STAFF: "facility-staff:LP-KPG",
    Role.CASHIER: "cashier:ODOP.B1",
    Role.ORGANISER: "organiser:ODOP",
    Role.SUBSCRIBER: "subscriber:karya.public.sales.v1",
    Role.TERMINAL: "terminal:LP-KPG",
    Role.TILL: "till:ODOP.B1",
}
GRANT = parser_for(grant)
RoleArgument = Annotated[
    Grant, typer.Argument(parser=GRANT, metavar="ROLE[:SCOPE]", help="The role, e.g. organiser:ODOP or auditor.")
]


def role_text(row: Row) -> str:
    """A role of identity's pages as people type it."""
    return row["role"] if row["scope"] is None else f"{row['role']}:{row['scope']}"


def subject_of(api: ServiceClient, text: str) -> str:
    """The subject of the account that a person means by a subject, a login or `me`.

    Raises WrongEntry for a login that no account has.
    """
    text = text.strip()
    if text.casefold() == ME:
        return str(api.get("me")["subject"])
    if SUBJECT.fullmatch(text):
        return text
    matches = [row for row in api.all(ACCOUNTS, by="subject") if _login(row) == text.casefold()]
    if not matches:
        raise WrongEntry(Message("No account has the login {login}. `karya accounts list` shows all.", login=text))
    return str(matches[0]["subject"])


def new_password(*, from_stdin: bool) -> str:
    """The password that a person chooses: typed twice without an echo, or a line of standard input."""
    return password_from_stdin() if from_stdin else _typed(tr("New password"), confirm=True)


def known_password(*, from_stdin: bool) -> str:
    """The password that a person has: typed without an echo, or a line of standard input."""
    return password_from_stdin() if from_stdin else _typed(tr("Password"), confirm=False)


def password_from_stdin() -> str:
    """The next line of standard input, without its end. Raises WrongEntry if there is none."""
    line = sys.stdin.readline()
    if not line.rstrip("\r\n"):
        raise WrongEntry(Message("There is no password on standard input."))
    return line.rstrip("\r\n")


def _typed(prompt: str, *, confirm: bool) -> str:
    if not sys.stdin.isatty():
        raise WrongEntry(
            Message(
                "There is no terminal to type the password at: use --password-stdin, and give it on standard input."
            )
        )
    password: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def _login(row: Row) -> str | None:
    login = row.get("login")
    return login.casefold() if isinstance(login, str) else None
