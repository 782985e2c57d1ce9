"""Servers that a test may disturb."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.server import Server
from deploy.local.stack import LocalStack
from shared.settings import Settings


@contextmanager
def frozen_server(server: Server) -> Iterator[None]:
    """The server takes connections and never answers."""
    assert server.alive
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextmanager
def killed_server(server: Server) -> Iterator[None]:
    """The server is killed, and started again over the same data at the end."""
    server.kill()
    try:
        yield
    finally:
        server.start()


def settings_on(stack: LocalStack, mark: str) -> Settings:
    """A place of its own on a stack of its own; its topics are still to be made."""
    return Settings(
        kafka=stack.addresses.kafka,
        mongo=stack.addresses.mongo,
        partitions=3,
        topic_prefix=f"{mark}.",
        database_prefix=f"{mark}_",
        session_timeout_ms=6000,
    )
