"""`karya up`, `down` and `status`: the stack and the services of this checkout, for people to use."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.console import err, local, say, show_json, show_table, warn
from cli.local_stack import FOLDER
from cli.parameters import PORT
from deploy.local.group import ServerStatus
from deploy.local.services import LocalServices
from deploy.local.stack import LocalStack
from deploy.seed import set_up
from shared.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def up(
    kafka_port: Annotated[
        int | None, typer.Option(parser=PORT, help="Kafka's port; a free one nearby if it is taken.")
    ] = None,
    mongo_port: Annotated[int | None, typer.Option(parser=PORT, help="MongoDB's port; likewise.")] = None,
    as_json: Json = False,
) -> None:
    """Start Kafka, MongoDB and the four services, and leave them running. Data is kept in .karya/up."""
    stack = LocalStack(FOLDER, kafka_port=kafka_port, mongo_port=mongo_port, keep_running=True)
    with err.status("Starting Kafka and MongoDB") as progress:
        stack.start()
        settings = _settings(stack)
        progress.update("Making topics")
        asyncio.run(set_up(settings))
        progress.update("Starting production, inventory, festival and sales")
        LocalServices(FOLDER, settings, keep_running=True).start()
    _show(as_json=as_json)
    if not as_json:
        say()
        say("Try `karya festival list`, or a service's /docs in a browser. `make down` stops everything.")


def down() -> None:
    """Stop everything that `karya up` has started. The data is kept."""
    stack = LocalStack(FOLDER)
    with err.status("Stopping the services"):
        LocalServices(FOLDER, _settings(stack)).stop()
    with err.status("Stopping Kafka and MongoDB"):
        stack.stop()
    say("This checkout's stack is stopped.")


def status(as_json: Json = False) -> None:
    """Show what runs, where and since when, and why a service is not ready."""
    _show(as_json=as_json)


def _settings(stack: LocalStack) -> Settings:
    return Settings(kafka=stack.addresses.kafka, mongo=stack.addresses.mongo)


def _show(*, as_json: bool) -> None:
    stack = LocalStack(FOLDER)
    services = LocalServices(FOLDER, _settings(stack))
    servers = [*stack.status(), *services.status()]
    failures = services.readiness_failures()
    if as_json:
        show_json([{**asdict(server), "trouble": failures.get(server.name)} for server in servers])
        return
    show_table(["what", "runs", "address", "process", "since"], [_row(server) for server in servers], "")
    for name, failure in failures.items():
        if failure is not None:
            warn(f"{name} is not ready: {failure}")


def _row(server: ServerStatus) -> dict[str, Any]:
    since = datetime.fromtimestamp(server.started_at, UTC) if server.started_at else None
    return {
        "what": server.name,
        "runs": "yes" if server.alive else "no",
        "address": server.address if server.alive else None,
        "process": server.pid,
        "since": local(since, None) if since else None,
    }
