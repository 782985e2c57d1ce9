"""Which Kafka and MongoDB to run on: processes of this machine, containers, or servers that are there already."""

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


class Kind(StrEnum):
    LOCAL = "local"
    DOCKER = "docker"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Stack(Addresses):
    """A stack that serves; `local` holds its servers when they are processes of this machine."""

    local: LocalStack | None = None


def choose_kind(asked: str | None, engine_answers: Callable[[], bool]) -> Kind:
    """What was asked for; else containers when a Docker engine answers, else local processes.

    Raises StackError for a word that is none of these.
    """
    if asked:
        try:
            return Kind(asked)
        except ValueError:
            raise StackError(f"{VARIABLE} is {asked!r}; it can be {', '.join(Kind)}") from None
    return Kind.DOCKER if engine_answers() else Kind.LOCAL


@contextmanager
def choose_stack(folder: Path, kind: str | None = None) -> Iterator[Stack]:
    """A stack that serves until the block is left; without `kind`, KARYA_STACK or what is there decides.

    `folder` holds data and logs of local servers. An external stack is where KARYA_KAFKA and KARYA_MONGO say,
    and is neither started nor stopped. Raises StackError when a server does not start.
    """
    match choose_kind(kind or os.environ.get(VARIABLE), docker_stack.engine_answers):
        case Kind.LOCAL:
            with LocalStack(folder) as local:
                yield Stack(local.addresses.kafka, local.addresses.mongo, local)
        case Kind.DOCKER:
            with docker_stack.running() as addresses:
                yield Stack(addresses.kafka, addresses.mongo)
        case Kind.EXTERNAL:
            settings = Settings()
            yield Stack(settings.kafka, settings.mongo)
