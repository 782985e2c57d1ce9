"""Karya's eight services as local processes, on any Kafka and MongoDB."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from deploy.local import process
from deploy.local.group import Group, ServerSpec, ServerStatus
from deploy.local.lan import LocalNetwork
from deploy.local.server import Server
from deploy.secure.files import OPERATOR, PORTAL
from deploy.secure.users import ServerSecrets
from shared.causes import cause_of
from shared.settings import Settings
from shared.wording import Message, as_message

PREFERRED_PORTS = {
    "production": 8001,
    "inventory": 8002,
    "festival": 8003,
    "sales": 8004,
    "identity": 8005,
    "gateway": 8006,
    "portal": 8007,
    "operations": 8008,
}
OPERATIONS = "operations"
# Which module runs a service, and as whose user of a secured stack, if not one of its own name.
_PROGRAMS = {OPERATIONS: ("-m", "ops.service.app")}
_PRINCIPALS = {OPERATIONS: OPERATOR}
IDENTITY = "identity"
IDENTITY_ISSUER = "KARYA_IDENTITY_ISSUER"
# Settings of which a running service must have the latest.
FOLLOWED: Mapping[str, Sequence[str]] = {
    PORTAL: ("KARYA_TLS_HOST", "KARYA_TLS_PORT", "KARYA_UNSIGNED"),
    "gateway": ("KARYA_UNSIGNED",),
}
ANSWER_SECONDS = 5
HEALTH_SECONDS = 2


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """An instance of `service` with its log in `folder` and its settings as KARYA_* `variables`.

    `urls`: the addresses of all services at the moment of the start, if they differ from those of the settings.
    """

    service: str
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    program: Sequence[str] = ()
    urls: Callable[[], Mapping[str, str]] | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def marker(self) -> str:
        # Python ignores this option. It distinguishes the process from the same service of another checkout.
        return f"karya={self.folder}"

    def address(self, port: int) -> str:
        return f"http://127.0.0.1:{port}"

    def addresses(self, port: int) -> dict[str, str]:
        """The variables with the addresses that the service must know: identity's, and of the portal all."""
        if self.urls is None:
            return {}
        urls = {**self.urls(), self.service: self.address(port)}
        names = urls if self.service == PORTAL else (IDENTITY,)
        return {f"KARYA_{name.upper()}_URL": urls[name] for name in names}

    def command(self, port: int) -> list[str]:
        env = shutil.which("env") or "/usr/bin/env"
        own = {"KARYA_HTTP_HOST": "127.0.0.1", "KARYA_HTTP_PORT": str(port)}
        # Here people and services know identity by the same address.
        issuer = {IDENTITY_ISSUER: ""} if self.urls is not None else {}
        variables = {**self.variables, **own, **self.addresses(port), **issuer}
        return [
            env,
            # The service must get its settings only, and no other KARYA_* variable of the caller.
            *(f"--unset={name}" for name in os.environ if name.startswith("KARYA_")),
            *(f"{name}={value}" for name, value in variables.items()),
            *(sys.executable, "-X", self.marker, *(self.program or ("-m", f"services.{self.service}.app"))),
        ]

    def not_ready(self, port: int) -> str | None:
        """Probe once whether the service has started. It may be unready long after a pause, while it catches up."""
        try:
            with urlopen(f"{self.address(port)}/health/started", timeout=ANSWER_SECONDS):
                return None
        except HTTPError as error:
            return error.read().decode(errors="replace")
        except (URLError, OSError) as error:
            return str(cause_of(error))

    def trouble(self, port: int) -> Message | None:
        """Ask once whether the service is ready."""
        try:
            with urlopen(f"{self.address(port)}/health/ready", timeout=HEALTH_SECONDS):
                return None
        except HTTPError as error:
            return _detail(error)
        except TimeoutError:
            return Message("it has not answered for {seconds} s", seconds=HEALTH_SECONDS)
        except (URLError, OSError) as error:
            return Message("it does not answer: {reason}", reason=cause_of(error))


class LocalServices:
    """The eight services, with logs and state in `folder`. As a context manager it starts and stops them.

    With `keep_running` they outlive this process; else they end with it, even when it is killed (on Linux).
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        keep_running: bool = False,
        http_port: int | None = None,
        secrets: ServerSecrets | None = None,
        network: LocalNetwork | None = None,
    ) -> None:
        """`http_port`: the wished port of the first service; each of the others wishes the next one. `secrets`: of a
        secured stack, where each service is a user of its own. `network`: where the portal is open to phones."""
        folder = folder.resolve()

        def of_service(name: str) -> Settings:
            own = secrets.of(_PRINCIPALS.get(name, name), settings) if secrets is not None else settings
            return network.of_portal(own) if network is not None and name == PORTAL else own

        self._kinds = {
            name: ServiceKind(
                name, folder / name, environment(of_service(name)), _PROGRAMS.get(name, ()), urls=lambda: self.urls
            )
            for name in PREFERRED_PORTS
        }
        specs = [
            ServerSpec(kind, PREFERRED_PORTS[name], http_port + number if http_port is not None else None)
            for number, (name, kind) in enumerate(self._kinds.items())
        ]
        # Identity starts first, as the others are told its port, and the portal last, as it is told theirs.
        specs.sort(key=lambda spec: (spec.kind.name == PORTAL, spec.kind.name != IDENTITY))
        self._group = Group(folder, "services", specs, tied=not keep_running)

    @property
    def servers(self) -> dict[str, Server]:
        return {server.name: server for server in self._group.servers}

    @property
    def urls(self) -> dict[str, str]:
        """The address of each service's HTTP API."""
        return {server.name: server.address for server in self._group.servers}

    def start(self) -> dict[str, str]:
        """Start the services that do not run, wait until all have started, and return `urls`. Raises StackError."""
        self._group.start()
        self._follow_addresses()
        return self.urls

    def stop(self) -> None:
        """Stop the services gracefully. Safe to repeat."""
        self._group.stop()

    def status(self) -> list[ServerStatus]:
        return self._group.status()

    def troubles(self) -> dict[str, Message | None]:
        """Why each service does not work now, as it reports it; None when it is ready."""
        return self._group.troubles()

    def restart(self, name: str) -> None:
        """Stop one service and start it again. Raises StackError."""
        self._group.restart(name)
        self._follow_addresses()

    def _follow_addresses(self) -> None:
        """Restart each service that knows another one by a former address, and would refuse all tokens of identity;
        and those for which the opening to the local network has changed.

        A service has another address if its port was taken while it was down, or between two starts.
        """
        for server in self._group.servers:
            if server.pid is not None and self._is_outdated(server, server.pid):
                self._group.restart(server.name)

    def _is_outdated(self, server: Server, pid: int) -> bool:
        kind = self._kinds[server.name]
        for name, address in kind.addresses(server.port).items():
            known = process.variable(pid, name)
            if known is not None and known != address:
                return True
        return any(
            (process.variable(pid, name) or "") != kind.variables.get(name, "")
            for name in FOLLOWED.get(kind.name, ())
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _detail(error: HTTPError) -> Message:
    """The causes that a service names, or the answer as it is."""
    text = error.read().decode(errors="replace")
    try:
        return as_message(str(json.loads(text)["detail"]))
    except (ValueError, TypeError, KeyError):
        return Message("it answers {status}: {text}", status=error.code, text=text[:300])


def environment(settings: Settings) -> dict[str, str]:
    """The environment variables that pass these settings to another process."""
    fields = settings.model_dump(mode="json", exclude_none=True)
    return {f"KARYA_{name.upper()}": str(value) for name, value in fields.items()}
