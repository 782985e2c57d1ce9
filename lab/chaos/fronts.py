"""Stable addresses of services whose instances come and go."""

import random

from lab.chaos.instances import Instances


class Fronts:
    """The living instances behind the fronts of services, one drawn for each connection."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._instances: Instances | None = None

    def lead_to(self, instances: Instances) -> None:
        """Let connections reach these instances."""
        self._instances = instances

    def port_of(self, service: str) -> int | None:
        """The port of some living instance of the service, if there is one."""
        living = self._instances.of_service(service) if self._instances is not None else []
        return self._rng.choice(living).server.port if living else None
