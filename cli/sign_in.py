"""`karya login`, `logout` and `whoami`: the session of this machine with the identity service."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.accounts.session import (
    GRANT,
    IDENTITY_SERVICE,
    WAIT_SECONDS,
    Json,
    PasswordStdin,
    identity_service,
    known_identity,
    known_password,
    open_session,
    role_text,
)
from cli.console import exit_on_error, local, say, show_json, warn
from cli.festival.client import ROLE_WITHIN, ServiceClient
from cli.local_stack import FOLDER
from cli.provider_sign_in import provider_session, takes_provider
from cli.sample_accounts import sample_of
from cli.sessions import STRANGER, session_file, token_source
from shared.access.rights import Grant
from shared.access.session import ClientSession, SessionFile, claims_of, roles_of, wait_for_role
from shared.errors import NotAnswered, WrongEntry
from shared.events.identity import Role
from shared.translation import tr
from shared.wording import Message


def login(
    login: Annotated[str | None, typer.Argument(help="Your login; it is asked for if left out.")] = None,
    password_stdin: PasswordStdin = False,
    sample: Annotated[
        Role | None,
        typer.Option(
            "--as", metavar="ROLE", help="Sign in with the sample account of this role, on `karya up` alone."
        ),
    ] = None,
    provider: Annotated[
        bool,
        typer.Option("--provider", help="Sign in at the provider of the identity service, in a browser."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign in. The session is kept on this machine until `karya logout`; no option takes a password."""
    with exit_on_error(), identity_service(WAIT_SECONDS, STRANGER) as api:
        gives_account = login is not None or sample is not None or password_stdin
        if provider and gives_account:
            raise WrongEntry(
                Message("`--provider` asks for your account in a browser: leave out login and password.")
            )
        if not gives_account and takes_provider(api, is_wanted=provider):
            session = provider_session(api, known_identity())
            name = session.subject
        else:
            name, password = _account(login, sample, from_stdin=password_stdin)
            session = open_session(api, known_identity(), name, password)
        file = _file()
        with file.locked():
            former = file.read()
            file.write(session)
        if former is not None and former.identity == session.identity:
            _end(api, former)
    roles = roles_of(session.access_token)
    if as_json:
        show_json({"subject": session.subject, "login": name, "roles": roles, "session": str(file.path)})
    elif roles:
        say(tr("You are signed in as {login}, with the roles {roles}.", login=name, roles=", ".join(roles)))
    else:
        say(tr("You are signed in as {login}. The account has no role yet.", login=name))


def logout(as_json: Json = False) -> None:
    """Sign out: the session ends here and at the identity service."""
    ended = False
    with exit_on_error():
        file = _file()
        with file.locked():
            session = file.read()
            file.delete()
        if session is not None:
            with ServiceClient(session.identity, WAIT_SECONDS, IDENTITY_SERVICE, STRANGER) as api:
                ended = _end(api, session)
            if not ended:
                warn(
                    tr(
                        "The identity service does not answer. You are signed out here; there the session ends "
                        "when it expires."
                    )
                )
    if as_json:
        show_json({"signed_out": session is not None, "ended": ended})
    else:
        say(tr("You are signed out.") if session is not None else tr("Nobody was signed in here."))


def whoami(as_json: Json = False) -> None:
    """Show who is signed in, with which roles, and until when the access token is valid."""
    with exit_on_error(), identity_service(WAIT_SECONDS) as api:
        me = api.get("me")
        token = token_source().token()
        expires = claims_of(token).get("exp") if token else None
    until = datetime.fromtimestamp(expires, UTC) if isinstance(expires, int) else None
    if as_json:
        show_json({**me, "valid_until": until.isoformat() if until else None})
        return
    say(tr("{name}, account {subject}", name=me["name"] or "-", subject=me["subject"]))
    say(tr("roles: {roles}", roles=", ".join(map(role_text, me["roles"])) or tr("none")))
    if until is not None:
        say(tr("access token valid until {moment}; it is renewed by itself", moment=local(until, None)))


def token(
    role: Annotated[
        Grant | None,
        typer.Option(parser=GRANT, metavar="ROLE[:SCOPE]", help="Wait until the token has this role, at most 10 s."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print an access token of this machine's session, for another program. It is valid for some minutes."""
    with exit_on_error():
        signed_in = token_source()
        has_role = role is None or wait_for_role(signed_in, str(role), ROLE_WITHIN)
        found = signed_in.token()
        if found is None:
            raise NotAnswered(Message("Sign in first: `karya login`."))
        if not has_role:
            raise NotAnswered(Message("The account does not have the role {role}.", role=str(role)))
    if as_json:
        show_json({"access_token": found, "expires_at": claims_of(found).get("exp")})
    else:
        typer.echo(found)


def _account(login: str | None, sample: Role | None, *, from_stdin: bool) -> tuple[str, str]:
    """The login and the password. Raises WrongEntry."""
    if sample is not None:
        if login is not None or from_stdin:
            raise WrongEntry(Message("`--as` takes the login and password of a sample account: leave out yours."))
        account = sample_of(FOLDER, sample)
        return account.login, account.password
    if login is None:
        if from_stdin:
            raise WrongEntry(Message("Write the login before `--password-stdin`."))
        login = typer.prompt(tr("Login"), err=True)
    return str(login).strip(), known_password(from_stdin=from_stdin)


def _file() -> SessionFile:
    known_identity()
    file = session_file()
    assert file is not None
    return file


def _end(api: ServiceClient, session: ClientSession) -> bool:
    """End a session at identity. False if it does not answer: then the session ends when it expires."""
    try:
        api.ask("sessions", "end", body={"refresh_token": session.refresh_token})
    except NotAnswered as fault:
        return fault.status is not None
    return True
