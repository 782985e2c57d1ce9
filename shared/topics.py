"""The required settings of every topic, and how a topic differs from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.kafka_connection import administrator
from shared.settings import Settings

# Kafka's own default, batch overhead included. A dead letter has more headers than its record, so a DLQ takes more.
INPUT_MAX_BYTES = 1024 * 1024 + 12
DLQ_MAX_BYTES = 2 * 1024 * 1024
DLQ = ".dlq"

RETENTION = "retention.ms"
TIME = "message.timestamp.type"
COMPRESSION = "compression.type"
# History is the system's memory: nothing expires by itself. LogAppendTime is the clock of the rules. A batch stays as
# its producer packed it: to pack it anew the broker would unpack it in its memory, where 32 KB may become gigabytes.
_KEPT = {
    RETENTION: "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    TIME: "LogAppendTime",
    COMPRESSION: "producer",
}

Configs: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicFault:
    """One setting of a topic (full name) that differs from the required one."""

    topic: str
    setting: str
    found: str | None
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic} has {self.setting}={self.found}, not {self.wanted}"


def wanted(name: str) -> Configs:
    """The required settings of a topic. Its name may have a prefix."""
    return {**_KEPT, "max.message.bytes": str(most_bytes(name))}


def most_bytes(name: str) -> int:
    """The most bytes of a batch of this topic. Kafka holds packed batches to it, and our readers unpacked ones, so
    that every record fits into a dead letter. Its name may have a prefix."""
    return DLQ_MAX_BYTES if name.endswith(DLQ) else INPUT_MAX_BYTES


def faults_of(settings: Mapping[str, Configs]) -> list[TopicFault]:
    """The faults of topics (by full name) with these settings, the broker's defaults included."""
    return [
        TopicFault(topic, setting, configs.get(setting), value)
        for topic, configs in sorted(settings.items())
        for setting, value in wanted(topic).items()
        if configs.get(setting) != value
    ]


async def misconfigured(settings: Settings, names: Iterable[str]) -> list[str]:
    """Sentences on the faults of these existing topics (full names) that can do harm. Raises KafkaError.

    Records of every codec can be read here, so that a topic in another one only takes more room.
    """
    admin = administrator(settings)
    try:
        await admin.start()
        faults = faults_of(await configs(admin, names))
        return [f"{fault}: `karya topics` sets it" for fault in faults if fault.setting != COMPRESSION]
    finally:
        await admin.close()


async def configs(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, Configs]:
    """The settings of these existing topics (full names). Raises KafkaError."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    settings: dict[str, Configs] = {}
    for answer in await admin.describe_configs(resources) if resources else ():
        for code, why, _kind, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"topic {name}: {why}")
            settings[name] = {setting: value for setting, value, *_ in entries}
    return settings
