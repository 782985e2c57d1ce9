"""The route by which a device's commands sync: the gateway, or Kafka by choice."""

from typing import Annotated

import typer

from cli import sessions
from edge.sync import GatewayRoute, KafkaRoute, SyncRoute
from shared.access.session import Bearer
from shared.settings import DeviceRoute, Settings, settings_for
from shared.translation import tr

DirectKafka = Annotated[
    bool, typer.Option("--kafka", help="Sync with Kafka itself, and not over the gateway (KARYA_ROUTE=kafka).")
]


def device_route(*, kafka: bool) -> SyncRoute:
    """The gateway whose address is known, with the session of this machine; else Kafka, or if `kafka` is chosen.

    Raises ServersNotConfigured if neither address is known.
    """
    settings = Settings()
    if kafka or settings.route is DeviceRoute.KAFKA or not settings.gateway_url:
        return KafkaRoute(settings_for("kafka"))
    return GatewayRoute(settings.gateway_url, Bearer(sessions.token_source()))


def not_taken_sentence(count: int) -> str:
    """A warning that the gateway did not take so many records."""
    return tr(
        "The gateway did not take {count:record|records}. Nothing is lost: each sync offers them again, and `list` "
        "shows them.",
        count=count,
    )
