"""The two ways between a device and the services: Kafka itself, and a gateway that takes signed records of enrolled
devices alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn

from edge.spool import Spool
from edge.sync import GatewayRoute, KafkaRoute, Subscription, SyncRoute
from edge.sync.gateway import GatewayLink
from ops.verify.log import TopicLog
from services.gateway.api import routes
from services.gateway.handlers import PROCESSORS
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.access.signatures import public_key_of
from shared.events.identity import IDENTITY, DeviceEnrolled, Role
from shared.http.access import SigningKeys
from shared.http.server import application, listen
from shared.patches.faststream import PatientConsumer
from shared.runtime.lag import worked_up_to
from shared.runtime.service import Service
from shared.settings import Settings, UnsignedRecords
from tests.support.callers import FixedKeys, token_of, with_access
from tests.support.probe import a_probe
from tests.support.waiting import eventually

NAMES = ("kafka", "gateway")


@dataclass(frozen=True, slots=True)
class Way:
    """A route of a device, and one `away` whose server is not there."""

    name: str
    route: SyncRoute
    away: SyncRoute


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway in this process, and its address. `log` knows the ends of its topics: a consumer that waits for
    records is told them only when its own fetch is over, half a second later."""

    service: Service
    url: str
    log: TopicLog

    async def caught_up(self) -> None:
        """Wait until it has kept every event that Kafka has now."""
        await eventually(self._waiting, equals=[])

    async def _waiting(self) -> list[str]:
        consumers, offsets = {}, {}
        for runtime in self.service._runtimes:
            consumer = runtime.subscriber.consumer
            assert isinstance(consumer, PatientConsumer)
            for part, offset in runtime.lanes.next_offsets().items():
                # Two processors may read one partition.
                if part not in offsets or offset < offsets[part]:
                    consumers[part], offsets[part] = consumer, offset
        ends = await self.log.ends()
        return [
            *self.service.readiness_failures(),
            *[
                f"{part} up to {ends[part]}"
                for part, offset in offsets.items()
                if await worked_up_to(consumers[part], part, offset) < ends[part]
            ],
        ]


class CaughtUpRoute(GatewayRoute):
    """A route to a gateway that has kept all events before each sync, as a log has them once they are sent.

    Each device is enrolled before its first sync, and shows a token of its own.
    """

    def __init__(self, gateway: RunningGateway) -> None:
        super().__init__(gateway.url)
        self._gateway = gateway
        self._enrolled: set[str] = set()
        # Of two syncs of one device at once, the second must not begin before the device is enrolled.
        self._enrolling = asyncio.Lock()

    @asynccontextmanager
    async def open(self, spool: Spool, subscriptions: Sequence[Subscription]) -> AsyncIterator[GatewayLink]:
        token = await self.enrol(spool)
        async with GatewayRoute(self.url, Bearer(GivenToken(token))).open(spool, subscriptions) as link:
            yield link

    async def enrol(self, spool: Spool) -> str:
        """Let the gateway know the device that has this spool, and keep all events. Returns a token of the device."""
        role, scope, name = spool.source.split("/")
        key = public_key_of(spool.device_key())
        async with self._enrolling:
            if key.device not in self._enrolled:
                self._enrolled.add(key.device)
                enrolled = DeviceEnrolled(
                    subject=key.device,
                    public_key=key,
                    role=Role(role),
                    scope=scope,
                    name=name,
                    enrolled_at=datetime.now(UTC),
                )
                async with a_probe(self._gateway.service.settings) as probe:
                    await probe.send(IDENTITY, enrolled)
        await self._gateway.caught_up()
        return token_of(Grant(Role(role), scope))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # They belong to the tests.
        yield


@asynccontextmanager
async def a_gateway(settings: Settings, keys: SigningKeys | None = None) -> AsyncIterator[RunningGateway]:
    """A gateway that works its lanes, at a free port."""
    service = Service("gateway", PROCESSORS, settings)
    app = application(service, "Karya gateway", routes(service), keys)
    listening = listen("127.0.0.1", 0)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await eventually(service.readiness_failures, equals=[], within=60)
        topics = {topic.name for processor in PROCESSORS for topic in processor.topics}
        async with TopicLog(settings, topics) as log:
            yield RunningGateway(service, f"http://127.0.0.1:{listening.getsockname()[1]}", log)
    finally:
        server.should_exit = True
        await serving
        listening.close()


@asynccontextmanager
async def a_way(name: str, settings: Settings) -> AsyncIterator[Way]:
    """The way of this name."""
    if name == "kafka":
        yield Way(name, KafkaRoute(settings), KafkaRoute(settings.model_copy(update={"kafka": "127.0.0.1:1"})))
        return
    secure = with_access(settings).model_copy(update={"unsigned": UnsignedRecords.REFUSED})
    async with a_gateway(secure, FixedKeys()) as gateway:
        yield Way(name, CaughtUpRoute(gateway), GatewayRoute("http://127.0.0.1:1"))
