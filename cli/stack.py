"""`karya up`, `down`, `status`, `logs` and `restart`: the stack and the services of this checkout, for people."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.console import err, local, say, show_json, show_table, warn
from cli.local_network import choose_network, show_network
from cli.local_stack import FOLDER
from cli.log_lines import log_entry, log_lines
from cli.parameters import PORT, between
from cli.sample_accounts import SampleAccount, sample_accounts
from cli.stack_accounts import start_with_accounts
from deploy.local.group import ServerStatus
from deploy.local.lan import LocalNetwork, lan_host
from deploy.local.server import Server
from deploy.local.services import PREFERRED_PORTS, LocalServices
from deploy.local.stack import LocalStack, StackError
from deploy.secure.files import PORTAL
from deploy.seed import set_up
from shared import typed
from shared.settings import UnsignedRecords
from shared.translation import tr, translated
from shared.visible import visible, visible_json
from shared.wording import Message

MAX_LINES = 1_000_000
HTTP_PORT = between(typed.whole, 1, 65_535 - len(PREFERRED_PORTS) + 1)


class ServerName(StrEnum):
    """A server of the local stack."""

    KAFKA = "kafka"
    MONGO = "mongo"
    PRODUCTION = "production"
    INVENTORY = "inventory"
    FESTIVAL = "festival"
    SALES = "sales"
    IDENTITY = "identity"
    GATEWAY = "gateway"
    PORTAL = "portal"
    OPERATIONS = "operations"


ServerArgument = Annotated[ServerName, typer.Argument(metavar="SERVER", help=f"One of {', '.join(ServerName)}.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def up(
    kafka_port: Annotated[
        int | None, typer.Option(parser=PORT, help="Kafka's port; a free one nearby if it is taken.")
    ] = None,
    mongo_port: Annotated[int | None, typer.Option(parser=PORT, help="MongoDB's port; likewise.")] = None,
    http_port: Annotated[
        int | None,
        typer.Option(parser=HTTP_PORT, help="Production's HTTP port; the other services take the next six."),
    ] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="TLS, and known users only, for Kafka and MongoDB. Data must be new.")
    ] = False,
    lan: Annotated[
        bool, typer.Option("--lan", help="Open the portal to phones in the local network, over HTTPS.")
    ] = False,
    lan_address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The same at this address of the machine.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start Kafka, MongoDB and the eight services, and leave them running. Data is kept in .karya/up."""
    host = lan_host(lan_address) if lan or lan_address is not None else None
    stack = LocalStack(FOLDER, kafka_port=kafka_port, mongo_port=mongo_port, keep_running=True, secure=secure)
    with err.status(tr("Starting Kafka and MongoDB")) as progress:
        stack.start()
        settings = stack.addresses.settings()
        progress.update(tr("Making topics"))
        asyncio.run(set_up(settings))
        progress.update(tr("Starting the services"))
        accounts = sample_accounts(FOLDER)
        network = LocalNetwork(FOLDER)
        former = local_services(stack).servers[PORTAL].pid
        has_new_certificate = choose_network(network, host, is_served=former is not None)
        services = local_services(stack, http_port=http_port)
        start_with_accounts(services, settings, accounts)
        if has_new_certificate and services.servers[PORTAL].pid == former:
            services.restart(PORTAL)
    _show(as_json=as_json)
    if not as_json:
        say()
        _show_accounts(accounts)
        show_network(network)
        say()
        say(tr("Open {address} in a browser, and sign in with one of these accounts.", address=services.urls[PORTAL]))
        say(tr("Try `karya festival list`, or a service's /docs in a browser. `make down` stops everything."))


def down(as_json: Json = False) -> None:
    """Stop everything that `karya up` has started. The data is kept."""
    stack = LocalStack(FOLDER)
    with err.status(tr("Stopping the services")):
        local_services(stack).stop()
        LocalNetwork(FOLDER).close()
    with err.status(tr("Stopping Kafka and MongoDB")):
        stack.stop()
    if as_json:
        show_json({"stopped": list(ServerName)})
    else:
        say(tr("This checkout's stack is stopped."))


def status(as_json: Json = False) -> None:
    """Ask every server for its health: what works, where and since when, and why something does not.

    Ends with 1 if anything does not work.
    """
    if not _show(as_json=as_json):
        raise typer.Exit(1)


