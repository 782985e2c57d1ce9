"""What each user of Kafka may do, computed from the declarations that the topics are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest
from aiokafka.protocol.api import Request

from deploy.secure.files import ADMINISTRATOR, OPERATOR, PORTAL, SUBSCRIBER
from deploy.secure.subscribers import streams_of_subscribers
from deploy.secure.users import user_names
from deploy.topics import OF_RIGHTS, SERVICES, TAKEN_OVER_HTTP, WRITTEN, all_topics, read_topics, topic_names
from shared.events.journal import journal
from shared.events.operator import OPERATOR as REPAIRS
from shared.events.public import SHOWN_TO_STRANGERS
from shared.kafka import topic_name
from shared.kafka_connection import administrator
from shared.retry import attempts
from shared.settings import Settings
from shared.topics import DLQ

_ALLOW = 3
_ANY = 1
_KNOWN_WITHIN = 10.0
_EVERY_HOST = "*"
_USER = "User:"
_EVERY_NAME = "*"


class Resource(IntEnum):
    """Kafka's number of a kind of resource."""

    TOPIC = 2
    GROUP = 3


class Pattern(IntEnum):
    """Kafka's number of how a name is meant: it alone, or all that begin with it."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """Kafka's number of an operation. `READ` and `WRITE` include `DESCRIBE`."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10


@dataclass(frozen=True, order=True, slots=True)
class Acl:
    """One right: the principal may do this with the topic or group of this name."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    pattern: Pattern = Pattern.LITERAL


def principals(settings: Settings) -> tuple[str, ...]:
    """Every principal but the administrator. Raises BadSettings."""
    return (*SERVICES, PORTAL, OPERATOR, *streams_of_subscribers(settings))


def acls(settings: Settings) -> frozenset[Acl]:
    """Every right of every principal, with the names of topics and groups without prefix. Raises BadSettings.

    The administrator has none: the broker itself lets it do everything.
    """
    return frozenset(
        [
            *(acl for service in SERVICES for acl in _of_service(service)),
            *_of_operator(),
            *_on_topics(PORTAL, Operation.READ, (topic.name for topic in SHOWN_TO_STRANGERS)),
            *(
                acl
                for name, streams in streams_of_subscribers(settings).items()
                for acl in _of_subscriber(name, streams)
            ),
        ]
    )


def _of_service(service: str) -> Iterator[Acl]:
    processors = SERVICES[service]
    inputs = {topic.name for processor in processors for topic in processor.topics}
    dead_letters = {f"{name}{DLQ}" for name in inputs}
    own_journal = journal(service).name
    outputs = {topic.name for topics in (WRITTEN, TAKEN_OVER_HTTP) for topic in topics.get(service, ())}
    yield from _on_topics(service, Operation.READ, inputs)
    yield from _on_topics(service, Operation.WRITE, {*outputs, *dead_letters, own_journal})
    # A service that starts looks whether its topics are as they must be.
    yield from _on_topics(service, Operation.DESCRIBE_CONFIGS, {*inputs, *dead_letters, own_journal})
    for processor in processors:
        yield Acl(service, Operation.READ, Resource.GROUP, processor.group)


def _of_operator() -> Iterator[Acl]:
    dead_letters = {f"{name}{DLQ}" for name in read_topics()}
    yield from _on_topics(OPERATOR, Operation.READ, {*(topic.name for topic in all_topics()), *dead_letters})
    # A replayed record goes to the topic on which it was found unusable. What gives rights is the administrator's.
    replayed = read_topics() - {topic.name for topic in OF_RIGHTS}
    yield from _on_topics(OPERATOR, Operation.WRITE, {*replayed, REPAIRS.name})
    for processors in SERVICES.values():
        for processor in processors:
            yield Acl(OPERATOR, Operation.DESCRIBE, Resource.GROUP, processor.group)


def _of_subscriber(principal: str, streams: Iterable[str]) -> Iterator[Acl]:
    yield from _on_topics(principal, Operation.READ, streams)
    yield Acl(principal, Operation.READ, Resource.GROUP, f"{principal}.", Pattern.PREFIXED)


def _on_topics(principal: str, operation: Operation, names: Iterable[str]) -> Iterator[Acl]:
    return (Acl(principal, operation, Resource.TOPIC, name) for name in names)


class Binding(NamedTuple):
    """A right as the broker keeps it, with Kafka's numbers, in the order of its requests."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def bindings(settings: Settings) -> frozenset[Binding]:
    """Every right of every user of Karya on this cluster."""
    return frozenset(
        Binding(
            acl.resource,
            topic_name(settings, acl.name),
            acl.pattern,
            f"{_USER}{user}",
            _EVERY_HOST,
            acl.operation,
            _ALLOW,
        )
        for acl in acls(settings)
        for user in user_names(acl.principal)
    )


