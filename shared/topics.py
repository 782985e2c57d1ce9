"""What every topic of Karya must be set to, and what is wrong with one that is set otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.settings import Settings

# Kafka's own default, batch overhead included: what went wrong with a record is wrapped, so its place must hold more.
INPUT_MAX_BYTES = 1024 * 1024 + 12
DLQ_MAX_BYTES = 2 * 1024 * 1024
DLQ = ".dlq"

RETENTION = "retention.ms"
TIME = "message.timestamp.type"
COMPRESSION = "compression.type"
# History is the system's memory: nothing expires by itself. LogAppendTime is the clock that `decide` may trust. What
# comes compressed is unpacked by the broker: one batch in snappy, lz4 or zstd, which our client can't read without
# more libraries, would stop every reader for ever.
_KEPT = {
    RETENTION: "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    TIME: "LogAppendTime",
    COMPRESSION: "uncompressed",
}

Configs: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicFault:
    """One setting of a topic (full name) that is not as it must be."""

    topic: str
    setting: str
    found: str | None
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic} has {self.setting}={self.found}, not {self.wanted}"


def wanted(name: str) -> Configs:
    """The settings of a topic, by its name with or without prefix."""
    return {**_KEPT, "max.message.bytes": str(DLQ_MAX_BYTES if name.endswith(DLQ) else INPUT_MAX_BYTES)}


def wrong(found: Mapping[str, Configs]) -> list[TopicFault]:
    """What is wrong with topics (by full name) that are set so, a broker's defaults included."""
    return [
        TopicFault(topic, setting, configs.get(setting), value)
        for topic, configs in sorted(found.items())
        for setting, value in wanted(topic).items()
        if configs.get(setting) != value
    ]


async def misconfigured(settings: Settings, names: Iterable[str]) -> list[str]:
    """What is wrong with these topics (full names, all of them there), in words. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        await admin.start()
        return [f"{one}: `karya topics` sets it" for one in wrong(await configs(admin, names))]
    finally:
        await admin.close()


async def configs(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, Configs]:
    """How these topics (full names, all of them there) are set. Raises KafkaError."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    found: dict[str, Configs] = {}
    for answer in await admin.describe_configs(asked) if asked else ():
        for code, why, _kind, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"topic {name}: {why}")
            found[name] = {setting: value for setting, value, *_ in entries}
    return found
