"""How every client of Kafka reaches it: its addresses, and with credentials SCRAM-SHA-512 over TLS."""

import ssl
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from shared.causes import cause_of
from shared.credentials import read_credentials
from shared.errors import BadSettings
from shared.settings import Settings
from shared.wording import Message


def connection(settings: Settings) -> dict[str, Any]:
    """The options of aiokafka's clients. Raises BadSettings."""
    if settings.kafka_credentials is None:
        return {"bootstrap_servers": settings.kafka}
    credentials = read_credentials(settings.kafka_credentials)
    return {
        "bootstrap_servers": settings.kafka,
        "security_protocol": "SASL_SSL",
        "ssl_context": tls_context(settings.kafka_ca),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": credentials.user,
        "sasl_plain_password": credentials.password,
    }


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """TLS that trusts the authorities of this file, else those of the system. Raises BadSettings."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as fault:
        raise BadSettings(
            Message(
                "The authorities in {file} can't be read: {reason}.", file=str(authorities), reason=cause_of(fault)
            )
        ) from fault


def administrator(settings: Settings, **options: Any) -> AIOKafkaAdminClient:
    """A client for administration, not started. `options` are aiokafka's."""
    return AIOKafkaAdminClient(**connection(settings), **options)
