"""A MongoDB-protocol server for development and tests: its start command and readiness."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.server import StackError
from shared.causes import cause_of
from shared.wording import Message

PREFERRED_PORT = 27117
ANSWER_MILLISECONDS = 2000
PROGRAM = Path(sys.executable).with_name("secantusd-rs")


@dataclass(frozen=True, slots=True)
class MongoKind:
    """A server whose data and log are in `folder`."""

    folder: Path
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
        return [
            str(PROGRAM),
            *("--config", str(configuration)),
            *("--host", "127.0.0.1"),
            *("--port", str(port)),
            *("--storage-path", self.marker),
            # An upper bound. A smaller cache is evicted and reloaded all the time: with a million lots and 512M
            # a batch took a minute.
            *("--cache-size", "4G"),
            *("--log-file-max", "128MB"),
            *("--log-level", "WARNING"),
            # Without it a killed server loses acknowledged transactions.
            "--sync-on-commit",
        ]

    def not_ready(self, port: int) -> str | None:
        """Send a ping, and run a transaction that is aborted."""
        try:
            with (
                MongoClient[dict[str, object]](
                    self.address(port),
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
                serverSelectionTimeoutMS=ANSWER_MILLISECONDS,
                connectTimeoutMS=ANSWER_MILLISECONDS,
                socketTimeoutMS=ANSWER_MILLISECONDS,
            ) as client:
                client.admin.command("ping")
        except PyMongoError as fault:
            return Message("it does not answer: {reason}", reason=cause_of(fault))
        return None
