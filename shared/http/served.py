"""What serves HTTP: a service with its name and health, which is started and stopped with its application."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from shared.settings import Settings


class Served(Protocol):
    """A service as its HTTP application needs it. `failed`: it could not start."""

    name: str
    settings: Settings
    stopping: asyncio.Event
    failed: bool

    async def start(self) -> None:
        """Start, and wait for the servers. Raises a client's error when they stay away."""

    async def stop(self) -> None:
        """Stop in order, within a bounded time."""

    def liveness_failures(self) -> Sequence[str]:
        """Sentences on tasks that ended in this process and should not have."""

    def startup_failures(self) -> Sequence[str]:
        """Sentences on what the start still waits for."""

    def readiness_failures(self) -> Sequence[str]:
        """Sentences on why the service is not ready; empty when it is."""
