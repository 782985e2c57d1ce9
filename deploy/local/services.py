"""Karya's four services as processes of this machine, on any Kafka and MongoDB."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from deploy.local.group import Group, ServerStatus, Wanted
from deploy.local.server import Server
from shared.settings import Settings

PREFERRED_PORTS = {"production": 8001, "inventory": 8002, "festival": 8003, "sales": 8004}
ANSWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """An instance of `service`, its log in `folder`. `variables` are its settings as KARYA_* variables."""

    service: str
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    program: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def marker(self) -> str:
        # An option that Python passes over: it tells this process from the same service of another checkout.
        return f"karya={self.folder}"

    def address(self, port: int) -> str:
        return f"http://127.0.0.1:{port}"

    def command(self, port: int) -> list[str]:
        env = shutil.which("env") or "/usr/bin/env"
        told = {**self.variables, "KARYA_HTTP_HOST": "127.0.0.1", "KARYA_HTTP_PORT": str(port)}
        return [
            env,
            # Only what the settings say may reach the service, not what else is around here.
            *(f"--unset={name}" for name in os.environ if name.startswith("KARYA_")),
            *(f"{name}={value}" for name, value in told.items()),
            *(sys.executable, "-X", self.marker, *(self.program or ("-m", f"services.{self.service}.app"))),
        ]

    def not_ready(self, port: int) -> str | None:
        """Ask once whether it has started. Not whether it is ready: after a long rest it has much to catch up on."""
        try:
            with urlopen(f"{self.address(port)}/health/started", timeout=ANSWER_SECONDS):
                return None
        except HTTPError as error:
            return error.read().decode(errors="replace")
        except (URLError, OSError) as error:
            return repr(error)


class LocalServices:
    """The four services, their logs and state in `folder`. As a context manager it starts and stops.

    With `keep_running` they stay when this process ends; else they die with it, even when it is killed (on Linux).
    """

    def __init__(self, folder: Path, settings: Settings, *, keep_running: bool = False) -> None:
        folder = folder.resolve()
        variables = environment(settings)
        kinds = [
            Wanted(ServiceKind(name, folder / name, variables), preferred)
            for name, preferred in PREFERRED_PORTS.items()
        ]
        self._group = Group(folder, "services", kinds, tied=not keep_running)

    @property
    def servers(self) -> dict[str, Server]:
        return {server.name: server for server in self._group.servers}

    @property
    def urls(self) -> dict[str, str]:
        """Where each service's HTTP API is."""
        return {server.name: server.address for server in self._group.servers}

    def start(self) -> dict[str, str]:
        """Start those that do not run yet, wait until all have come to work, and say where. Raises StackError."""
        self._group.start()
        return self.urls

    def stop(self) -> None:
        """Let them finish what they have in hand and end; can be repeated."""
        self._group.stop()

    def status(self) -> list[ServerStatus]:
        return self._group.status()

    def troubles(self) -> dict[str, str | None]:
        """What keeps each service that runs from being ready, in its own words; None when it is."""
        return {server.name: _trouble(server.address) for server in self._group.servers if server.alive}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _trouble(address: str) -> str | None:
    try:
        with urlopen(f"{address}/health/ready", timeout=ANSWER_SECONDS):
            return None
    except HTTPError as error:
        return str(json.loads(error.read())["detail"])
    except (URLError, OSError) as error:
        return repr(error)


def environment(settings: Settings) -> dict[str, str]:
    """These settings as the variables that give them to another process."""
    said = settings.model_dump(mode="json", exclude_none=True)
    return {f"KARYA_{name.upper()}": str(value) for name, value in said.items()}
