"""`karya accounts first`: the first administrator of a stack, made without a caller."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from cli.accounts.session import Json
from cli.administrator import as_administrator
from cli.console import local, say, show_json
from cli.operator_name import operator_name
from deploy.accounts import make_first, reset_code
from ops.reaching import unreachable
from shared.errors import NotReached
from shared.settings import settings_for
from shared.translation import tr


def first(
    login: Annotated[str, typer.Argument(help="The login of the administrator.")],
    name: Annotated[str, typer.Option(help="The administrator's name; without it the login is shown.")] = "",
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Make no account, but a code for a new password of this login or subject."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the first administrator, with Kafka and MongoDB themselves, and a code for the password.

    It needs the credentials that `karya topics` needs, and no account. Safe to repeat until the code was used. Where
    somebody is an administrator already, it makes none.
    """
    settings = as_administrator(settings_for("mongo") if reset else settings_for("kafka", "mongo"))
    try:
        if reset:
            made = asyncio.run(reset_code(settings, login))
        else:
            made = asyncio.run(make_first(settings, login, name, actor=operator_name(settings, None)))
    except (KafkaError, PyMongoError, OSError) as error:
        raise NotReached(unreachable(settings, error)) from error
    if as_json:
        show_json({**asdict(made), "expires_at": made.expires_at.isoformat()})
        return
    say(made.code)
    until = local(made.expires_at, None)
    say(tr("Choose the password, once, until {until}: `karya accounts restore CODE`.", until=until))
