"""The route by which a device's commands sync: the gateway, or Kafka by choice."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli import sessions
from cli.console import warn
from edge.spool import IntakeRefusal, Spool
from edge.sync import GatewayRoute, KafkaRoute, SyncRoute
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer, TokenSource
from shared.settings import DeviceRoute, Settings, settings_for
from shared.translation import tr

DirectKafka = Annotated[
    bool, typer.Option("--kafka", help="Sync with Kafka itself, and not over the gateway (KARYA_ROUTE=kafka).")
]


def device_route(spool: Spool, *, kafka: bool) -> SyncRoute:
    """The gateway whose address is known; else Kafka, or if `kafka` is chosen.

    An enrolled device shows the gateway a token for its key, another one that of this machine's session.

    Raises ServersNotConfigured if neither address is known.
    """
    settings = Settings()
    if kafka or settings.route is DeviceRoute.KAFKA or not settings.gateway_url:
        return KafkaRoute(settings_for("kafka"))
    return GatewayRoute(settings.gateway_url, Bearer(token_source_of(spool)))


def token_source_of(spool: Spool) -> TokenSource:
    """The tokens of an enrolled device by its key; those of this machine's session for another one."""
    identity = spool.identity
    if identity is None or sessions.identity_url() not in (None, identity) or sessions.given_token() is not None:
        return sessions.token_source()
    return DeviceSession(identity, spool.device_key)


def warn_of_refusals(refusals: Sequence[IntakeRefusal]) -> None:
    """Say how many records the gateway did not take, and how many it holds."""
    held = sum(refusal.is_held for refusal in refusals)
    if others := len(refusals) - held:
        warn(
            tr(
                "The gateway did not take {count:record|records}. Nothing is lost: each sync offers them again, and "
                "`list` shows them.",
                count=others,
            )
        )
    if held:
        warn(
            tr(
                "The gateway holds {count:record|records} of a revoked device until an operator decides. Each sync "
                "asks again.",
                count=held,
            )
        )
