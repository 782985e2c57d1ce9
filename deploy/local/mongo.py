"""A MongoDB-protocol server for development and tests: its start command and readiness."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import process
from deploy.local.server import StackError
from deploy.secure.files import ADMINISTRATOR, MONGO
from deploy.secure.users import ServerSecrets
from shared.causes import cause_of
from shared.mongo import mongo_access
from shared.settings import Settings
from shared.wording import Message

PREFERRED_PORT = 27117
PREFERRED_FIRST_PORT = 30117
ANSWER_MILLISECONDS = 2000
FIRST_MILLISECONDS = 30_000
PROGRAM = Path(sys.executable).with_name("secantusd-rs")


@dataclass(frozen=True, slots=True)
class MongoKind:
    """A server whose data and log are in `folder`. With `secrets` it admits known users only."""

    folder: Path
    secrets: ServerSecrets | None = None
    name: str = "mongo"

    @property
    def marker(self) -> str:
        return str(self.folder / "data")

    def address(self, port: int) -> str:
        # Direct: the only member may have another host name than the client uses.
        return f"mongodb://127.0.0.1:{port}/?directConnection=true"

    def command(self, port: int) -> list[str]:
        """The start command; raises StackError when the program is not installed."""
        if not PROGRAM.exists():
            raise StackError(f"{PROGRAM.name} is not in the virtual environment. Run: make setup")
        # An explicit empty configuration: by default the server reads one from the home folder.
        configuration = self.folder / "secantusd.toml"
        configuration.touch()
        command = [
            str(PROGRAM),
            *("--config", str(configuration)),
            *("--host", "127.0.0.1"),
            *("--storage-path", self.marker),
            # An upper bound. A smaller cache is evicted and reloaded all the time: with a million lots and 512M
            # a batch took a minute.
            *("--cache-size", "4G"),
            *("--log-file-max", "128MB"),
            *("--log-level", "WARNING"),
            # Without it a killed server loses acknowledged transactions.
            "--sync-on-commit",
        ]
        if self.secrets is None:
            return [*command, "--port", str(port)]
        file = str(self.secrets.server(self.name))
        command += ["--tls-cert-file", file, "--tls-key-file", file]
        if not Path(self.marker).exists():
            self._make_administrator(command, self.secrets)
        return [*command, "--port", str(port), "--auth"]

    def _make_administrator(self, command: Sequence[str], secrets: ServerSecrets) -> None:
        """Make the first user with a server that asks for none, on a port of its own. Raises StackError.

        A server that asks for passwords admits nobody before the first user exists. So this one asks for a client
        certificate of the stack's authority. Only the owner of the stack's files has one.
        """
        own = str(secrets.server(self.name))
        certified = ("--tls-ca-file", str(secrets.authorities), "--tls-require-client-cert")
        # A random one: several stacks may start at the same time.
        port = process.free_port(process.port_of_its_own(PREFERRED_FIRST_PORT))
        first = secrets.credentials(MONGO, ADMINISTRATOR)
        server = subprocess.Popen(
            [*command, *certified, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with MongoClient[dict[str, object]](
                self.address(port),
                tls=True,
                tlsCAFile=str(secrets.authorities),
                tlsCertificateKeyFile=own,
                serverSelectionTimeoutMS=FIRST_MILLISECONDS,
            ) as client:
                roles = [{"role": "root", "db": "admin"}]
                client.admin.command("createUser", first.user, pwd=first.password, roles=roles)
        except PyMongoError as fault:
            raise StackError(f"MongoDB's first user can't be made: {cause_of(fault)}") from fault
        finally:
            server.terminate()
            server.wait()

    def _access(self) -> dict[str, Any]:
        return {} if self.secrets is None else mongo_access(self.secrets.of(ADMINISTRATOR, Settings()))

    def not_ready(self, port: int) -> str | None:
        """Send a ping, and run a transaction that is aborted."""
        try:
            with (
                MongoClient[dict[str, object]](
                    self.address(port),
                    **self._access(),
                    serverSelectionTimeoutMS=ANSWER_MILLISECONDS,
                    socketTimeoutMS=ANSWER_MILLISECONDS,
                ) as client,
                client.start_session() as session,
            ):
                client.admin.command("ping")
                session.start_transaction()
                client["karya_is_mongo_ready"]["probe"].insert_one({}, session=session)
                session.abort_transaction()
                client.drop_database("karya_is_mongo_ready")
        except PyMongoError as fault:
            return str(cause_of(fault))
        return None

    def trouble(self, port: int) -> Message | None:
        """Send a ping."""
        try:
            with MongoClient[dict[str, object]](
                self.address(port),
                **self._access(),
                serverSelectionTimeoutMS=ANSWER_MILLISECONDS,
                connectTimeoutMS=ANSWER_MILLISECONDS,
                socketTimeoutMS=ANSWER_MILLISECONDS,
            ) as client:
                client.admin.command("ping")
        except PyMongoError as fault:
            return Message("it does not answer: {reason}", reason=cause_of(fault))
        return None
