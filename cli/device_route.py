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
from shared.errors import ServersNotConfigured
from shared.settings import DeviceRoute, Settings, settings_for
from shared.translation import tr
from shared.wording import Message

DirectKafka = Annotated[
    bool, typer.Option("--kafka", help="Sync with Kafka itself, and not over the gateway (KARYA_ROUTE=kafka).")
]


def device_route(spool: Spool, *, kafka: bool) -> SyncRoute:
    """The gateway, or Kafka if it is chosen by `kafka` or the setting.

    An enrolled device shows the gateway a token for its key, another one that of this machine's session.

    Raises ServersNotConfigured if the address is not known.
    """
    settings = Settings()
    if kafka or settings.route is DeviceRoute.KAFKA:
        return KafkaRoute(settings_for("kafka"))
    if not settings.gateway_url:
        raise ServersNotConfigured(
            Message(
                "No gateway is known here: set KARYA_GATEWAY_URL to its address, or run `make up`. Nothing is lost: "
                "what was recorded stays on this device. `--kafka` syncs with Kafka itself."
            )
        )
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
