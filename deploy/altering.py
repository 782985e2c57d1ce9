"""A Kafka request that alters single settings of a topic or broker. aiokafka has only the older request, which resets
every setting that it does not name."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

from shared.topics import TopicFault

_SET = 0


class _Response(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(("name", String("utf-8")), ("config_operation", Int8), ("value", String("utf-8"))),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class _IncrementalAlterConfigs(Request[_Struct]):  # type: ignore[misc]
    API_KEY = 44

    def __init__(self, kind: ConfigResourceType, values: Mapping[str, Mapping[str, str]]) -> None:
        """`values`: the new values of settings, by the name of the topic or broker."""
        self._resources = [
            (kind, name, [(setting, _SET, value) for setting, value in settings.items()])
            for name, settings in values.items()
        ]

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        return request_struct_class(self._resources, False)


async def alter(admin: AIOKafkaAdminClient, changes: Iterable[TopicFault]) -> None:
    """Set each setting of `changes` to its wanted value. Raises KafkaError when the broker refuses."""
    values = {
        topic: {change.setting: change.wanted for change in group}
        for topic, group in groupby(sorted(changes, key=attrgetter("topic")), key=attrgetter("topic"))
    }
    answer = await admin._send_request(_IncrementalAlterConfigs(ConfigResourceType.TOPIC, values))
    _check(answer)


async def alter_broker(admin: AIOKafkaAdminClient, broker: int, values: Mapping[str, str]) -> None:
    """Set these settings of a running broker. It reads the files again that they name. Raises KafkaError when it
    refuses."""
    request = _IncrementalAlterConfigs(ConfigResourceType.BROKER, {str(broker): values})
    _check(await admin._send_request(request, broker))


def _check(answer: Any) -> None:
    for code, why, _kind, name in answer.responses:
        if code:
            raise for_code(code)(f"{name}: {why}")