def logs(
    server: ServerArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written later.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", parser=between(typed.whole, 0, MAX_LINES), help="So many lines at first.")
    ] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object in each line instead of text.")] = False,
) -> None:
    """Show the end of a server's log. Ctrl-C ends -f."""
    path = _server(server).log
    if not path.exists():
        raise StackError(
            tr("{server} has no log here: it has never been started. `karya up` starts everything.", server=server)
        )
    for line in log_lines(path, last=lines, follow=follow):
        if as_json:
            typer.echo(visible_json(json.dumps(log_entry(server, line), ensure_ascii=False)))
        else:
            typer.echo(visible(line, keep="\t"))


def restart(server: ServerArgument, as_json: Json = False) -> None:
    """Stop one server and start it again, over its data and with its port. It is killed if it does not stop."""
    stack = LocalStack(FOLDER, keep_running=True)
    group = stack if server in _names(stack) else local_services(stack)
    with err.status(tr("Restarting {server}", server=server)):
        group.restart(server)
    if as_json:
        show_json({"restarted": server})
    else:
        say(tr("{server} runs again.", server=server))


def _show_accounts(accounts: Sequence[SampleAccount]) -> None:
    say(tr("Sample accounts of this stack, for trying out alone. `karya login --as ROLE` signs in with one."))
    rows = [
        {"login": account.login, "password": account.password, "roles": " ".join(account.roles)}
        for account in accounts
    ]
    show_table(["login", "password", "roles"], rows, "")


def _names(group: LocalStack | LocalServices) -> list[str]:
    return [server.name for server in group.status()]


def _server(name: str) -> Server:
    stack = LocalStack(FOLDER)
    servers = [*stack.servers, *local_services(stack).servers.values()]
    [match] = [server for server in servers if server.name == name]
    return match


def local_services(stack: LocalStack, *, http_port: int | None = None) -> LocalServices:
    """The services of this checkout on its stack."""
    settings, network = stack.addresses.settings(), LocalNetwork(FOLDER)
    if stack.secrets is None and network.address is None and "unsigned" not in settings.model_fields_set:
        # Whoever tries Karya out sends records with a sample account, before any device is enrolled.
        settings = settings.model_copy(update={"unsigned": UnsignedRecords.ALLOWED})
    return LocalServices(
        FOLDER, settings, keep_running=True, http_port=http_port, secrets=stack.secrets, network=network
    )


def _show(*, as_json: bool) -> bool:
    """Show the health of everything, and return whether all of it works."""
    stack = LocalStack(FOLDER)
    services = local_services(stack)
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(group.troubles) for group in (stack, services)]
        troubles = {name: trouble for answer in futures for name, trouble in answer.result().items()}
    servers = [*stack.status(), *services.status()]
    works = not any(troubles.values())
    if as_json:
        show_json(
            [
                {**asdict(server), "health": _health(server, troubles), "trouble": _english(troubles[server.name])}
                for server in servers
            ]
        )
        return works
    rows = [_row(server, _health(server, troubles)) for server in servers]
    show_table(["what", "health", "address", "process", "since"], rows, "", words=("health",))
    network = LocalNetwork(FOLDER).address
    if network is not None and any(server.alive and server.name == PORTAL for server in servers):
        say(tr("In the local network: {address}", address=network.origin))
    for server in servers:
        if server.alive and (trouble := troubles[server.name]) is not None:
            warn(f"{server.name}: {translated(trouble)}")
    if not any(server.alive for server in servers):
        warn(tr("Nothing runs here. `karya up` starts everything."))
    return works


def _english(trouble: Message | None) -> str | None:
    return trouble.english if trouble is not None else None


def _health(server: ServerStatus, troubles: Mapping[str, Message | None]) -> str:
    if not server.alive:
        return "down"
    return "works" if troubles[server.name] is None else "in trouble"


def _row(server: ServerStatus, health: str) -> dict[str, Any]:
    since = datetime.fromtimestamp(server.started_at, UTC) if server.started_at else None
    return {
        "what": server.name,
        "health": health,
        "address": server.address if server.alive else None,
        "process": server.pid,
        "since": local(since, None) if since else None,
    }
