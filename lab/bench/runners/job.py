"""What a runner is told: settings by KARYA_* variables as a service, all else by its one argument."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from aiokafka import TopicPartition

from lab.bench.meter import Ran
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """Work off all topics of inventory up to `ends`, by full topic name and partition, as group `group`, keeping
    all in the database of that name. `variant` is for the runner."""

    group: str
    ends: tuple[tuple[str, int, int], ...]
    variant: str = ""

    @classmethod
    def of(cls, group: str, ends: Mapping[TopicPartition, int], variant: str = "") -> "Job":
        return cls(group, tuple((part.topic, part.partition, end) for part, end in sorted(ends.items())), variant)

    @classmethod
    def given(cls) -> tuple["Job", Settings]:
        """This process's own."""
        said = json.loads(sys.argv[1])
        return cls(said["group"], tuple((t, p, e) for t, p, e in said["ends"]), said["variant"]), Settings()

    @property
    def argument(self) -> str:
        return json.dumps(asdict(self))

    @property
    def by_part(self) -> dict[TopicPartition, int]:
        return {TopicPartition(topic, partition): end for topic, partition, end in self.ends}

    @property
    def events(self) -> int:
        return sum(end for _, _, end in self.ends)


def say(ran: Ran) -> None:
    """The result of this process."""
    # The original one: a framework may have put its own in the place of the other.
    print(ran.line(), file=sys.__stdout__, flush=True)
