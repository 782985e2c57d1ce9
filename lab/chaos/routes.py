"""The routes by which the load's devices sync: over the gateway as enrolled devices, or with Kafka itself."""

from dataclasses import dataclass, field
from typing import Protocol

from edge.spool import Spool
from edge.sync import GatewayRoute, KafkaRoute, SyncRoute
from lab.enrolment import Enrolment
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer
from shared.access.signatures import public_key_of
from shared.events.identity import Role
from shared.settings import Settings


class DeviceRoutes(Protocol):
    """The route of each device."""

    async def route(self, spool: Spool) -> SyncRoute:
        """The route of the device that has this spool. Raises EnrolmentFailed, httpx.TransportError and NotAnswered
        while it can't be enrolled."""

    async def revoke(self, spool: Spool) -> None:
        """Revoke a lost device. Raises as `route` does."""


class KafkaRoutes:
    """Every device syncs with Kafka itself."""

    def __init__(self, settings: Settings) -> None:
        self._route = KafkaRoute(settings)

    async def route(self, _spool: Spool) -> SyncRoute:
        return self._route

    async def revoke(self, _spool: Spool) -> None:
        """Nobody has enrolled it."""


@dataclass(slots=True)
class GatewayRoutes:
    """Every device is enrolled before its first sync, and has a token of its own."""

    identity: str
    gateway: str
    enrolment: Enrolment
    _routes: dict[str, GatewayRoute] = field(default_factory=dict)

    async def route(self, spool: Spool) -> SyncRoute:
        key = spool.device_key()
        device = public_key_of(key).device
        if device not in self._routes:
            role, scope, name = spool.source.split("/")
            await self.enrolment.enrol(key, Role(role), scope, name)
            spool.enrolled(self.identity)
            self._routes[device] = GatewayRoute(self.gateway, Bearer(DeviceSession(self.identity, lambda: key)))
        return self._routes[device]

    async def revoke(self, spool: Spool) -> None:
        device = public_key_of(spool.device_key()).device
        if device in self._routes:
            await self.enrolment.revoke(device, "made up")