@dataclass(frozen=True, slots=True)
class AclChanges:
    """Result of `reconcile_acls`: how many rights were given and withdrawn, and a sentence with advice for each right
    of everybody that is left."""

    given: int
    withdrawn: int
    refused: Sequence[str]


async def reconcile_acls(settings: Settings) -> AclChanges:
    """Give each user of Karya its rights, and withdraw all others that it has on a name under the topics' prefix.

    Rights of other users stay. Safe to repeat. Raises KafkaError and BadSettings.
    """
    wanted = bindings(settings)
    admin = administrator(settings)
    try:
        await admin.start()
        everything = await _found(admin)
        found = _of_karya(everything, settings)
        # First, so that nobody loses a right for a moment.
        await create_acls(admin, wanted - found)
        await delete_acls(admin, found - wanted)
        # A broker answers before it has learnt of them from the controller.
        async for _ in attempts(within=_KNOWN_WITHIN):
            if _of_karya(await _found(admin), settings) == wanted:
                break
        return AclChanges(len(wanted - found), len(found - wanted), list(_of_everybody(everything, settings)))
    finally:
        await admin.close()


def _of_karya(found: Iterable[Binding], settings: Settings) -> Set[Binding]:
    """The rights of Karya's users that reach a name under the topics' prefix, or the cluster."""
    known = (*principals(settings), ADMINISTRATOR)
    users = {f"{_USER}{user}" for principal in known for user in user_names(principal)}
    return {
        binding
        for binding in found
        # Also those of a subscriber that the settings no longer name.
        if binding.principal in users or binding.principal.startswith(f"{_USER}{SUBSCRIBER}.")
        if binding.resource not in set(Resource) or _reaches(binding, settings.topic_prefix)
    }


def _reaches(binding: Binding, prefix: str) -> bool:
    """Whether the right is for a name that begins with the prefix, perhaps among others."""
    if binding.pattern == Pattern.PREFIXED and prefix.startswith(binding.name):
        return True
    return binding.name == _EVERY_NAME or binding.name.startswith(prefix)


def _of_everybody(found: Iterable[Binding], settings: Settings) -> Iterator[str]:
    groups = [processor.group for processors in SERVICES.values() for processor in processors]
    ours = {
        Resource.TOPIC: [topic_name(settings, name) for name in topic_names()],
        Resource.GROUP: [topic_name(settings, group) for group in groups],
    }
    for binding in sorted(found):
        if binding.principal != f"{_USER}*" or binding.permission != _ALLOW:
            continue
        if binding.resource not in ours or any(_is_for(binding, name) for name in ours[Resource(binding.resource)]):
            yield (
                f"Everybody has a right on {binding.name}, and so every user of Karya has it too. Give it to those "
                f"that need it, and withdraw it. To see it: kafka-acls --bootstrap-server {settings.kafka} --list "
                "--principal 'User:*'"
            )


def _is_for(binding: Binding, name: str) -> bool:
    if binding.pattern == Pattern.PREFIXED:
        return name.startswith(binding.name)
    return binding.name in (_EVERY_NAME, name)


async def read_acls(settings: Settings) -> Set[Binding]:
    """Every right on this cluster. Raises KafkaError."""
    admin = administrator(settings)
    try:
        await admin.start()
        return await _found(admin)
    finally:
        await admin.close()


async def _found(admin: AIOKafkaAdminClient) -> Set[Binding]:
    request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
    answer = await admin._send_request(request)
    if answer.error_code:
        raise for_code(answer.error_code)(answer.error_message)
    return {
        Binding(resource, name, pattern, *entry)
        for resource, name, pattern, entries in answer.resources
        for entry in entries
    }


class _CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's own request has one right only."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, created: Iterable[Binding]) -> None:
        self._created = list(created)

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(self._created)


class _DeleteAcls(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]
    """As above. Each filter is one whole right."""

    API_KEY = DeleteAclsRequest_v1.API_KEY

    def __init__(self, deleted: Iterable[Binding]) -> None:
        self._deleted = list(deleted)

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        return request_struct_class(self._deleted)


async def create_acls(admin: AIOKafkaAdminClient, created: Set[Binding]) -> None:
    """Add these rights. Raises KafkaError."""
    if created:
        answer = await admin._send_request(_CreateAcls(sorted(created)))
        _check(answer.creation_responses)


async def delete_acls(admin: AIOKafkaAdminClient, deleted: Set[Binding]) -> None:
    """Take these rights away. Raises KafkaError."""
    if deleted:
        answer = await admin._send_request(_DeleteAcls(sorted(deleted)))
        _check(answer.filter_responses)


def _check(answers: Iterable[tuple[Any, ...]]) -> None:
    for code, why, *_ in answers:
        if code:
            raise for_code(code)(f"rights: {why}")
