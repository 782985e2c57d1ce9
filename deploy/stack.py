"""The choice of Kafka and MongoDB: local processes, containers, or external servers."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy import docker_stack
from deploy.local.stack import Addresses, LocalStack, StackError
from shared.settings import Settings

VARIABLE = "KARYA_STACK"


class StackKind(StrEnum):
    """How Kafka and MongoDB run."""

    LOCAL = "local"
    DOCKER = "docker"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Stack(Addresses):
    """The addresses of a running stack; `local` controls its servers when they are local processes."""

    local: LocalStack | None = None


def choose_kind(requested: str | None, engine_answers: Callable[[], bool]) -> StackKind:
    """The requested kind; without one containers when a Docker engine answers, else local processes.

    Raises StackError for an unknown kind.
    """
    if requested:
        try:
            return StackKind(requested)
        except ValueError:
            raise StackError(f"{VARIABLE} is {requested!r}; it can be {', '.join(StackKind)}") from None
    return StackKind.DOCKER if engine_answers() else StackKind.LOCAL


@contextmanager
def choose_stack(folder: Path, kind: str | None = None, *, secure: bool = False) -> Iterator[Stack]:
    """A running stack for the duration of the block. Without `kind`, KARYA_STACK or the available engine decides.

    `folder` holds data and logs of local servers. KARYA_KAFKA and KARYA_MONGO give the addresses of an external
    stack, which is neither started nor stopped. A `secure` stack is of local processes. Raises StackError when a
    server does not start.
    """
    requested = StackKind.LOCAL if secure else kind or os.environ.get(VARIABLE)
    match choose_kind(requested, docker_stack.engine_answers):
        case StackKind.LOCAL:
            with LocalStack(folder, secure=secure) as local:
                yield Stack(local.addresses.kafka, local.addresses.mongo, local.secrets, local)
        case StackKind.DOCKER:
            with docker_stack.running() as addresses:
                yield Stack(addresses.kafka, addresses.mongo)
        case StackKind.EXTERNAL:
            settings = Settings()
            yield Stack(settings.kafka, settings.mongo)
